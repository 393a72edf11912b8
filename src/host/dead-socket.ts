import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Whether somebody answers at a unix socket. */
export async function isAnswered(path: string): Promise<boolean> {
  return (await knock(path)) === undefined;
}

/** Milliseconds that a program may need from bind(2) to listen(2). */
const STARTING_TIME = 20;

/** Removes the path of a socket whose owner was killed; false where somebody answers there. Other files are left alone. */
export async function removeDeadSocket(path: string): Promise<boolean> {
  if (!isSocket(path)) return true;
  let refusal = await knock(path);
  if (refusal === 'ECONNREFUSED') {
    // Between bind(2) and listen(2) a socket refuses as well: its owner may just be starting.
    await new Promise((resolve) => setTimeout(resolve, STARTING_TIME));
    refusal = await knock(path);
  }
  if (refusal === 'ECONNREFUSED') unlinkSync(path);
  return refusal !== undefined;
}

/** Removes the dead sockets of a folder: those whose name ends in `.sock`, as vmlan calls what it listens at. */
export async function removeDeadSockets(folder: string): Promise<void> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sock'));
  await Promise.all(names.map((name) => removeDeadSocket(join(folder, name))));
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false; // whatever it is, nobody answers there
  }
}

/** The code of the error that connecting gives; undefined where it succeeds. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  });
}

/** Which labs run: each has a folder of its name with a control socket in it. */
import { readdirSync, rmdirSync } from 'node:fs';
import { isAnswered, removeDeadSocket } from '../host/dead-socket.ts';
import { controlSocket, runtimeFolder, runtimeRoot } from '../host/folders.ts';
import { fail } from './exit.ts';

/** The control socket of the named running lab, or of the only one there is; `how` is how one is named, for who has to. */
export async function findLab(name: string | undefined, how: 'NAME' | '--lab NAME'): Promise<string> {
  if (name !== undefined) {
    if (await isAnswered(controlSocket(name))) return controlSocket(name);
    const running = await runningLabs();
    fail(`no lab named ${name} is running; ${running.length > 0 ? `there is ${running.join(', ')}` : START_ONE}`);
  }
  const running = await runningLabs();
  if (running.length === 0) fail(`no lab is running; ${START_ONE}`);
  if (running.length > 1) fail(`several labs are running; add ${how}, one of ${running.join(', ')}`);
  return controlSocket(running[0]!);
}

const START_ONE = 'start one with vmlan up FILE.yaml or vmlan serve';

export async function runningLabs(): Promise<string[]> {
  const names = labFolders();
  const answers = await Promise.all(names.map((name) => isAnswered(controlSocket(name))));
  return names.filter((_, i) => answers[i]).sort();
}

/** Removes what labs that were killed have left, but for the sockets of machines, which may run on. */
export async function cleanDeadLabs(): Promise<void> {
  await Promise.all(labFolders().map(cleanDeadLab));
}

async function cleanDeadLab(name: string): Promise<void> {
  if (!(await removeDeadSocket(controlSocket(name)))) return;
  try {
    rmdirSync(runtimeFolder(name));
  } catch {
    // it holds a machine's socket, or is gone
  }
}

function labFolders(): string[] {
  try {
    return readdirSync(runtimeRoot(), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return []; // no lab has ever run
  }
}

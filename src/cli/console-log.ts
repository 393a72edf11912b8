/** `vmlan logs NODE`: what a machine said on its serial console, and with `-f` what it says. */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { callControl, getControl } from '../control/client.ts';
import type { NodeStatus } from '../lab/node-status-schema.ts';
import { fail } from './exit.ts';

/** Milliseconds between two looks at a log that is followed. */
const LOOK_INTERVAL = 200;
/** Octets that are read at once. */
const PIECE = 64 * 1024;

/** Octets as the machine said them; `follow` ends with the lab. */
export async function printConsoleLog(socket: string, node: string, follow: boolean): Promise<void> {
  const file = await open(await logOf(socket, node)).catch((error: Error) => fail(`${node}: ${error.message}`));
  let at = await printFrom(file, 0);
  let isOver = !follow;
  if (follow) {
    const events = await callControl(socket, 'GET', '/v1/events?kinds=drops');
    const end = () => {
      isOver = true;
    };
    events.on('end', end).on('error', end).resume();
  }
  while (!isOver) {
    await delay(LOOK_INTERVAL);
    at = await printFrom(file, at);
  }
  await file.close();
}

async function logOf(socket: string, node: string): Promise<string> {
  const { nodes } = await getControl<{ nodes: readonly NodeStatus[] }>(socket, '/v1/nodes');
  const status = nodes.find((each) => each.node === node);
  if (status === undefined) fail(`the lab has no node ${node}; it has ${nodes.map((each) => each.node).join(', ')}`);
  return status.console?.log ?? fail(`${node} is yours to start, so its console is yours, too`);
}

/** Prints what the file has behind `at`, and gives its end; a file that was begun anew is printed from its beginning. */
async function printFrom(file: FileHandle, at: number): Promise<number> {
  const { size } = await file.stat();
  let position = size < at ? 0 : at;
  while (position < size) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE), 0, PIECE, position);
    if (bytesRead === 0) break;
    process.stdout.write(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}

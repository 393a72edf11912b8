/** Labs in the background: a process of their own, which outlives the terminal and keeps its log in the state folder. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getControl } from '../control/client.ts';
import { controlSocket, labLog } from '../host/folders.ts';
import { Exit } from './exit.ts';

/** Milliseconds between two looks at whether the lab is there. */
const LOOK_INTERVAL = 20;

/**
 * Runs vmlan with these words as a lab of that name; resolves with its process id when machines can plug in. Where the lab fails, what
 * it said is said here and the program ends with its status.
 */
export async function startInBackground(lab: string, words: readonly string[]): Promise<number> {
  const log = labLog(lab);
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'w', 0o600);
  const program = [...process.execArgv, process.argv[1]!, ...words];
  const child = spawn(process.execPath, program, { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  let status: number | undefined;
  child.once('error', () => (status = 1)).once('exit', (code) => (status = code ?? 1));
  while (status === undefined && !(await isUp(lab, child.pid))) await delay(LOOK_INTERVAL);
  if (status !== undefined) {
    process.stderr.write(readFileSync(log));
    throw new Exit(status);
  }
  child.unref();
  return child.pid!;
}

/** Whether the lab answers, and is that process: another may have the name. */
async function isUp(lab: string, pid: number | undefined): Promise<boolean> {
  const told = await getControl<{ pid: number }>(controlSocket(lab), '/v1/status').catch(() => undefined);
  return told !== undefined && told.pid === pid;
}

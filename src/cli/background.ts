/** Labs in the background: a process of their own, which outlives the terminal and keeps its log in the state folder. */
import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../base/log.ts';
import { getControl } from '../control/client.ts';
import { controlSocket, labLog } from '../host/folders.ts';
import { Exit } from './exit.ts';

/** Octets of a log, and of the older one beside it. */
const LOG_LIMIT = 16 * 1024 * 1024;
const ENTRIES_BETWEEN_LOOKS = 1000;
/** Milliseconds between two looks at whether the lab is there. */
const LOOK_INTERVAL = 20;

/**
 * Runs vmlan with these words as a lab of that name; resolves with its process id when machines can plug in. Where the lab fails, what
 * it said is said here and the program ends with its status.
 */
export async function startInBackground(lab: string, words: readonly string[]): Promise<number> {
  const log = labLog(lab);
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  rmSync(log, { force: true });
  const output = openSync(log, 'a', 0o600);
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

/** As `log`, which writes to the log of a lab in the background. A long one begins anew: guests decide how often some things happen. */
export function boundedLog(lab: string, log: Log): Log {
  const file = labLog(lab);
  let entries = 0;
  return (entry) => {
    log(entry);
    if (++entries % ENTRIES_BETWEEN_LOOKS !== 0 || statSync(file).size < LOG_LIMIT) return;
    copyFileSync(file, `${file}.old`);
    truncateSync(file);
  };
}

/** Whether the lab answers, and is that process: another may have the name. */
async function isUp(lab: string, pid: number | undefined): Promise<boolean> {
  const told = await getControl<{ pid: number }>(controlSocket(lab), '/v1/status').catch(() => undefined);
  return told !== undefined && told.pid === pid;
}

/** Starts the process inside (`inside.ts`) in namespaces of its own, and stands for it at the outside: its signals, its exit status, its end. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { isatty } from 'node:tty';
import type { ExitStatus } from '../foreground.ts';
import { StartError } from '../start-error.ts';
import { namespaceProblem, realProbes, UNSHARE_OPTIONS } from '../user-namespaces.ts';
import type { InsideSettings } from './inside.ts';

/** The words that start the process inside, which take its settings as one more. */
export type InsideWords = readonly string[];

/**
 * Resolves with the exit status of the command. Rejects with a `StartError` where the machine makes no namespaces. Should this process be
 * killed, its end of the pipe closes, and the process inside ends all that it started.
 */
export async function runJoined(words: InsideWords, settings: InsideSettings): Promise<ExitStatus> {
  const problem = namespaceProblem();
  if (problem !== undefined) throw new StartError('no-namespaces', `${problem.message}; ${problem.hint}`);
  const unshare = [realProbes().unshare!, ...UNSHARE_OPTIONS, '--', ...words, JSON.stringify(settings)];
  // unshare waits for the command; signals are the command's.
  const child = spawn('/bin/sh', ['-c', 'trap "" HUP INT QUIT TERM; exec "$@"', 'sh', ...unshare], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const orders = child.stdio[3] as Duplex;
  orders.on('error', () => undefined); // the command has ended
  const hasTerminal = [0, 1, 2].some((stream) => isatty(stream));
  const order = (signal: NodeJS.Signals) => void orders.write(`${signal}\n`);
  const listeners = [
    // The terminal's own signals reach the command from there.
    ...(['SIGINT', 'SIGQUIT'] as const).map((name) => [name, hasTerminal ? () => undefined : order] as const),
    ...(['SIGTERM', 'SIGHUP'] as const).map((name) => [name, order] as const),
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return new Promise<ExitStatus>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal!]));
  }).finally(() => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
    orders.destroy();
  });
}

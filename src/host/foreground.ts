/**
 * A program that has the terminal, as if it had been started without us.
 *
 * It shares our standard streams and our process group. So the terminal's own signals (Ctrl-C, Ctrl-\) reach it directly and must not end
 * us before it; those that somebody sends to us alone are passed on.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { findProgram } from './find-program.ts';
import { StartError } from './start-error.ts';

/** How it ended: its exit status, or 128 and the number of the signal that ended it, as shells count. */
export type ExitStatus = number;

export interface ForegroundOptions {
  /** In place of ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onStart?: (pid: number | undefined) => void;
}

/** Resolves when the program has ended; rejects with a `StartError`, `no-such-program` or `not-a-program`, where it cannot be started. */
export function runInForeground(
  words: readonly string[],
  { env = process.env, onStart = () => undefined }: ForegroundOptions = {},
): Promise<ExitStatus> {
  const [program, ...args] = words as [string, ...string[]];
  const child = spawn(program, args, { stdio: 'inherit', env });
  onStart(child.pid);
  const hasTerminal = [0, 1, 2].some((stream) => isatty(stream));
  const passOn = (signal: NodeJS.Signals) => void child.kill(signal);
  const leaveToTerminal = (signal: NodeJS.Signals) => void (hasTerminal || child.kill(signal));
  const listeners = [
    ...TERMINAL_SIGNALS.map((signal) => [signal, leaveToTerminal] as const),
    ...SENT_SIGNALS.map((signal) => [signal, passOn] as const),
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return new Promise<ExitStatus>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(startError(program, error)));
    child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal!]));
  }).finally(() => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  });
}

const TERMINAL_SIGNALS = ['SIGINT', 'SIGQUIT'] as const;
const SENT_SIGNALS = ['SIGTERM', 'SIGHUP'] as const;

function startError(program: string, error: NodeJS.ErrnoException): StartError {
  // A folder of PATH that we may not search makes EACCES of a program that is nowhere.
  const isNowhere = error.code === 'EACCES' && !program.includes('/') && findProgram(program) === undefined;
  if (error.code === 'ENOENT' || isNowhere) {
    return new StartError('no-such-program', `${program} was not found; install it, or write where it is`);
  }
  return new StartError('not-a-program', `${program} cannot be started (${error.message})`);
}

import type { ExitStatus } from '../host/foreground.ts';
import { StartError } from '../host/start-error.ts';
import { fail } from './exit.ts';

/** What shells say of a command that is not there, and of one that cannot be started. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_STARTED = 126;
const STATUSES: Readonly<Record<string, number>> = {
  'no-such-program': EXIT_NOT_FOUND,
  'not-a-program': EXIT_NOT_STARTED,
};

/** The exit status of a command that takes our place; where it cannot be started, that of a shell, and why. */
export async function started(command: Promise<ExitStatus>): Promise<ExitStatus> {
  try {
    return await command;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return fail(error.message, STATUSES[error.code]);
  }
}

/** How the program ends: with a sentence for mistakes of the operator and of the machine, with a stack trace for our own. */
import { CommanderError } from 'commander';

/** Exit status for what the operator wrote wrongly, and for what the machine refused. */
export const EXIT_USAGE = 2;
export const EXIT_FAILURE = 1;

/** Ends the program with this status, and with a sentence on standard error where there is one. */
export class Exit extends Error {
  readonly status: number;

  constructor(status: number, message = '') {
    super(message);
    this.name = 'Exit';
    this.status = status;
  }
}

export function fail(message: string, status = EXIT_FAILURE): never {
  throw new Exit(status, message);
}

/** Runs the program and ends the process when everything that was printed has left it. */
export async function runProgram(program: () => Promise<unknown>): Promise<never> {
  // Who reads our words may leave; the network stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const status = await program().then(() => 0, statusOf);
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  process.exit(status);
}

function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // it has said why
  if (!(error instanceof Error)) throw error;
  const isExpected = error instanceof Exit || typeof (error as { code?: unknown }).code === 'string';
  if (!isExpected) throw error;
  if (error.message !== '') process.stderr.write(`vmlan: ${error.message}\n`);
  return error instanceof Exit ? error.status : EXIT_FAILURE;
}

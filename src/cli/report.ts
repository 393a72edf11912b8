/** How the command speaks: sentences on a terminal, JSON lines for programs, tables for people. */
import type { Log, LogEntry } from '../base/log.ts';

/** Exit status for what the operator wrote wrongly, and for what the machine refused. */
export const EXIT_USAGE = 2;
export const EXIT_FAILURE = 1;

/** Prints events as they happen: text to standard error, or JSON lines to standard output with the time in front. */
export function logTo(json: boolean): Log {
  return json ? printJson : (entry) => process.stderr.write(`${clock()} ${entry.message}\n`);
}

function printJson(entry: LogEntry): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Ends the program with a sentence on standard error. */
export function fail(message: string, status = EXIT_FAILURE): never {
  process.stderr.write(`vmlan: ${message}\n`);
  process.exit(status);
}

/** Left-aligned columns, two spaces apart. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return [headings, ...rows].map(line).join('\n');
}

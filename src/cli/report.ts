/** How the command speaks: sentences on a terminal, JSON lines for programs, tables for people. */
import type { Log, LogEntry } from '../base/log.ts';

/** Octets that may wait for a reader of the log who has stopped reading; what comes then is counted. */
const LOG_LIMIT = 1024 * 1024;

/** Prints events as they happen: text to standard error, or JSON lines to standard output with the time in front. */
export function logTo(json: boolean): Log {
  return json ? boundedLog(process.stdout, jsonLine) : boundedLog(process.stderr, textLine);
}

function boundedLog(stream: NodeJS.WriteStream, lineOf: (entry: LogEntry) => string): Log {
  let lost = 0;
  return (entry) => {
    if (stream.writableLength > LOG_LIMIT) {
      lost++;
      return;
    }
    if (lost > 0) stream.write(lineOf({ event: 'log-lost', message: `${lost} messages were not read in time`, lost }));
    lost = 0;
    stream.write(lineOf(entry));
  };
}

function jsonLine(entry: LogEntry): string {
  return `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;
}

function textLine({ message }: LogEntry): string {
  return `${new Date().toTimeString().slice(0, 8)} ${message}\n`;
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
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

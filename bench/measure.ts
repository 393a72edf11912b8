/** What every bench prints beside its numbers, and what it makes of repetitions. */
import { cpus, loadavg, release } from 'node:os';

/** The machine and the Node version that the numbers belong to. */
export function machine(): string {
  const [first, ...others] = cpus();
  const load = loadavg()[0]!.toFixed(1);
  return `${1 + others.length} × ${first!.model}, Linux ${release()}, Node ${process.version}; load before: ${load}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Right-aligned columns, two spaces apart. */
export function row(cells: readonly (string | number)[], widths: readonly number[]): string {
  return cells.map((cell, i) => String(cell).padStart(widths[i]!)).join('  ');
}

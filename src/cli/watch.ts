/** `vmlan status --watch`: what passes through a running lab, second by second. */
import { setTimeout as delay } from 'node:timers/promises';
import { getControl } from '../control/client.ts';
import type { StatusAnswer } from '../control/statuses.ts';
import type { LabStatus, PortStatus } from '../lab/status-schemas.ts';
import { portState } from './port-state.ts';
import { print, table } from './report.ts';

const INTERVAL = 1000;
/** Moves to the top left and clears what is below. */
const CLEAR = '\x1b[H\x1b[J';

/** Until the lab ends: on a terminal in one place, elsewhere one table, or line of JSON, after another. */
export async function watch(socket: string, json: true | undefined): Promise<void> {
  let before: { readonly status: LabStatus; readonly at: number } | undefined;
  for (;;) {
    const status = await getControl<StatusAnswer>(socket, '/v1/status').catch(ended);
    if (status === undefined) return;
    const at = performance.now();
    if (json) print(JSON.stringify(status));
    else if (before !== undefined) {
      const head = `${process.stdout.isTTY ? CLEAR : ''}lab ${status.name}, ${new Date().toTimeString().slice(0, 8)}`;
      print(`${head}\n${ratesTable(before.status, status, (at - before.at) / 1000)}\n`);
    }
    before = { status, at };
    await delay(INTERVAL);
  }
}

function ended(error: NodeJS.ErrnoException): undefined {
  const isGone = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
  if (!isGone) throw error;
}

/** What passed each port between two statuses, a second. */
export function ratesTable(before: LabStatus, now: LabStatus, seconds: number): string {
  const earlier = new Map(before.ports.map((port) => [port.port, port]));
  const rows = now.ports.map((port) => {
    const was = earlier.get(port.port);
    const rate = (count: (port: PortStatus) => number) => Math.max(0, count(port) - (was ? count(was) : 0)) / seconds;
    return [
      port.port,
      portState(port),
      rate((each) => each.fromGuest.frames).toFixed(0),
      bits(rate((each) => each.fromGuest.octets)),
      rate((each) => each.toGuest.frames).toFixed(0),
      bits(rate((each) => each.toGuest.octets)),
      `${port.queued}`,
      rate(dropsOf).toFixed(0),
    ];
  });
  const headings = ['PORT', 'STATE', 'FRAMES IN/s', 'BIT IN/s', 'FRAMES OUT/s', 'BIT OUT/s', 'QUEUED', 'DROPS/s'];
  return table(headings, rows);
}

function dropsOf({ drops }: PortStatus): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}

/** Octets a second as `12.3M` bits a second. */
function bits(octets: number): string {
  const value = octets * 8;
  const [unit, size] = UNITS.find(([, least]) => value >= least) ?? ['', 1];
  return unit === '' ? value.toFixed(0) : `${(value / size).toFixed(1)}${unit}`;
}

const UNITS = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const;

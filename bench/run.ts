/**
 * Switches between processes: throughput, and the CPU time that one frame costs the switching process.
 *
 *     npm run bench -- [--sizes 64,1514,9000,65000] [--destinations 1,3] [--seconds 1] [--rounds 3] [--window 262144]
 *                      [--peers vmlan,vde_switch,relay,old=/path/to/dist/main.js]
 *
 * `README.md` says how to read it.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { machine, median, row } from './measure.ts';
import type { RunningSwitch } from './switches.ts';
import { startSwitch } from './switches.ts';
import { buildVmlan, compile, makeWorkshop } from './workshop.ts';

/** What `load` prints. */
interface Reading {
  readonly sent: number;
  readonly received: number;
  readonly disordered: number;
  /** Of another length than they were sent with. */
  readonly mangled: number;
  readonly seconds: number;
  readonly cpuNanos: number;
}

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '64,1514,9000,65000' },
    destinations: { type: 'string', default: '1,3' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    window: { type: 'string', default: '262144' },
    peers: { type: 'string', default: 'vmlan,vde_switch,relay' },
  },
});
const sizes = options.sizes.split(',').map(Number);
const destinations = options.destinations.split(',').map(Number);
const rounds = Number(options.rounds);

const folder = makeWorkshop();
const load = compile('load', folder);
if (load === undefined) process.exit(1);
const switches = await startAll(options.peers.split(','));
console.log(machine());
console.log(`${rounds} rounds of ${options.seconds} s; at most ${options.window} octets on their way\n`);
const readings = await measureAll(load, switches);
report();
process.exit(0);

async function startAll(peers: readonly string[]): Promise<RunningSwitch[]> {
  const vmlan = peers.includes('vmlan') ? await buildVmlan(folder) : '';
  const running: RunningSwitch[] = [];
  for (const peer of peers) {
    const started = await startSwitch(peer, vmlan, folder);
    if (started === undefined) console.log(`${peer} is not installed; left out`);
    else running.push(started);
  }
  return running;
}

/** Repetitions are the outer loop and switches the inner one, so that a slow minute of the machine hits all of them alike. */
async function measureAll(program: string, peers: readonly RunningSwitch[]): Promise<Map<string, Reading[]>> {
  const results = new Map<string, Reading[]>();
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      for (const count of destinations) {
        for (const peer of peers) {
          const key = keyOf(size, count, peer);
          results.set(key, [...(results.get(key) ?? []), await measure(program, peer, size, count)]);
        }
      }
    }
  }
  return results;
}

async function measure(program: string, peer: RunningSwitch, size: number, count: number): Promise<Reading> {
  const words = [peer.wire, peer.address, peer.process.pid, size, count, options.seconds, options.window].map(String);
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await text(child.stdout);
  if (output === '') throw new Error(`load ${words.join(' ')} failed`);
  return JSON.parse(output) as Reading;
}

function keyOf(size: number, count: number, peer: RunningSwitch): string {
  return `${size} ${count} ${peer.name}`;
}

function report(): void {
  const widths = [6, 12, 12, 14, 7, 14, 7, 10, 7];
  console.log(row(['', '', '', 'CPU µs/frame', '', 'CPU µs/frame', '', '', ''], widths));
  console.log(
    row(['octets', 'destinations', 'switch', 'arrived', '(min)', 'sent', 'Gbit/s', 'frames/s', 'lost'], widths),
  );
  for (const size of sizes) {
    for (const count of destinations) {
      for (const peer of switches) {
        console.log(row([size, count, peer.name, ...cells(readings.get(keyOf(size, count, peer))!, size)], widths));
      }
    }
  }
}

function cells(taken: readonly Reading[], size: number): string[] {
  if (taken.every(({ received }) => received === 0)) return ['does not pass frames of this length'];
  const perFrame = taken.map(({ cpuNanos, received }) => cpuNanos / received / 1000);
  const rate = median(taken.map(({ received, seconds }) => received / seconds));
  const sent = taken.reduce((sum, reading) => sum + reading.sent, 0);
  const received = taken.reduce((sum, reading) => sum + reading.received, 0);
  const mangled = taken.reduce((sum, reading) => sum + reading.mangled, 0);
  const disordered = taken.reduce((sum, reading) => sum + reading.disordered, 0);
  return [
    median(perFrame).toFixed(2),
    `(${Math.min(...perFrame).toFixed(2)})`,
    median(taken.map((reading) => reading.cpuNanos / reading.sent / 1000)).toFixed(2),
    ((rate * size * 8) / 1e9).toFixed(2),
    String(Math.round(rate)),
    `${((100 * (sent - received)) / sent).toFixed(1)} %`,
    ...(mangled > 0 ? [`${mangled} cut short!`] : []),
    ...(disordered > 0 ? [`${disordered} out of order!`] : []),
  ];
}

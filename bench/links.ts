/**
 * What an impaired link costs in memory: nanoseconds of the event loop per frame, in and out again.
 *
 *     npx tsx bench/links.ts [ROUNDS]
 */
import { SeededRandom } from '../src/base/chance.ts';
import { Counters } from '../src/base/counters.ts';
import type { Millis, Scheduler, Timer } from '../src/base/time.ts';
import { countDrops } from '../src/link/drops.ts';
import type { FrameBatch } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import type { ImpairmentSpec } from '../src/link/impairment.ts';
import { Impairment } from '../src/link/impairment.ts';
import { machine, median, row } from './measure.ts';

const SIZES = [64, 1514, 9000];
const CHUNK_OCTETS = 128 * 1024;
const CHUNKS = 2000;
/** A tick of Node's timers. */
const TICK: Millis = 1;

const SPECS: readonly { readonly name: string; readonly spec: ImpairmentSpec }[] = [
  { name: 'loss 1 %', spec: { loss: 0.01 } },
  { name: 'delay 20 ms', spec: { delay: 20, limit: 100_000 } },
  { name: 'delay 20 ms, jitter 5 ms', spec: { delay: 20, jitter: 5, limit: 100_000 } },
  { name: 'rate 10 gbit', spec: { rate: 1e10, limit: 100_000 } },
];

/** A clock that ticks when it is told. */
class Ticks implements Scheduler {
  #now: Millis = 0;
  #due: Millis = Number.POSITIVE_INFINITY;
  #fire: () => void = () => undefined;

  now(): Millis {
    return this.#now;
  }

  timer(onFire: () => void): Timer {
    this.#fire = onFire;
    return { arm: (at) => this.#arm(at), cancel: () => this.#arm(Number.POSITIVE_INFINITY) };
  }

  tick(): void {
    this.#now += TICK;
    if (this.#due > this.#now) return;
    this.#arm(Number.POSITIVE_INFINITY);
    this.#fire();
  }

  #arm(at: Millis): void {
    this.#due = at;
  }
}

function measure(spec: ImpairmentSpec, size: number): number {
  const scheduler = new Ticks();
  const far = {
    frames: 0,
    push: (_batch: FrameBatch, first: number, end: number) => {
      far.frames += end - first;
    },
  };
  const drops = new Counters();
  const link = new Impairment(far, countDrops(drops), scheduler, () => new SeededRandom(1));
  link.update(spec);
  const perChunk = Math.floor(CHUNK_OCTETS / (size + 4));
  const chunk = batchOf(Array.from({ length: perChunk }, () => new Uint8Array(size)));
  const start = process.hrtime.bigint();
  for (let i = 0; i < CHUNKS; i++) {
    link.push(chunk, 0, perChunk);
    scheduler.tick();
  }
  const nanos = Number(process.hrtime.bigint() - start) / (CHUNKS * perChunk);
  const seen = far.frames + drops.get('link-loss') + link.waiting;
  if (seen !== CHUNKS * perChunk) throw new Error(`${CHUNKS * perChunk - seen} frames were lost by more than chance`);
  return nanos;
}

const rounds = Number(process.argv[2] ?? 5);
console.log(machine());
console.log(`${rounds} rounds; ns per frame, median (min)\n`);
const widths = [26, ...SIZES.map(() => 16)];
console.log(row(['', ...SIZES.map((size) => `${size} octets`)], widths));
const cells = SPECS.map(({ spec }) => SIZES.map((size) => ({ spec, size, taken: [] as number[] })));
for (let round = 0; round <= rounds; round++) {
  for (const { spec, size, taken } of cells.flat()) {
    const nanos = measure(spec, size);
    if (round > 0) taken.push(nanos); // the first round warms up
  }
}
for (const [i, { name }] of SPECS.entries()) {
  const shown = cells[i]!.map(({ taken }) => `${median(taken).toFixed(0)} (${Math.min(...taken).toFixed(0)})`);
  console.log(row([name, ...shown], widths));
}

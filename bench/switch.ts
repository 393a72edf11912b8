/**
 * The hot path in memory: framing, port, switch, port; no sockets. Nanoseconds of the event loop per frame.
 *
 *     npx tsx bench/switch.ts [ROUNDS]
 */
import { Counters } from '../src/base/counters.ts';
import { nodeScheduler } from '../src/host/clock.ts';
import { LearningSwitch } from '../src/lan/learning-switch.ts';
import { countDrops } from '../src/link/drops.ts';
import type { FrameBatch, FrameSink } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { Jack } from '../src/link/jack.ts';
import type { Port } from '../src/link/port.ts';
import { StreamFraming } from '../src/link/stream-framing.ts';
import { emitEthernet } from '../src/wire/ethernet.ts';
import { BROADCAST_MAC } from '../src/wire/mac.ts';
import { machine, median, row } from './measure.ts';

const SENDER = 0x525400be0c00;
const SIZES = [64, 1514, 9000, 65000];
/** What a read brings when the sender is ahead. */
const CHUNK_OCTETS = 128 * 1024;
const MEASURE_MILLIS = 300;

const SCENARIOS: readonly { name: string; to: (frame: number) => number }[] = [
  { name: 'one destination', to: () => SENDER + 1 },
  { name: 'three, alternating', to: (frame) => SENDER + 1 + (frame % 3) },
  { name: 'flood to three', to: () => BROADCAST_MAC },
];

function measureAll(rounds: number): void {
  console.log(machine());
  console.log(`${rounds} rounds; ns per frame, median (min)\n`);
  const widths = [20, ...SIZES.map(() => 16)];
  console.log(row(['', ...SIZES.map((size) => `${size} octets`)], widths));
  const cells = SCENARIOS.map(({ to }) => SIZES.map((size) => ({ path: new Path(to, size), taken: [] as number[] })));
  for (let round = 0; round <= rounds; round++) {
    for (const { path, taken } of cells.flat()) {
      const nanos = path.measure();
      if (round > 0) taken.push(nanos); // the first round warms up
    }
  }
  for (const [i, { name }] of SCENARIOS.entries()) {
    const shown = cells[i]!.map(({ taken }) => `${median(taken).toFixed(0)} (${Math.min(...taken).toFixed(0)})`);
    console.log(row([name, ...shown], widths));
  }
}

/** Keeps what the switch did from being optimised away. */
class Machine implements Port {
  readonly queued = 0;
  frames = 0;
  last = 0;
  #receiver: FrameSink | undefined;

  push(batch: FrameBatch, first: number, end: number): void {
    this.frames += end - first;
    this.last ^= batch.bytes[batch.ends[end - 1]! - 1]!;
  }

  attach(receiver: FrameSink): void {
    this.#receiver = receiver;
  }

  detach(): void {}

  receive(batch: FrameBatch, first: number, end: number): void {
    this.#receiver!.push(batch, first, end);
  }
}

/** A sender, three receivers, and a chunk of the sender's frames that is read again and again. */
class Path {
  readonly #machines = [new Machine(), new Machine(), new Machine(), new Machine()];
  readonly #framing: StreamFraming;
  readonly #chunkOctets: number;
  readonly #chunkFrames: number;

  constructor(to: (frame: number) => number, size: number) {
    const drops = countDrops(new Counters());
    const lan = new LearningSwitch(nodeScheduler, drops);
    for (const [i, machine] of this.#machines.entries()) {
      const jack = new Jack(`vm${i}`);
      jack.connect(machine);
      lan.plug(jack);
      machine.receive(batchOf([frame(BROADCAST_MAC, SENDER + i, 64)]), 0, 1);
    }
    const sender = this.#machines[0]!;
    this.#framing = new StreamFraming({ push: (batch, first, end) => sender.receive(batch, first, end) }, drops, () => {
      throw new Error('the bench breaks the framing');
    });
    this.#chunkFrames = Math.floor(CHUNK_OCTETS / (size + 4));
    const chunk = batchOf(Array.from({ length: this.#chunkFrames }, (_, i) => frame(to(i), SENDER, size)));
    this.#chunkOctets = chunk.bytes.length;
    this.#framing.space().set(chunk.bytes);
  }

  /** Whole frames leave the framing's buffer as it was: the octets need not be written again. */
  measure(): number {
    const before = this.#frames();
    let sent = 0;
    const start = process.hrtime.bigint();
    const end = start + BigInt(MEASURE_MILLIS) * 1_000_000n;
    while (process.hrtime.bigint() < end) {
      for (let i = 0; i < 16; i++) this.#framing.received(this.#chunkOctets);
      sent += 16 * this.#chunkFrames;
    }
    const nanos = Number(process.hrtime.bigint() - start) / sent;
    const arrived = this.#frames() - before;
    if (arrived < sent) throw new Error(`${sent - arrived} frames were lost in memory`);
    return nanos;
  }

  #frames(): number {
    return this.#machines.reduce((sum, { frames }) => sum + frames, 0);
  }
}

function frame(to: number, from: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  emitEthernet(bytes, 0, to, from, 0x88b5);
  return bytes;
}

measureAll(Number(process.argv[2] ?? 5));
process.exit(); // the switches' timers run for minutes

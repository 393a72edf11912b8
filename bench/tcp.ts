/**
 * TCP in memory: two stacks on one wire, a stream from one to the other; and the checksum. No sockets, no switch.
 *
 *     npx tsx bench/tcp.ts [ROUNDS]
 *
 * A segment's price is that of both ends: cut, summed and framed by one, summed, judged and handed on by the other, and its share
 * of the acknowledgments.
 */
import { sumWords } from '../src/base/checksum.ts';
import { nodeRandom, nodeScheduler } from '../src/host/clock.ts';
import { FrameBatch } from '../src/link/frame-batch.ts';
import { Stack } from '../src/stack/stack.ts';
import { LARGEST_SHARE } from '../src/stack/tcp/send-budget.ts';
import type { TcpConnection, TcpEvents } from '../src/stack/tcp-layer.ts';
import { machine, median, row } from './measure.ts';

const MTUS = [1500, 9000, 65_000];
const CHECKSUM_LENGTHS = [64, 1460, 8960, 65_000];
const MEASURE_MILLIS = 400;
const PORT = 9;
/** More than a stack pushes at a time. */
const BUFFER_LENGTH = 512 * 1024;
const CHUNK = new Uint8Array(64 * 1024).fill(7);

function measureAll(rounds: number): void {
  console.log(machine());
  console.log(`${rounds} rounds, median (best)\n`);
  const widths = [10, 20, 20, 20];
  console.log(row(['MTU', 'CPU ns per segment', 'CPU s per GB'], widths));
  for (const mtu of MTUS) {
    const path = new Path(mtu);
    path.measure(); // warms up
    const taken = Array.from({ length: rounds }, () => path.measure());
    const perSegment = taken.map(({ nanos, segments }) => nanos / segments);
    const perOctet = taken.map(({ nanos, octets }) => nanos / octets);
    console.log(row([mtu, shown(perSegment, 0), shown(perOctet, 2)], widths));
  }
  console.log(`\n${row(['octets', 'checksum ns', 'GB/s'], widths)}`);
  for (const length of CHECKSUM_LENGTHS) {
    const taken = Array.from({ length: rounds + 1 }, () => checksum(length)).slice(1);
    const best = Math.min(...taken);
    console.log(row([length, `${median(taken).toFixed(0)} (${best.toFixed(0)})`, (length / best).toFixed(1)], widths));
  }
}

function shown(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)})`;
}

interface Result {
  readonly nanos: number;
  readonly segments: number;
  readonly octets: number;
}

/** A sender that never runs dry, a receiver that uses up at once, and frames that wait for their turn between them. */
class Path {
  readonly #waiting: { readonly to: Stack; readonly batch: FrameBatch }[] = [];
  readonly #free: FrameBatch[] = [];
  readonly #left: Stack;
  readonly #right: Stack;
  #octets = 0;
  #segments = 0;

  constructor(mtu: number) {
    this.#left = this.#stack(mtu, 1);
    this.#right = this.#stack(mtu, 2);
    this.#join(this.#left, this.#right);
    this.#join(this.#right, this.#left);
    this.#right.tcp.listen(PORT, (request) => {
      const sink: TcpConnection = request.accept({
        ...SILENT,
        received: (bytes) => {
          this.#octets += bytes.length;
          sink.consumed(bytes.length);
        },
      });
    });
    const fill = () => {
      while (source.unacknowledged < LARGEST_SHARE) source.send(CHUNK);
    };
    const source: TcpConnection = this.#left.tcp.connect(endpoint(1, 0), endpoint(2, PORT), {
      ...SILENT,
      opened: fill,
      drained: fill,
    });
  }

  #stack(mtu: number, host: number): Stack {
    const stack = new Stack({ mac: 0x5254_0000_0000 + host, mtu, scheduler: nodeScheduler, random: nodeRandom });
    stack.configure({ interface: { address: 0x0a00_0000 + host, prefixLength: 24 } });
    return stack;
  }

  #join(from: Stack, to: Stack): void {
    from.attach({
      push: (batch, first, end) => {
        if (from === this.#left) this.#segments += end - first;
        this.#waiting.push({ to, batch: this.#copy(batch, first, end) });
      },
    });
  }

  /** By the processor's clock: others share the machine. */
  measure(): Result {
    const octets = this.#octets;
    const segments = this.#segments;
    const before = process.cpuUsage();
    const end = performance.now() + MEASURE_MILLIS;
    while (performance.now() < end) {
      for (let i = 0; i < 32; i++) this.#step();
    }
    const { user, system } = process.cpuUsage(before);
    return { nanos: (user + system) * 1000, segments: this.#segments - segments, octets: this.#octets - octets };
  }

  #step(): void {
    const next = this.#waiting.shift();
    if (next === undefined) throw new Error('the stream has come to a halt');
    next.to.push(next.batch, 0, next.batch.count);
    next.batch.reset(next.batch.bytes);
    this.#free.push(next.batch);
  }

  /** Frames wait as copies in buffers that are used again. */
  #copy(batch: FrameBatch, first: number, end: number): FrameBatch {
    const copy = this.#free.pop() ?? new FrameBatch(new Uint8Array(BUFFER_LENGTH));
    const from = batch.starts[first]!;
    copy.bytes.set(batch.bytes.subarray(from, batch.ends[end - 1]!));
    for (let i = first; i < end; i++) copy.add(batch.starts[i]! - from, batch.ends[i]! - from);
    return copy;
  }
}

const SILENT: TcpEvents = {
  opened: () => undefined,
  received: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: (how) => {
    throw new Error(`the bench's connection ended: ${how}`);
  },
};

function endpoint(host: number, port: number) {
  return { address: Uint8Array.of(10, 0, 0, host), port };
}

/** Nanoseconds for one sum, at changing alignment. */
function checksum(length: number): number {
  const bytes = new Uint8Array(length + 64).fill(0xa5);
  const repetitions = Math.ceil(1e8 / length);
  let sum = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < repetitions; i++) sum += sumWords(bytes, (i & 31) * 2, (i & 31) * 2 + length);
  const { user, system } = process.cpuUsage(before);
  const nanos = ((user + system) * 1000) / repetitions;
  if (sum === 0) throw new Error('the sums were optimised away');
  return nanos;
}

measureAll(Number(process.argv[2] ?? 5));
process.exit(0);

/** Two stacks on one wire in memory, and a stream from one to the other that never runs dry. */
import { nodeRandom, nodeScheduler } from '../src/host/clock.ts';
import { FrameBatch } from '../src/link/frame-batch.ts';
import { Stack } from '../src/stack/stack.ts';
import { LARGEST_SHARE } from '../src/stack/tcp/send-budget.ts';
import type { TcpConnection, TcpEvents } from '../src/stack/tcp-layer.ts';

const PORT = 9;
/** More than a stack pushes at a time. */
const BUFFER_LENGTH = 512 * 1024;
const CHUNK = new Uint8Array(64 * 1024).fill(7);

export interface TcpResult {
  readonly nanos: number;
  readonly segments: number;
  readonly octets: number;
}

type Family = 'IPv4' | 'IPv6';

/** A sender that never runs dry, a receiver that uses up at once, and frames that wait for their turn between them. */
export class TcpPair {
  readonly #waiting: { readonly to: Stack; readonly batch: FrameBatch }[] = [];
  readonly #free: FrameBatch[] = [];
  readonly #left: Stack;
  readonly #right: Stack;
  #octets = 0;
  #segments = 0;
  #sending = 0;
  #receiving = 0;

  constructor(mtu: number, family: Family = 'IPv4') {
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
    const source: TcpConnection = this.#left.tcp.connect(endpoint(family, 1, 0), endpoint(family, 2, PORT), {
      ...SILENT,
      opened: fill,
      drained: fill,
    });
  }

  #stack(mtu: number, host: number): Stack {
    const stack = new Stack({ mac: 0x5254_0000_0000 + host, mtu, scheduler: nodeScheduler, random: nodeRandom });
    stack.configure({
      interface: { address: 0x0a00_0000 + host, prefixLength: 24 },
      ipv6: { interface: { address: endpoint('IPv6', host, 0).address, prefixLength: 64 } },
    });
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
  measure(millis: number): TcpResult {
    const octets = this.#octets;
    const segments = this.#segments;
    const before = process.cpuUsage();
    const end = performance.now() + millis;
    while (performance.now() < end) {
      for (let i = 0; i < 32; i++) this.#step();
    }
    const { user, system } = process.cpuUsage(before);
    return { nanos: (user + system) * 1000, segments: this.#segments - segments, octets: this.#octets - octets };
  }

  /** Nanoseconds of each side per segment; the sender's are those for the acknowledgments that let it go on. */
  sides(millis: number): { readonly sending: number; readonly receiving: number } {
    this.#sending = 0;
    this.#receiving = 0;
    const { segments } = this.measure(millis);
    return { sending: (this.#sending * 1e6) / segments, receiving: (this.#receiving * 1e6) / segments };
  }

  #step(): void {
    const next = this.#waiting.shift();
    if (next === undefined) throw new Error('the stream has come to a halt');
    const began = performance.now();
    next.to.push(next.batch, 0, next.batch.count);
    const took = performance.now() - began;
    if (next.to === this.#left) this.#sending += took;
    else this.#receiving += took;
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

function endpoint(family: Family, host: number, port: number) {
  const octets = family === 'IPv4' ? [10, 0, 0] : [0xfd, ...new Array<number>(14).fill(0)];
  return { address: Uint8Array.of(...octets, host), port };
}

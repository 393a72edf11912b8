import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Lender } from '../../src/base/loan.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { TcpConnection, TcpEnd, TcpEvents } from '../../src/stack/tcp-layer.ts';
import { A, B } from './frames.ts';
import { ManualScheduler } from './manual-scheduler.ts';
import { ip, OURS, octets, PEER } from './stack-peer.ts';

/** What a link does to the frames of each direction; probabilities from 0 to 1, times in milliseconds. */
export interface LinkSpec {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly duplicate?: number;
}

/** Two stacks, 10.0.0.1 and 10.0.0.2, on a link that may lose, delay, reorder and duplicate; all by one seed. */
export class TcpLink {
  readonly scheduler = new ManualScheduler();
  readonly left: Stack;
  readonly right: Stack;
  frames = 0;
  lost = 0;
  readonly #spec: Required<LinkSpec>;
  readonly #random: Random;

  constructor(spec: LinkSpec = {}, { mtu = 1500, seed = 1 } = {}) {
    this.#spec = { delay: 1, jitter: 0, loss: 0, duplicate: 0, ...spec };
    this.#random = new SeededRandom(seed);
    this.left = new Stack({ mac: A, mtu, scheduler: this.scheduler, random: new SeededRandom(seed + 1) });
    this.right = new Stack({ mac: B, mtu, scheduler: this.scheduler, random: new SeededRandom(seed + 2) });
    this.#join(this.left, this.right);
    this.#join(this.right, this.left);
    this.left.configure({ interface: { address: OURS, prefixLength: 24 } });
    this.right.configure({ interface: { address: PEER, prefixLength: 24 } });
  }

  #join(from: Stack, to: Stack): void {
    from.attach({
      push: (batch, first, end) => {
        const together: Uint8Array[] = [];
        for (let i = first; i < end; i++) {
          this.frames++;
          if (this.#random.next() < this.#spec.loss) {
            this.lost++;
            continue;
          }
          const copies = this.#random.next() < this.#spec.duplicate ? 2 : 1;
          for (let copy = 0; copy < copies; copy++) {
            if (this.#spec.jitter === 0) together.push(sliceOf(batch, i));
            else this.#deliver(to, [sliceOf(batch, i)], this.#random.next() * this.#spec.jitter);
          }
        }
        if (together.length > 0) this.#deliver(to, together, 0);
      },
    });
  }

  #deliver(to: Stack, frames: readonly Uint8Array[], extra: number): void {
    const timer = this.scheduler.timer(() => to.push(batchOf(frames), 0, frames.length));
    timer.arm(this.scheduler.now() + this.#spec.delay + extra);
  }
}

export const LEFT = (port: number): Endpoint => ({ address: octets('10.0.0.1'), port });
export const RIGHT = (port: number): Endpoint => ({ address: octets('10.0.0.2'), port });
export { ip };

/** Hears a connection's events, keeps what came, and uses it up at once unless it is told to be slow. */
export class Ear implements TcpEvents {
  readonly said: string[] = [];
  readonly pieces: Uint8Array[] = [];
  octets = 0;
  connection: TcpConnection | undefined;
  isSlow = false;
  end: TcpEnd | undefined;
  onReceived: ((bytes: Uint8Array, lender: Lender) => void) | undefined;
  onEnded: (() => void) | undefined;
  onDrained: (() => void) | undefined;
  onOpened: (() => void) | undefined;

  opened(): void {
    this.said.push('opened');
    this.onOpened?.();
  }

  received(bytes: Uint8Array, lender: Lender): void {
    this.pieces.push(bytes.slice());
    this.octets += bytes.length;
    this.onReceived?.(bytes, lender);
    if (!this.isSlow) this.connection?.consumed(bytes.length);
  }

  ended(): void {
    this.said.push('ended');
    this.onEnded?.();
  }

  drained(): void {
    this.onDrained?.();
  }

  closed(how: TcpEnd): void {
    this.said.push(how);
    this.end = how;
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.octets);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

/** Octets that differ wherever they are cut: a pseudo-random stream. */
export function stream(length: number, seed = 7): Uint8Array {
  const random = new SeededRandom(seed);
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = random.next() * 0x1_0000_0000;
  return bytes;
}

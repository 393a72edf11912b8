/**
 * A LAN is one broadcast domain that ports plug into: a hub repeats every frame to all other ports, a switch learns where
 * stations are.
 *
 * A station on the LAN may answer a frame while that frame is still being forwarded. Its answer waits its turn, and is
 * forwarded before the outer call returns: a LAN is never entered twice, and no chain of answers deepens the call stack.
 */
import type { Loan } from '../base/loan.ts';
import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { copyOf, octetsOf, sameBytes } from '../link/frame-batch.ts';
import type { Port } from '../link/port.ts';

export interface Lan {
  readonly kind: 'hub' | 'switch';
  plug(port: Port): void;
  /** The port's frames come no more; its stations are forgotten. */
  unplug(port: Port): void;
}

/** Queues on the LAN are empty again, which may be what stations on it wait for. */
export function tellOfRoom(ports: readonly Port[]): void {
  for (const port of ports) port.roomElsewhere?.();
}

/** Octets of answers that may wait while one chunk is forwarded. */
const BACKLOG_LIMIT = 4 * 1024 * 1024;
/** Answers from this length on wait where they lie. */
const RETAINED_OCTETS = 4096;

/** Lets chunks through to `forward` one after the other. */
export class Turnstile {
  readonly #forward: (from: Port, batch: FrameBatch, first: number, end: number) => void;
  readonly #drops: DropSink;
  readonly #waiting: Waiting[] = [];
  #waitingOctets = 0;
  #isBusy = false;
  #hasWaited = false;
  readonly #onIdle: () => void;

  /** `onIdle` is called when everything that had to wait is forwarded. */
  constructor(
    forward: (from: Port, batch: FrameBatch, first: number, end: number) => void,
    drops: DropSink,
    onIdle: () => void = () => undefined,
  ) {
    this.#forward = forward;
    this.#drops = drops;
    this.#onIdle = onIdle;
  }

  /** Octets that wait for their turn. */
  get waiting(): number {
    return this.#waitingOctets;
  }

  /** Frames from `from` go to `forward`, now or when their turn comes. */
  enter(from: Port, batch: FrameBatch, first: number, end: number): void {
    if (end === first) return;
    if (this.#isBusy) {
      this.#wait(from, batch, first, end);
      return;
    }
    this.#isBusy = true;
    try {
      this.#forward(from, batch, first, end);
      this.#forwardWaiting();
      while (this.#hasWaited) {
        this.#hasWaited = false;
        this.#onIdle();
        this.#forwardWaiting();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #forwardWaiting(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingOctets -= octetsOf(next.batch, 0, next.batch.count);
      this.#forward(next.from, next.batch, 0, next.batch.count);
      giveBack(next);
    }
  }

  #wait(from: Port, batch: FrameBatch, first: number, end: number): void {
    const octets = octetsOf(batch, first, end);
    if (this.#waitingOctets + octets > BACKLOG_LIMIT) {
      this.#drops.dropped('lan-backlog', batch, first, end);
      return;
    }
    this.#hasWaited = true;
    this.#waitingOctets += octets;
    // Few octets are copied, or they would hold a whole buffer.
    if (octets < RETAINED_OCTETS) this.#waiting.push({ from, batch: copyOf(batch, first, end), loan: undefined });
    else this.#waiting.push({ from, batch: sameBytes(batch, first, end), loan: batch.retain() });
  }
}

interface Waiting {
  readonly from: Port;
  readonly batch: FrameBatch;
  /** Of the bytes, where they are their owner's. */
  readonly loan: Loan | undefined;
}

/** The bytes are their owner's again, when whoever retained them on the way has released them. */
function giveBack({ batch, loan }: Waiting): void {
  if (loan === undefined) return;
  if (batch.loan === undefined) loan.release();
  else batch.loan.reclaim(() => loan.release());
}

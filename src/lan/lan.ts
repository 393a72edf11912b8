/**
 * A LAN is one broadcast domain that ports plug into: a hub repeats every frame to all other ports, a switch learns where
 * stations are.
 *
 * A station on the LAN may answer a frame while that frame is still being forwarded. Its answer waits its turn, as a copy, and is
 * forwarded before the outer call returns: a LAN is never entered twice, and no chain of answers deepens the call stack.
 */
import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { copyOf, octetsOf } from '../link/frame-batch.ts';
import type { Port } from '../link/port.ts';

export interface Lan {
  readonly kind: 'hub' | 'switch';
  plug(port: Port): void;
  /** The port's frames come no more; its stations are forgotten. */
  unplug(port: Port): void;
}

/** The queue of `port` is empty again, which may be what a station on another port waits for. */
export function tellOthers(ports: readonly Port[], port: Port): void {
  for (const other of ports) if (other !== port) other.roomElsewhere?.();
}

/** Octets of answers that may wait while one chunk is forwarded. */
const BACKLOG_LIMIT = 4 * 1024 * 1024;

/** Lets chunks through to `forward` one after the other. */
export class Turnstile {
  readonly #forward: (from: Port, batch: FrameBatch, first: number, end: number) => void;
  readonly #drops: DropSink;
  readonly #waiting: { readonly from: Port; readonly batch: FrameBatch }[] = [];
  #waitingOctets = 0;
  #isBusy = false;

  constructor(forward: (from: Port, batch: FrameBatch, first: number, end: number) => void, drops: DropSink) {
    this.#forward = forward;
    this.#drops = drops;
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
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#waitingOctets -= octetsOf(next.batch, 0, next.batch.count);
        this.#forward(next.from, next.batch, 0, next.batch.count);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #wait(from: Port, batch: FrameBatch, first: number, end: number): void {
    const octets = octetsOf(batch, first, end);
    if (this.#waitingOctets + octets > BACKLOG_LIMIT) {
      this.#drops.dropped('lan-backlog', batch, first, end);
      return;
    }
    this.#waitingOctets += octets;
    this.#waiting.push({ from, batch: copyOf(batch, first, end) });
  }
}

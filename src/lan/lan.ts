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

/** Queues on the LAN are empty again, which may be what stations on it wait for. */
export function tellOfRoom(ports: readonly Port[]): void {
  for (const port of ports) port.roomElsewhere?.();
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
    this.#waiting.push({ from, batch: copyOf(batch, first, end) });
  }
}

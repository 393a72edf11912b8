import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import type { Port } from '../link/port.ts';
import type { Lan } from './lan.ts';
import { Turnstile, tellOfRoom } from './lan.ts';

/** Repeats what comes in on one port to all others, as a repeater does: no addresses, no memory. */
export class Hub implements Lan {
  readonly kind = 'hub';
  readonly #turnstile: Turnstile;
  #ports: readonly Port[] = [];

  constructor(drops: DropSink) {
    this.#turnstile = new Turnstile(
      (from, batch, first, end) => this.#repeat(from, batch, first, end),
      drops,
      () => tellOfRoom(this.#ports),
    );
  }

  plug(port: Port): void {
    this.#ports = [...this.#ports, port];
    port.attach({
      push: (batch, first, end) => this.#turnstile.enter(port, batch, first, end),
      drained: () => tellOfRoom(this.#ports),
      egress: { queuedTowards: () => this.#turnstile.waiting + this.#shortestQueue(port) },
    });
  }

  unplug(port: Port): void {
    port.detach();
    this.#ports = this.#ports.filter((other) => other !== port);
  }

  /** A hub does not know who is where. The shortest queue never makes a station wait for a machine that it does not talk to. */
  #shortestQueue(from: Port): number {
    let shortest = Number.POSITIVE_INFINITY;
    for (const port of this.#ports) if (port !== from) shortest = Math.min(shortest, port.queued);
    return shortest === Number.POSITIVE_INFINITY ? 0 : shortest;
  }

  #repeat(from: Port, batch: FrameBatch, first: number, end: number): void {
    const ports = this.#ports;
    for (let i = 0; i < ports.length; i++) if (ports[i] !== from) ports[i]!.push(batch, first, end);
  }
}

import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import type { Port } from '../link/port.ts';
import type { Lan } from './lan.ts';
import { Turnstile } from './lan.ts';

/** Repeats what comes in on one port to all others, as a repeater does: no addresses, no memory. */
export class Hub implements Lan {
  readonly kind = 'hub';
  readonly #turnstile: Turnstile;
  #ports: readonly Port[] = [];

  constructor(drops: DropSink) {
    this.#turnstile = new Turnstile((from, batch, first, end) => this.#repeat(from, batch, first, end), drops);
  }

  plug(port: Port): void {
    this.#ports = [...this.#ports, port];
    port.attach({ push: (batch, first, end) => this.#turnstile.enter(port, batch, first, end) });
  }

  unplug(port: Port): void {
    port.detach();
    this.#ports = this.#ports.filter((other) => other !== port);
  }

  #repeat(from: Port, batch: FrameBatch, first: number, end: number): void {
    const ports = this.#ports;
    for (let i = 0; i < ports.length; i++) if (ports[i] !== from) ports[i]!.push(batch, first, end);
  }
}

/**
 * A named place on a LAN, what users call a port: `web:lan`, `vm1`, `lan:gateway`.
 *
 * The jack stays when the machine behind it leaves; it counts, lets captures listen and bounds the queue towards the machine.
 *
 *     machine's Port ──from-guest──> meter -> probes -> [impairment] -> LAN
 *     machine's Port <──to-guest──── meter <- probes <- queue limit <- [impairment] <- LAN
 *
 * What impairs a direction is in its way only while there is something to impair.
 */
import { Counters } from '../base/counters.ts';
import type { Mac } from '../wire/mac.ts';
import type { DropReason, DropSink } from './drops.ts';
import type { FrameBatch, FrameSink } from './frame-batch.ts';
import { octetsOf } from './frame-batch.ts';
import type { Impairment } from './impairment.ts';
import type { Port, PortReceiver } from './port.ts';
import type { Direction, Probe } from './probe.ts';

/** Octets that may wait for a machine that reads slowly; what comes then is dropped as `egress-full`. */
const EGRESS_LIMIT = 256 * 1024;

export interface Traffic {
  frames: number;
  octets: number;
}

export class Jack implements Port, DropSink {
  readonly name: string;
  /** The address that the machine's card was given; undefined where anyone may plug in. */
  readonly mac: Mac | undefined;
  readonly fromGuest: Traffic = { frames: 0, octets: 0 };
  readonly toGuest: Traffic = { frames: 0, octets: 0 };
  readonly drops = new Counters();
  readonly #egressLimit: number;
  readonly #inward: PortReceiver;
  #probes: readonly Probe[] = [];
  #machine: Port | undefined;
  #lan: PortReceiver | undefined;
  #inwardImpairment: Impairment | undefined;
  #outwardImpairment: Impairment | undefined;
  /** Where frames go on behind what impairs them. */
  readonly beyond: Readonly<Record<Direction, FrameSink>> = {
    'from-guest': { push: (batch, first, end) => this.#lan?.push(batch, first, end) },
    'to-guest': { push: (batch, first, end) => this.#deliver(batch, first, end) },
  };

  constructor(name: string, mac?: Mac, egressLimit = EGRESS_LIMIT) {
    this.name = name;
    this.mac = mac;
    this.#egressLimit = egressLimit;
    const lan = () => this.#lan;
    this.#inward = {
      push: (batch, first, end) => this.#receive(batch, first, end),
      drained: () => lan()?.drained?.(),
      get egress() {
        return lan()?.egress;
      },
    };
  }

  get isConnected(): boolean {
    return this.#machine !== undefined;
  }

  get queued(): number {
    return this.#machine?.queued ?? 0;
  }

  /** The machine is here. */
  connect(machine: Port): void {
    this.#machine = machine;
    machine.attach(this.#inward);
  }

  /** The machine is gone, and so is what is under way. */
  disconnect(): void {
    this.#inwardImpairment?.clear('port-closing');
    this.#outwardImpairment?.clear('port-closing');
    this.#machine?.detach();
    this.#machine = undefined;
  }

  /** From now on frames of this direction pass through `impairment`, which leads to `beyond`; undefined: nothing is in their way. */
  impair(direction: Direction, impairment: Impairment | undefined): void {
    if (direction === 'from-guest') this.#inwardImpairment = impairment;
    else this.#outwardImpairment = impairment;
  }

  attach(receiver: PortReceiver): void {
    this.#lan = receiver;
  }

  detach(): void {
    this.#lan = undefined;
  }

  roomElsewhere(): void {
    this.#machine?.roomElsewhere?.();
  }

  listen(probe: Probe): void {
    this.#probes = [...this.#probes, probe];
  }

  silence(probe: Probe): void {
    this.#probes = this.#probes.filter((other) => other !== probe);
  }

  push(batch: FrameBatch, first: number, end: number): void {
    if (this.#outwardImpairment === undefined) this.#deliver(batch, first, end);
    else this.#outwardImpairment.push(batch, first, end);
  }

  dropped(reason: DropReason, _batch: FrameBatch, first: number, end: number): void {
    this.drops.add(reason, end - first);
  }

  #receive(batch: FrameBatch, first: number, end: number): void {
    this.#observe('from-guest', this.fromGuest, batch, first, end);
    if (this.#inwardImpairment === undefined) this.#lan?.push(batch, first, end);
    else this.#inwardImpairment.push(batch, first, end);
  }

  #deliver(batch: FrameBatch, first: number, end: number): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    if (machine.queued >= this.#egressLimit) {
      this.dropped('egress-full', batch, first, end);
      return;
    }
    this.#observe('to-guest', this.toGuest, batch, first, end);
    machine.push(batch, first, end);
  }

  #observe(direction: Direction, traffic: Traffic, batch: FrameBatch, first: number, end: number): void {
    traffic.frames += end - first;
    traffic.octets += octetsOf(batch, first, end);
    const probes = this.#probes; // a probe may silence itself
    for (let i = 0; i < probes.length; i++) probes[i]!.hear(direction, batch, first, end);
  }
}

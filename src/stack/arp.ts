/**
 * Address Resolution Protocol as a station speaks it: answers for its addresses, asks for its neighbours' (RFC 826), probes for
 * and defends addresses (RFC 5227).
 *
 * What is believed: a request for one of our addresses tells where its sender is (an answer to it will be wanted); any other
 * message only updates what is known or asked already. Never believed: a group MAC, our own MAC or address, an address that no
 * neighbour can have, the zero address of a probe.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import type { ArpMessage } from '../wire/arp.ts';
import { ARP_LENGTH, emitArp, parseArp } from '../wire/arp.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_ARP, emitEthernet } from '../wire/ethernet.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { BROADCAST_MAC, isGroupMac } from '../wire/mac.ts';
import type { Addressing } from './addressing.ts';
import { Neighbours } from './neighbours.ts';
import type { Transmitter } from './transmitter.ts';

/** RFC 5227, 2.4: DEFEND_INTERVAL. */
const DEFEND_INTERVAL: Millis = 10_000;

const FRAME_LENGTH = ETHERNET_HEADER_LENGTH + ARP_LENGTH;

export interface ArpProbeOptions {
  /** Requests that are sent before the address counts as free. */
  readonly attempts: number;
  /** Time for an answer to each. */
  readonly interval: Millis;
}

/** What ARP offers to the users of a stack. */
export interface AddressResolution {
  /** Asks whether anybody has `address` or is about to take it; `on` hears the owner at once, or undefined when all requests stayed unanswered. */
  probe(address: Ipv4, options: ArpProbeOptions, on: (owner: Mac | undefined) => void): void;
  /** Tells everybody where the stack's own addresses are. */
  announce(): void;
  /** Who has the address, as far as the neighbour table knows. */
  owner(address: Ipv4): Mac | undefined;
  /** How often another station claimed one of our addresses. */
  readonly conflicts: number;
}

interface Probe {
  readonly address: Ipv4;
  readonly timer: Timer;
  readonly on: (owner: Mac | undefined) => void;
}

export class Arp implements AddressResolution {
  readonly #scheduler: Scheduler;
  readonly #transmitter: Transmitter;
  readonly #addressing: Addressing;
  readonly #drops: DropSink;
  readonly neighbours: Neighbours<Ipv4>;
  readonly #probes = new Set<Probe>();
  readonly #defendedAt = new Map<Ipv4, Millis>();
  #conflicts = 0;

  constructor(
    scheduler: Scheduler,
    transmitter: Transmitter,
    addressing: Addressing,
    drops: DropSink,
    onUnreachable: (frames: readonly Uint8Array[]) => void,
  ) {
    this.#scheduler = scheduler;
    this.#transmitter = transmitter;
    this.#addressing = addressing;
    this.#drops = drops;
    this.neighbours = new Neighbours(scheduler, transmitter, drops, {
      probeDelay: 0,
      solicit: (address, lastKnown) => this.#request(this.#addressing.first, address, lastKnown ?? BROADCAST_MAC),
      unreachable: (_address, frames) => onUnreachable(frames),
    });
  }

  get conflicts(): number {
    return this.#conflicts;
  }

  owner(address: Ipv4): Mac | undefined {
    return this.neighbours.find(address);
  }

  announce(): void {
    this.#transmitter.during(() => {
      for (const address of this.#addressing.own) this.#request(address, address, BROADCAST_MAC);
    });
  }

  probe(address: Ipv4, { attempts, interval }: ArpProbeOptions, on: (owner: Mac | undefined) => void): void {
    let sent = 0;
    const next = (): void => {
      if (sent === attempts) {
        this.#probes.delete(probe);
        on(this.#addressing.isOwn(address) ? this.#transmitter.mac : undefined);
        return;
      }
      sent++;
      probe.timer.arm(this.#scheduler.now() + interval);
      this.#request(0, address, BROADCAST_MAC);
    };
    const probe: Probe = { address, on, timer: this.#scheduler.timer(() => this.#transmitter.during(next)) };
    this.#probes.add(probe);
    this.#transmitter.during(next);
  }

  /** Takes frame `index`, whose EtherType is ARP. */
  receive(batch: FrameBatch, index: number): void {
    const message = parseArp(batch.bytes, batch.starts[index]! + ETHERNET_HEADER_LENGTH, batch.ends[index]!);
    if (typeof message === 'string' || message.senderMac === 0 || isGroupMac(message.senderMac)) {
      this.#drops.dropped('arp-malformed', batch, index, index + 1);
      return;
    }
    // Our own words, brought back by a loop in the network.
    if (message.senderMac === this.#transmitter.mac) return;
    this.#answerProbes(message);
    if (this.#addressing.isOwn(message.senderAddress)) {
      this.#conflicts++;
      this.#defend(message.senderAddress);
      return;
    }
    const isForUs = message.operation === 'request' && this.#addressing.isOwn(message.targetAddress);
    this.#learn(message, isForUs);
    if (isForUs) this.#reply(message);
  }

  /** RFC 5227, 2.1.1: the address is taken by who speaks with it, and contested by who probes for it too. */
  #answerProbes(message: ArpMessage): void {
    const isProbe = message.operation === 'request' && message.senderAddress === 0;
    const claimed = isProbe ? message.targetAddress : message.senderAddress;
    for (const probe of [...this.#probes]) {
      if (probe.address !== claimed || !this.#probes.delete(probe)) continue;
      probe.timer.cancel();
      probe.on(message.senderMac);
    }
  }

  /** RFC 5227, 2.4 (c): the address is kept; the network hears of it, but not more often than once per interval. */
  #defend(address: Ipv4): void {
    const now = this.#scheduler.now();
    const last = this.#defendedAt.get(address) ?? Number.NEGATIVE_INFINITY;
    if (now - last < DEFEND_INTERVAL) return;
    this.#defendedAt.set(address, now);
    this.#request(address, address, BROADCAST_MAC);
  }

  #learn({ senderAddress, senderMac }: ArpMessage, isForUs: boolean): void {
    if (!this.#addressing.isNeighbour(senderAddress)) return;
    if (isForUs) this.neighbours.confirm(senderAddress, senderMac);
    else this.neighbours.merge(senderAddress, senderMac);
  }

  #reply({ senderMac, senderAddress, targetAddress }: ArpMessage): void {
    this.#send(senderMac, {
      operation: 'reply',
      senderMac: this.#transmitter.mac,
      senderAddress: targetAddress,
      targetMac: senderMac,
      targetAddress: senderAddress,
    });
  }

  #request(senderAddress: Ipv4, targetAddress: Ipv4, to: Mac): void {
    this.#send(to, {
      operation: 'request',
      senderMac: this.#transmitter.mac,
      senderAddress,
      targetMac: 0,
      targetAddress,
    });
  }

  #send(to: Mac, message: ArpMessage): void {
    const start = this.#transmitter.reserve(FRAME_LENGTH);
    const out = this.#transmitter.bytes;
    emitArp(message, out, emitEthernet(out, start, to, this.#transmitter.mac, ETHERTYPE_ARP));
    this.#transmitter.commit(start, FRAME_LENGTH);
  }
}

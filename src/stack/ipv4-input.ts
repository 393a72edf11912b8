/** IPv4 on the way in: what is acceptable, what is ours, whole datagrams from fragments, and on to the protocol above. */
import type { Scheduler } from '../base/time.ts';
import type { DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { NETWORK_UNREACHABLE, PROTOCOL_UNREACHABLE, REASSEMBLY_TIME_EXCEEDED, TTL_EXCEEDED } from '../wire/icmpv4.ts';
import { IPV4_SOURCE, Ipv4View } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { isOnLink } from '../wire/ipv4-address.ts';
import { isGroupMac, readMac } from '../wire/mac.ts';
import type { Addressing } from './addressing.ts';
import { isUnicastIpv4 } from './addressing.ts';
import type { Icmp } from './icmp.ts';
import type { IncomingPacket, IpProtocol } from './ip-packet.ts';
import { IPV4_FRAGMENTS } from './ipv4-fragments.ts';
import { Reassembly } from './reassembly.ts';

/** An IPv4 packet that is for us, or for another host. */
export interface IncomingIpv4 extends IncomingPacket {
  readonly ip: Ipv4View;
}

export class Ipv4Input {
  readonly #addressing: Addressing;
  readonly #drops: DropSink;
  readonly #icmp: Icmp;
  readonly #protocols: ReadonlyMap<number, IpProtocol>;
  readonly #takesTransit: boolean;
  readonly reassembly: Reassembly<Ipv4View>;
  readonly #packet = new Ipv4Packet();
  readonly #ip = this.#packet.ip;

  constructor(
    scheduler: Scheduler,
    addressing: Addressing,
    drops: DropSink,
    icmp: Icmp,
    protocols: ReadonlyMap<number, IpProtocol>,
    takesTransit: boolean,
  ) {
    this.#takesTransit = takesTransit;
    this.#addressing = addressing;
    this.#drops = drops;
    this.#icmp = icmp;
    this.#protocols = protocols;
    this.reassembly = new Reassembly(IPV4_FRAGMENTS, scheduler, drops, (first) => this.#reassemblyTimedOut(first));
  }

  /** Takes frame `index`, whose EtherType is IPv4. */
  receive(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    const defect = ip.bind(batch.bytes, batch.starts[index]! + ETHERNET_HEADER_LENGTH, batch.ends[index]!);
    if (defect !== undefined) {
      this.#drops.dropped(defect === 'bad-checksum' ? 'ipv4-bad-checksum' : 'ipv4-malformed', batch, index, index + 1);
    } else if (!this.#isPlausibleSource(ip.source, ip.destination)) {
      this.#drops.dropped('ipv4-bad-source', batch, index, index + 1);
    } else if (this.#isLocal(ip.destination)) {
      this.#take(batch, index);
    } else if (!isUnicastIpv4(ip.destination) || isGroupMac(readMac(batch.bytes, batch.starts[index]!))) {
      this.#drops.dropped('ipv4-not-local', batch, index, index + 1);
    } else if (!this.#isForwarded(batch, index)) {
      this.#takeTransit(batch, index);
    }
  }

  #take(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    if (!ip.isFragment) {
      this.#deliver(batch, index);
      return;
    }
    const whole = this.reassembly.add(batch, index, ip);
    if (whole === undefined) return;
    ip.bind(whole.bytes, whole.starts[0]! + ETHERNET_HEADER_LENGTH, whole.ends[0]!);
    this.#deliver(whole, 0);
  }

  /** Whether the packet's way leads through the router that this is an interface of, or ends there. */
  #isForwarded(batch: FrameBatch, index: number): boolean {
    const { forwarder } = this.#addressing;
    if (forwarder === undefined) return false;
    const packet = this.#describe(batch, index);
    const verdict = forwarder.forward(packet);
    if (verdict === 'forwarded') return true;
    if (verdict === 'no-route' && this.#takesTransit) return false;
    if (typeof verdict === 'object') {
      this.#drops.dropped('ipv4-too-long', batch, index, index + 1);
      this.#icmp.fragmentationNeeded(verdict.mtu, packet);
      return true;
    }
    this.#drops.dropped(`ipv4-${verdict}`, batch, index, index + 1);
    if (verdict === 'ttl-exceeded') this.#icmp.timeExceeded(TTL_EXCEEDED, packet);
    if (verdict === 'no-route') this.#icmp.unreachable(NETWORK_UNREACHABLE, packet);
    return true;
  }

  /** Takes a packet for a host off the link, whose conversation is carried on by other means. */
  #takeTransit(batch: FrameBatch, index: number): void {
    const { interface: own } = this.#addressing;
    if (!this.#takesTransit || own === undefined || isOnLink(own, this.#ip.destination)) {
      this.#drops.dropped('ipv4-not-local', batch, index, index + 1);
    } else if (this.#ip.ttl <= 1) {
      // RFC 1812, 5.3.1.
      this.#drops.dropped('ipv4-ttl-exceeded', batch, index, index + 1);
      this.#icmp.timeExceeded(TTL_EXCEEDED, this.#describe(batch, index));
    } else {
      this.#take(batch, index);
    }
  }

  /** RFC 1122, 3.2.1.3: a source is one host's address; one that has none yet asks everybody from 0.0.0.0. */
  #isPlausibleSource(source: Ipv4, destination: Ipv4): boolean {
    if (source === 0) return this.#addressing.isBroadcast(destination);
    return isUnicastIpv4(source) && !this.#addressing.isOurs(source) && !this.#addressing.isBroadcast(source);
  }

  /** Ours, a broadcast, or, while we have no address, whatever came to our MAC (RFC 2131, 4.1: an offer to the address it offers). */
  #isLocal(destination: Ipv4): boolean {
    if (this.#addressing.isOurs(destination) || this.#addressing.isBroadcast(destination)) return true;
    return this.#addressing.interface === undefined && isUnicastIpv4(destination);
  }

  /** Hands on the packet that the view is bound to. */
  #deliver(batch: FrameBatch, index: number): void {
    const packet = this.#describe(batch, index);
    const protocol = this.#protocols.get(this.#ip.protocol);
    if (protocol !== undefined) {
      protocol.receive(packet);
      return;
    }
    this.#drops.dropped('ipv4-unknown-protocol', batch, index, index + 1);
    this.#icmp.unreachable(PROTOCOL_UNREACHABLE, packet);
  }

  #describe(batch: FrameBatch, index: number): IncomingIpv4 {
    const packet = this.#packet;
    packet.batch = batch;
    packet.index = index;
    packet.isGroup =
      this.#addressing.isBroadcast(this.#ip.destination) || isGroupMac(readMac(batch.bytes, batch.starts[index]!));
    packet.isTransit = !this.#isLocal(this.#ip.destination);
    return packet;
  }

  /** RFC 1122, 3.3.2: the sender hears of it where fragment zero arrived. */
  #reassemblyTimedOut(first: FrameBatch): void {
    const defect = this.#ip.bind(first.bytes, first.starts[0]! + ETHERNET_HEADER_LENGTH, first.ends[0]!);
    if (defect === undefined) this.#icmp.timeExceeded(REASSEMBLY_TIME_EXCEEDED, this.#describe(first, 0));
  }
}

/** The one packet, whose fields are those that its view reads. */
class Ipv4Packet implements IncomingIpv4 {
  readonly addressLength = 4;
  readonly ip = new Ipv4View();
  batch: FrameBatch = batchOf([]);
  index = 0;
  isGroup = false;
  isTransit = false;

  get addressesAt(): number {
    return this.ip.start + IPV4_SOURCE;
  }

  get start(): number {
    return this.ip.start;
  }

  get payloadStart(): number {
    return this.ip.payloadStart;
  }

  get payloadEnd(): number {
    return this.ip.payloadEnd;
  }

  get ttl(): number {
    return this.ip.ttl;
  }

  get dontFragment(): boolean {
    return this.ip.dontFragment;
  }
}

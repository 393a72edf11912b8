/** IPv6 on the way in: what is acceptable, what is ours, whole datagrams from fragments, and on to the protocol above. */
import type { Scheduler } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE } from '../wire/ethernet.ts';
import {
  ICMPV6_BEYOND_SCOPE,
  ICMPV6_HOP_LIMIT_EXCEEDED,
  ICMPV6_NO_ROUTE,
  ICMPV6_REASSEMBLY_TIME_EXCEEDED,
} from '../wire/icmpv6.ts';
import { Ipv6View } from '../wire/ipv6.ts';
import { isLinkLocalIpv6, isMulticastIpv6, isUnspecifiedIpv6 } from '../wire/ipv6-address.ts';
import type { HeaderProblem } from '../wire/ipv6-extensions.ts';
import { NEXT_HEADER_NONE, UNKNOWN_NEXT_HEADER } from '../wire/ipv6-extensions.ts';
import type { Mac } from '../wire/mac.ts';
import { isGroupMac, readMac } from '../wire/mac.ts';
import type { Icmpv6 } from './icmpv6.ts';
import type { IncomingPacket, IpProtocol } from './ip-packet.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import { isUnicastIpv6 } from './ipv6-addressing.ts';
import { fragmentProblem, IPV6_FRAGMENTS } from './ipv6-fragments.ts';
import { Reassembly } from './reassembly.ts';

/** An IPv6 packet that is for us, or for another host. */
export interface IncomingIpv6 extends IncomingPacket {
  readonly ip: Ipv6View;
  /** Who put it on the LAN. */
  readonly sourceMac: Mac;
}

const PROBLEM_REASONS: Readonly<Record<HeaderProblem['kind'], DropReason>> = {
  truncated: 'ipv6-malformed',
  'too-many-headers': 'ipv6-too-many-headers',
  'unknown-option': 'ipv6-unknown-option',
  routing: 'ipv6-routing-header',
};

export class Ipv6Input {
  readonly #addressing: Ipv6Addressing;
  readonly #drops: DropSink;
  readonly #icmp: Icmpv6;
  readonly #protocols: ReadonlyMap<number, IpProtocol>;
  readonly #takesTransit: boolean;
  readonly reassembly: Reassembly<Ipv6View>;
  readonly #packet = new Ipv6Packet();
  readonly #ip = this.#packet.ip;

  constructor(
    scheduler: Scheduler,
    addressing: Ipv6Addressing,
    drops: DropSink,
    icmp: Icmpv6,
    protocols: ReadonlyMap<number, IpProtocol>,
    takesTransit: boolean,
  ) {
    this.#addressing = addressing;
    this.#drops = drops;
    this.#icmp = icmp;
    this.#protocols = protocols;
    this.#takesTransit = takesTransit;
    this.reassembly = new Reassembly(IPV6_FRAGMENTS, scheduler, drops, (first) => this.#reassemblyTimedOut(first));
  }

  /** Takes frame `index`, whose EtherType is IPv6. */
  receive(batch: FrameBatch, index: number): void {
    const start = batch.starts[index]!;
    const ip = this.#ip;
    const defect = ip.bind(batch.bytes, start + ETHERNET_HEADER_LENGTH, batch.ends[index]!);
    if (defect !== undefined) {
      this.#drops.dropped('ipv6-malformed', batch, index, index + 1);
    } else if (!this.#isPlausibleSource(batch.bytes, start)) {
      this.#drops.dropped('ipv6-bad-source', batch, index, index + 1);
    } else if (this.#isLocal(batch.bytes, ip.destinationAt)) {
      this.#take(batch, index);
    } else if (!isUnicastIpv6(batch.bytes, ip.destinationAt) || isGroupMac(readMac(batch.bytes, start))) {
      this.#drops.dropped('ipv6-not-local', batch, index, index + 1);
    } else {
      this.#passOn(batch, index);
    }
  }

  #take(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    const problem = ip.skipExtensions();
    if (problem !== undefined) {
      this.#refuse(problem, batch, index);
    } else if (ip.isFragment) {
      this.#takeFragment(batch, index);
    } else {
      this.#deliver(batch, index);
    }
  }

  #refuse({ kind, report }: HeaderProblem, batch: FrameBatch, index: number): void {
    this.#drops.dropped(PROBLEM_REASONS[kind], batch, index, index + 1);
    if (report !== undefined) this.#icmp.parameterProblem(report, this.#describe(batch, index));
  }

  #takeFragment(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    const fault = fragmentProblem(batch.bytes, ip);
    if (fault !== undefined) {
      this.#drops.dropped('fragment-malformed', batch, index, index + 1);
      this.#icmp.parameterProblem(fault, this.#describe(batch, index));
      return;
    }
    const whole = this.reassembly.add(batch, index, ip);
    if (whole === undefined) return;
    ip.bind(whole.bytes, whole.starts[0]! + ETHERNET_HEADER_LENGTH, whole.ends[0]!);
    const problem = ip.skipExtensions();
    if (problem !== undefined) {
      this.#refuse(problem, whole, 0);
    } else if (ip.isFragment) {
      // Fragments of fragments: nobody makes them.
      this.#drops.dropped('fragment-malformed', whole, 0, 1);
    } else {
      this.#deliver(whole, 0);
    }
  }

  /** RFC 4291, 2.5.6: what is link-local is never forwarded. */
  #passOn(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    const isRouter = this.#takesTransit || this.#addressing.forwarder !== undefined;
    if (!isRouter || isLinkLocalIpv6(batch.bytes, ip.destinationAt)) {
      this.#drops.dropped('ipv6-not-local', batch, index, index + 1);
    } else if (isLinkLocalIpv6(batch.bytes, ip.addressesAt)) {
      this.#drops.dropped('ipv6-link-local', batch, index, index + 1);
      this.#icmp.unreachable(ICMPV6_BEYOND_SCOPE, this.#describe(batch, index));
    } else if (!this.#isForwarded(batch, index)) {
      this.#takeTransit(batch, index);
    }
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
      this.#drops.dropped('ipv6-too-long', batch, index, index + 1);
      this.#icmp.packetTooBig(verdict.mtu, packet);
      return true;
    }
    this.#drops.dropped(`ipv6-${verdict}`, batch, index, index + 1);
    if (verdict === 'no-route') this.#icmp.unreachable(ICMPV6_NO_ROUTE, packet);
    else this.#icmp.timeExceeded(ICMPV6_HOP_LIMIT_EXCEEDED, packet);
    return true;
  }

  /** Takes a packet for a host off the link, whose conversation is carried on by other means. */
  #takeTransit(batch: FrameBatch, index: number): void {
    const ip = this.#ip;
    const { interface: own } = this.#addressing;
    if (!this.#takesTransit || own === undefined || this.#addressing.isOnLink(batch.bytes, ip.destinationAt)) {
      this.#drops.dropped('ipv6-not-local', batch, index, index + 1);
    } else if (ip.hopLimit <= 1) {
      this.#drops.dropped('ipv6-hop-limit-exceeded', batch, index, index + 1);
      this.#icmp.timeExceeded(ICMPV6_HOP_LIMIT_EXCEEDED, this.#describe(batch, index));
    } else {
      this.#take(batch, index);
    }
  }

  /** RFC 4291, 2.5.2 and 2.7: a group is no source; who has no address yet asks groups. Our own words come back only by a loop. */
  #isPlausibleSource(bytes: Uint8Array, frameStart: number): boolean {
    const at = this.#ip.addressesAt;
    if (isGroupMac(readMac(bytes, frameStart + ETHERNET_SOURCE)) || this.#addressing.isOurs(bytes, at)) return false;
    // Only addresses that begin with such an octet are anything but unicast.
    if (bytes[at] !== 0 && bytes[at] !== 0xff) return true;
    const { source, destinationAt } = this.#ip;
    return isUnspecifiedIpv6(source) ? isMulticastIpv6(bytes, destinationAt) : isUnicastIpv6(source);
  }

  #isLocal(bytes: Uint8Array, at: number): boolean {
    return bytes[at] === 0xff ? this.#addressing.isJoined(bytes, at) : this.#addressing.isOurs(bytes, at);
  }

  /** Hands on the packet that the view is bound to. */
  #deliver(batch: FrameBatch, index: number): void {
    const packet = this.#describe(batch, index);
    const { nextHeader } = this.#ip;
    const protocol = this.#protocols.get(nextHeader);
    if (protocol !== undefined) {
      protocol.receive(packet);
      return;
    }
    this.#drops.dropped('ipv6-unknown-next-header', batch, index, index + 1);
    if (nextHeader === NEXT_HEADER_NONE) return;
    const pointer = this.#ip.nextHeaderAt - this.#ip.start;
    this.#icmp.parameterProblem({ code: UNKNOWN_NEXT_HEADER, pointer }, packet);
  }

  #describe(batch: FrameBatch, index: number): IncomingIpv6 {
    const packet = this.#packet;
    const start = batch.starts[index]!;
    const { destinationAt } = this.#ip;
    packet.batch = batch;
    packet.index = index;
    packet.isGroup = batch.bytes[destinationAt] === 0xff || isGroupMac(readMac(batch.bytes, start));
    packet.isTransit = !this.#isLocal(batch.bytes, destinationAt);
    return packet;
  }

  /** RFC 8200, 4.5: the sender hears of it where the first fragment arrived. */
  #reassemblyTimedOut(first: FrameBatch): void {
    const ip = this.#ip;
    const defect = ip.bind(first.bytes, first.starts[0]! + ETHERNET_HEADER_LENGTH, first.ends[0]!);
    if (defect === undefined) this.#icmp.timeExceeded(ICMPV6_REASSEMBLY_TIME_EXCEEDED, this.#describe(first, 0));
  }
}

/** The one packet, whose fields are those that its view reads. */
class Ipv6Packet implements IncomingIpv6 {
  readonly addressLength = 16;
  readonly dontFragment = true;
  readonly ip = new Ipv6View();
  batch: FrameBatch = batchOf([]);
  index = 0;
  isGroup = false;
  isTransit = false;

  get sourceMac(): Mac {
    return readMac(this.batch.bytes, this.batch.starts[this.index]! + ETHERNET_SOURCE);
  }

  get addressesAt(): number {
    return this.ip.addressesAt;
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
    return this.ip.hopLimit;
  }
}

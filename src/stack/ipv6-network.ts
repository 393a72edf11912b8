/** IPv6 for the protocols above: what `Ipv6Output`, `Icmpv6` and the neighbour table do. */
import type { DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERTYPE_IPV6, emitEthernet } from '../wire/ethernet.ts';
import {
  ICMPV6_ADDRESS_UNREACHABLE,
  ICMPV6_NO_ROUTE,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_PROHIBITED,
  ICMPV6_UNREACHABLE,
} from '../wire/icmpv6.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { IPV6_DESTINATION, IPV6_HEADER_LENGTH, IPV6_MAX_PAYLOAD, IPV6_SOURCE } from '../wire/ipv6.ts';
import { IPV6_ADDRESS_LENGTH, ipv6Key, isIpv6At } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import { writeUint16, writeUint32 } from '../wire/octets.ts';
import type { Icmpv6 } from './icmpv6.ts';
import type { IpNetwork, OnReportedError, OutgoingPacket, Unreachable } from './ip-network.ts';
import type { IncomingPacket } from './ip-packet.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import type { Ipv6Output } from './ipv6-output.ts';
import type { Neighbours } from './neighbours.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Transmitter } from './transmitter.ts';

const CODES: Readonly<Record<Unreachable, number>> = {
  network: ICMPV6_NO_ROUTE,
  host: ICMPV6_ADDRESS_UNREACHABLE,
  port: ICMPV6_PORT_UNREACHABLE,
  prohibited: ICMPV6_PROHIBITED,
};

const VERSION_WORDS = 0x6000_0000;
/** The protocol and a hop limit of 64, as a word. */
const PROTOCOL_AND_HOPS = (PROTOCOL_TCP << 8) | 64;

export interface Ipv6Parts {
  readonly mtu: number;
  readonly transmitter: Transmitter;
  readonly addressing: Ipv6Addressing;
  /** By `ipv6Key`. */
  readonly neighbours: Neighbours<string>;
  readonly pathMtu: PathMtu;
  readonly output: Ipv6Output;
  readonly icmp: Icmpv6;
  readonly drops: DropSink;
}

export class Ipv6Network implements IpNetwork {
  readonly addressLength = IPV6_ADDRESS_LENGTH;
  readonly headerLength = IPV6_HEADER_LENGTH;
  readonly maxPayload = IPV6_MAX_PAYLOAD;
  readonly mtu: number;
  readonly #parts: Ipv6Parts;
  /** Where the last flight went, and by whom as the addresses of then had it: flights to one host come in rows. */
  readonly #destination = new Uint8Array(IPV6_ADDRESS_LENGTH);
  #hop: string | undefined;
  #addressingVersion = -1;

  constructor(parts: Ipv6Parts) {
    this.mtu = parts.mtu;
    this.#parts = parts;
  }

  mtuTowards(destination: Uint8Array): number {
    return this.#parts.pathMtu.towards(destination);
  }

  sourceFor(destination: Uint8Array, wanted?: Uint8Array): Uint8Array {
    return this.#parts.addressing.sourceFor(destination, wanted);
  }

  send({ source, destination, protocol, mac, ttl }: OutgoingPacket, head: Uint8Array, body: Uint8Array): boolean {
    const packet = { source, destination, nextHeader: protocol, mac, hopLimit: ttl };
    return this.#parts.output.send(packet, head, body);
  }

  unreachable(why: Unreachable, packet: IncomingPacket): void {
    this.#parts.icmp.unreachable(CODES[why], packet);
  }

  unreachableKept(why: Unreachable, packet: Uint8Array): void {
    this.#parts.icmp.report({ type: ICMPV6_UNREACHABLE, code: CODES[why], mtu: 0 }, packet);
  }

  onError(protocol: number, handler: OnReportedError): void {
    this.#parts.icmp.onError(protocol, handler);
  }

  leadsTo(address: Uint8Array): boolean {
    return this.#parts.addressing.leadsTo(address);
  }

  isInside(address: Uint8Array): boolean {
    const { addressing } = this.#parts;
    return addressing.leadsTo(address) || addressing.forwarder?.isInside(address) === true;
  }

  isOurs(address: Uint8Array): boolean {
    return this.#parts.addressing.isOurs(address);
  }

  begin(ends: Uint8Array): Mac | undefined {
    const { addressing, neighbours } = this.#parts;
    if (addressing.version !== this.#addressingVersion || !isIpv6At(ends, 0, this.#destination)) {
      this.#destination.set(ends.subarray(0, IPV6_ADDRESS_LENGTH));
      this.#addressingVersion = addressing.version;
      const hop = addressing.nextHop(this.#destination);
      this.#hop = hop === undefined ? undefined : ipv6Key(hop);
    }
    return this.#hop === undefined ? undefined : neighbours.resolve(this.#hop);
  }

  get hasRoute(): boolean {
    return this.#hop !== undefined;
  }

  emitSegmentHeader(
    out: Uint8Array,
    at: number,
    mac: Mac,
    ends: Uint8Array,
    _addressSum: number,
    length: number,
  ): void {
    const ip = emitEthernet(out, at, mac, this.#parts.transmitter.mac, ETHERTYPE_IPV6);
    writeUint32(out, ip, VERSION_WORDS);
    writeUint16(out, ip + 4, length);
    writeUint16(out, ip + 6, PROTOCOL_AND_HOPS);
    for (let i = 0; i < IPV6_ADDRESS_LENGTH; i++) {
      out[ip + IPV6_SOURCE + i] = ends[IPV6_ADDRESS_LENGTH + i]!;
      out[ip + IPV6_DESTINATION + i] = ends[i]!;
    }
  }

  wait(frame: Uint8Array): void {
    const { neighbours, drops } = this.#parts;
    if (this.#hop === undefined) drops.dropped('ipv6-no-route', batchOf([frame]), 0, 1);
    else neighbours.wait(this.#hop, frame);
  }
}

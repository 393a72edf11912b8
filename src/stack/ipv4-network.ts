/** IPv4 for the protocols above: what `Ipv4Output`, `Icmp` and the neighbour table do, in octets. */
import { finishChecksum } from '../base/checksum.ts';
import type { DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERTYPE_IPV4, emitEthernet } from '../wire/ethernet.ts';
import {
  ADMINISTRATIVELY_PROHIBITED,
  HOST_UNREACHABLE,
  ICMPV4_UNREACHABLE,
  NETWORK_UNREACHABLE,
  PORT_UNREACHABLE,
} from '../wire/icmpv4.ts';
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, PROTOCOL_TCP } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { ipv4Octets, ipv4Of } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { readUint32, writeUint16 } from '../wire/octets.ts';
import type { Addressing } from './addressing.ts';
import type { Icmp } from './icmp.ts';
import type { IpNetwork, OnReportedError, OutgoingPacket, Unreachable } from './ip-network.ts';
import type { IncomingPacket } from './ip-packet.ts';
import type { Ipv4Output } from './ipv4-output.ts';
import type { Neighbours } from './neighbours.ts';
import type { Transmitter } from './transmitter.ts';

const CODES: Readonly<Record<Unreachable, number>> = {
  network: NETWORK_UNREACHABLE,
  host: HOST_UNREACHABLE,
  port: PORT_UNREACHABLE,
  prohibited: ADMINISTRATIVELY_PROHIBITED,
};

/** Version, header length, don't fragment, a time to live of 64 and the protocol, as words. */
const VERSION_WORD = 0x4500;
const DONT_FRAGMENT = 0x4000;
const TTL_AND_PROTOCOL = (64 << 8) | PROTOCOL_TCP;

export interface Ipv4Parts {
  readonly mtu: number;
  readonly transmitter: Transmitter;
  readonly addressing: Addressing;
  readonly neighbours: Neighbours<Ipv4>;
  readonly output: Ipv4Output;
  readonly icmp: Icmp;
  readonly drops: DropSink;
}

export class Ipv4Network implements IpNetwork {
  readonly addressLength = 4;
  readonly headerLength = IPV4_HEADER_LENGTH;
  readonly maxPayload = IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH;
  readonly mtu: number;
  readonly #parts: Ipv4Parts;
  /** Who takes the frames of the flight. */
  #hop: Ipv4 | undefined;
  /** Of segments, which are never fragmented (RFC 6864, 4.1). */
  #identification = 0;

  constructor(parts: Ipv4Parts) {
    this.mtu = parts.mtu;
    this.#parts = parts;
  }

  mtuTowards(): number {
    return this.mtu;
  }

  sourceFor(_destination: Uint8Array, wanted?: Uint8Array): Uint8Array {
    return wanted !== undefined && this.isOurs(wanted) ? wanted : ipv4Octets(this.#parts.addressing.first);
  }

  send({ source, destination, protocol, mac, ttl }: OutgoingPacket, head: Uint8Array, body: Uint8Array): boolean {
    const packet = { source: ipv4Of(source), destination: ipv4Of(destination), protocol, mac, ttl };
    return this.#parts.output.send(packet, head, body);
  }

  unreachable(why: Unreachable, packet: IncomingPacket): void {
    this.#parts.icmp.unreachable(CODES[why], packet);
  }

  unreachableKept(why: Unreachable, packet: Uint8Array): void {
    this.#parts.icmp.report({ type: ICMPV4_UNREACHABLE, code: CODES[why], mtu: 0 }, packet);
  }

  onError(protocol: number, handler: OnReportedError): void {
    this.#parts.icmp.onError(protocol, handler);
  }

  leadsTo(address: Uint8Array): boolean {
    return this.#parts.addressing.leadsTo(ipv4Of(address));
  }

  isInside(address: Uint8Array): boolean {
    return this.leadsTo(address) || this.#parts.addressing.forwarder?.isInside(ipv4Of(address)) === true;
  }

  isOurs(address: Uint8Array): boolean {
    return this.#parts.addressing.isOurs(ipv4Of(address));
  }

  begin(ends: Uint8Array): Mac | undefined {
    this.#hop = this.#parts.addressing.nextHop(readUint32(ends, 0));
    return this.#hop === undefined ? undefined : this.#parts.neighbours.resolve(this.#hop);
  }

  get hasRoute(): boolean {
    return this.#hop !== undefined;
  }

  emitSegmentHeader(out: Uint8Array, at: number, mac: Mac, ends: Uint8Array, addressSum: number, length: number): void {
    const totalLength = IPV4_HEADER_LENGTH + length;
    const identification = this.#identification;
    this.#identification = (identification + 1) & 0xffff;
    const ip = emitEthernet(out, at, mac, this.#parts.transmitter.mac, ETHERTYPE_IPV4);
    writeUint16(out, ip, VERSION_WORD);
    writeUint16(out, ip + 2, totalLength);
    writeUint16(out, ip + 4, identification);
    writeUint16(out, ip + 6, DONT_FRAGMENT);
    writeUint16(out, ip + 8, TTL_AND_PROTOCOL);
    const sum = VERSION_WORD + totalLength + identification + DONT_FRAGMENT + TTL_AND_PROTOCOL + addressSum;
    writeUint16(out, ip + 10, finishChecksum(sum));
    for (let i = 0; i < 4; i++) {
      out[ip + 12 + i] = ends[4 + i]!;
      out[ip + 16 + i] = ends[i]!;
    }
  }

  wait(frame: Uint8Array): void {
    const { neighbours, drops } = this.#parts;
    if (this.#hop === undefined) drops.dropped('ipv4-no-route', batchOf([frame]), 0, 1);
    else neighbours.wait(this.#hop, frame);
  }
}

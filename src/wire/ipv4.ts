/**
 * Internet Protocol version 4, RFC 791.
 *
 *     octet  0         1        2         4     6                 8     9          10         12       16            20
 *            +---------+--------+---------+-----+-----------------+-----+----------+----------+--------+-------------+---------
 *            | ver ihl | DS/ECN | total   | id  | 0 DF MF offset  | TTL | protocol | checksum | source | destination | options
 *            |         |        | length  |     | 1  1  1  13 bit |     |          |          |        |             |
 *            +---------+--------+---------+-----+-----------------+-----+----------+----------+--------+-------------+---------
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import type { Ipv4 } from './ipv4-address.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

const VERSION_AND_IHL = 0;
const TYPE_OF_SERVICE = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
export const IPV4_SOURCE = 12;
const DESTINATION = 16;
/** A header without options. */
export const IPV4_HEADER_LENGTH = 20;
/** Octets of the longest packet, header included. */
export const IPV4_MAX_LENGTH = 65_535;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
/** Fragments are cut at multiples of this many octets. */
export const FRAGMENT_UNIT = 8;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** A window over a packet that already lies in a buffer; `bind` moves it. */
export class Ipv4View {
  #bytes: Uint8Array = new Uint8Array(IPV4_HEADER_LENGTH);
  #start = 0;
  #headerLength = IPV4_HEADER_LENGTH;
  #end = IPV4_HEADER_LENGTH;

  /** Moves to bytes [start, end) and verifies the header. What lies past the total length is link padding and stays outside. */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < IPV4_HEADER_LENGTH) return 'truncated';
    if (bytes[start + VERSION_AND_IHL]! >>> 4 !== 4) return 'bad-version';
    const headerLength = (bytes[start + VERSION_AND_IHL]! & 0x0f) * 4;
    const totalLength = readUint16(bytes, start + TOTAL_LENGTH);
    if (headerLength < IPV4_HEADER_LENGTH || totalLength < headerLength) return 'bad-length';
    if (totalLength > end - start) return 'truncated';
    if (finishChecksum(sumWords(bytes, start, start + headerLength)) !== 0) return 'bad-checksum';
    this.#move(bytes, start, headerLength, start + totalLength);
    return undefined;
  }

  /** Moves to the start of a packet that an ICMP error quotes: its total length says more than is there, and its checksum proves nothing. */
  bindQuoted(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < IPV4_HEADER_LENGTH) return 'truncated';
    if (bytes[start + VERSION_AND_IHL]! >>> 4 !== 4) return 'bad-version';
    const headerLength = (bytes[start + VERSION_AND_IHL]! & 0x0f) * 4;
    if (headerLength < IPV4_HEADER_LENGTH) return 'bad-length';
    if (headerLength > end - start) return 'truncated';
    this.#move(bytes, start, headerLength, end);
    return undefined;
  }

  #move(bytes: Uint8Array, start: number, headerLength: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#headerLength = headerLength;
    this.#end = end;
  }

  get start(): number {
    return this.#start;
  }

  get headerLength(): number {
    return this.#headerLength;
  }

  /** The octet of differentiated services and congestion notification. */
  get typeOfService(): number {
    return this.#bytes[this.#start + TYPE_OF_SERVICE]!;
  }

  get identification(): number {
    return readUint16(this.#bytes, this.#start + IDENTIFICATION);
  }

  get dontFragment(): boolean {
    return (readUint16(this.#bytes, this.#start + FRAGMENT) & DONT_FRAGMENT) !== 0;
  }

  get moreFragments(): boolean {
    return (readUint16(this.#bytes, this.#start + FRAGMENT) & MORE_FRAGMENTS) !== 0;
  }

  /** Where the payload belongs in the whole datagram's payload, in octets. */
  get fragmentOffset(): number {
    return (readUint16(this.#bytes, this.#start + FRAGMENT) & OFFSET_MASK) * FRAGMENT_UNIT;
  }

  get isFragment(): boolean {
    return (readUint16(this.#bytes, this.#start + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
  }

  get ttl(): number {
    return this.#bytes[this.#start + TTL]!;
  }

  get protocol(): number {
    return this.#bytes[this.#start + PROTOCOL]!;
  }

  get source(): Ipv4 {
    return readUint32(this.#bytes, this.#start + IPV4_SOURCE);
  }

  get destination(): Ipv4 {
    return readUint32(this.#bytes, this.#start + DESTINATION);
  }

  get payloadStart(): number {
    return this.#start + this.#headerLength;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

/** The fields of a header without options. */
export interface Ipv4Header {
  /** Header and payload, octets. */
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Octets, a multiple of `FRAGMENT_UNIT`. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: Ipv4;
  readonly destination: Ipv4;
}

/** Writes a header with its checksum; returns where the payload starts. */
export function emitIpv4(header: Ipv4Header, out: Uint8Array, at: number): number {
  writeUint16(out, at + VERSION_AND_IHL, 0x4500);
  writeUint16(out, at + TOTAL_LENGTH, header.totalLength);
  writeUint16(out, at + IDENTIFICATION, header.identification);
  const flags = (header.dontFragment ? DONT_FRAGMENT : 0) | (header.moreFragments ? MORE_FRAGMENTS : 0);
  writeUint16(out, at + FRAGMENT, flags | (header.fragmentOffset / FRAGMENT_UNIT));
  out[at + TTL] = header.ttl;
  out[at + PROTOCOL] = header.protocol;
  writeUint16(out, at + CHECKSUM, 0);
  writeUint32(out, at + IPV4_SOURCE, header.source);
  writeUint32(out, at + DESTINATION, header.destination);
  const end = at + IPV4_HEADER_LENGTH;
  writeUint16(out, at + CHECKSUM, finishChecksum(sumWords(out, at, end)));
  return end;
}

/** Gives a header with options, which lie behind it already, its length and checksum. */
export function sealHeader(out: Uint8Array, at: number, typeOfService: number, headerLength: number): void {
  out[at + VERSION_AND_IHL] = 0x40 | (headerLength / 4);
  out[at + TYPE_OF_SERVICE] = typeOfService;
  writeUint16(out, at + CHECKSUM, 0);
  writeUint16(out, at + CHECKSUM, finishChecksum(sumWords(out, at, at + headerLength)));
}

/** Takes one from the time to live, and changes the checksum by as much (RFC 1624, 3: HC' = ~(~HC + ~m + m')). */
export function takeHop(bytes: Uint8Array, at: number): void {
  const before = readUint16(bytes, at + TTL);
  const after = before - 0x100;
  const checksum = readUint16(bytes, at + CHECKSUM);
  bytes[at + TTL] = after >>> 8;
  writeUint16(bytes, at + CHECKSUM, finishChecksum((~checksum & 0xffff) + (~before & 0xffff) + after));
}

/** The sum of the pseudo header that UDP and TCP checksums cover (RFC 768); `length` is that of header and payload. */
export function pseudoHeaderSum(source: Ipv4, destination: Ipv4, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

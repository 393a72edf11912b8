/**
 * Internet Protocol version 6, RFC 8200.
 *
 *     octet  0               1              4         6        7       8        24            40
 *            +-----+---------+--------------+---------+--------+-------+--------+-------------+---------
 *            | ver | traffic | flow label   | payload | next   | hop   | source | destination | payload
 *            | 4   | class 8 | 20 bit       | length  | header | limit |        |             |
 *            +-----+---------+--------------+---------+--------+-------+--------+-------------+---------
 */
import { sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from './ipv6-address.ts';
import type { HeaderProblem } from './ipv6-extensions.ts';
import {
  EXTENSION_UNIT,
  extensionLength,
  FRAGMENT_HEADER_LENGTH,
  fragmentOffsetAt,
  identificationAt,
  moreFragmentsAt,
  NEXT_HEADER_DESTINATION,
  NEXT_HEADER_FRAGMENT,
  NEXT_HEADER_HOP_BY_HOP,
  NEXT_HEADER_ROUTING,
  optionProblem,
  routingProblem,
} from './ipv6-extensions.ts';
import { readUint16, writeUint16, writeUint32 } from './octets.ts';

const VERSION_AND_FLOW = 0;
export const IPV6_PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;
export const IPV6_HEADER_LENGTH = 40;
/** RFC 8200, 5: every link takes packets of this many octets. */
export const IPV6_MIN_MTU = 1280;
/** Octets behind the first header of the longest packet. */
export const IPV6_MAX_PAYLOAD = 65_535;

export const NEXT_HEADER_ICMPV6 = 58;

/** What a host looks into: no packet needs more (RFC 8504, 5.3). */
const MAX_EXTENSIONS = 8;

/** A window over a packet that already lies in a buffer; `bind` moves it. Addresses are windows too: on loan with the packet. */
export class Ipv6View {
  #bytes: Uint8Array = new Uint8Array(IPV6_HEADER_LENGTH);
  #start = 0;
  #nextHeaderAt = NEXT_HEADER;
  #payloadStart = IPV6_HEADER_LENGTH;
  #end = IPV6_HEADER_LENGTH;
  /** Where the fragment header lies; 0: none was passed. */
  #fragmentAt = 0;
  #fragmentNamedAt = 0;

  /** Moves to bytes [start, end), behind the first header. What lies past the payload length is link padding and stays outside. */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < IPV6_HEADER_LENGTH) return 'truncated';
    if (bytes[start + VERSION_AND_FLOW]! >>> 4 !== 6) return 'bad-version';
    const payloadEnd = start + IPV6_HEADER_LENGTH + readUint16(bytes, start + IPV6_PAYLOAD_LENGTH);
    if (payloadEnd > end) return 'truncated';
    this.#move(bytes, start, payloadEnd);
    return undefined;
  }

  /** Moves to the start of a packet that an ICMPv6 error quotes: its payload length says more than is there. */
  bindQuoted(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < IPV6_HEADER_LENGTH) return 'truncated';
    if (bytes[start + VERSION_AND_FLOW]! >>> 4 !== 6) return 'bad-version';
    this.#move(bytes, start, end);
    return undefined;
  }

  #move(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#nextHeaderAt = start + NEXT_HEADER;
    this.#payloadStart = start + IPV6_HEADER_LENGTH;
    this.#end = end;
    this.#fragmentAt = 0;
  }

  /**
   * Moves the payload behind the extension headers, as who the packet is for does (RFC 8200, 4): to the protocol above, to what is not
   * known here, or to a piece of a fragmented payload (`isFragment`), where it goes on when it is called again. A fragment that is the
   * whole payload is none (RFC 6946).
   */
  skipExtensions(): HeaderProblem | undefined {
    for (let count = 0; isExtension(this.nextHeader); count++) {
      const { nextHeader } = this;
      const at = this.#payloadStart;
      // RFC 8200, 4.1: hop-by-hop options only come first.
      if (nextHeader === NEXT_HEADER_HOP_BY_HOP && at !== this.#start + IPV6_HEADER_LENGTH) return undefined;
      if (count === MAX_EXTENSIONS) return { kind: 'too-many-headers' };
      if (this.#end - at < EXTENSION_UNIT) return { kind: 'truncated' };
      const end =
        nextHeader === NEXT_HEADER_FRAGMENT ? at + FRAGMENT_HEADER_LENGTH : at + extensionLength(this.#bytes, at);
      if (end > this.#end) return { kind: 'truncated' };
      const problem = this.#problemOf(nextHeader, at, end);
      if (problem !== undefined) return problem;
      const namedAt = this.#nextHeaderAt;
      this.#nextHeaderAt = at;
      this.#payloadStart = end;
      if (nextHeader !== NEXT_HEADER_FRAGMENT) continue;
      this.#fragmentAt = at;
      this.#fragmentNamedAt = namedAt;
      if (this.isFragment) return undefined;
    }
    return undefined;
  }

  #problemOf(nextHeader: number, at: number, end: number): HeaderProblem | undefined {
    switch (nextHeader) {
      case NEXT_HEADER_FRAGMENT:
        return this.#fragmentAt === 0 ? undefined : { kind: 'too-many-headers' };
      case NEXT_HEADER_ROUTING:
        return routingProblem(this.#bytes, at, this.#start);
      default:
        return optionProblem(this.#bytes, at, end, this.#start);
    }
  }

  get start(): number {
    return this.#start;
  }

  get hopLimit(): number {
    return this.#bytes[this.#start + HOP_LIMIT]!;
  }

  /** What the payload is. */
  get nextHeader(): number {
    return this.#bytes[this.#nextHeaderAt]!;
  }

  /** Where that is said. */
  get nextHeaderAt(): number {
    return this.#nextHeaderAt;
  }

  /** Where the source address lies; the destination lies behind it. */
  get addressesAt(): number {
    return this.#start + IPV6_SOURCE;
  }

  get destinationAt(): number {
    return this.#start + IPV6_DESTINATION;
  }

  get source(): Ipv6 {
    return this.#address(IPV6_SOURCE);
  }

  get destination(): Ipv6 {
    return this.#address(IPV6_DESTINATION);
  }

  #address(offset: number): Ipv6 {
    const at = this.#start + offset;
    return this.#bytes.subarray(at, at + IPV6_ADDRESS_LENGTH);
  }

  /** The payload is a piece of one. */
  get isFragment(): boolean {
    return this.#fragmentAt !== 0 && (this.fragmentOffset !== 0 || this.moreFragments);
  }

  /** Where the header of the fragment lies. */
  get fragmentAt(): number {
    return this.#fragmentAt;
  }

  /** Where it is said that the header of the fragment follows. */
  get fragmentNamedAt(): number {
    return this.#fragmentNamedAt;
  }

  /** Where the fragment belongs in the whole payload, in octets. */
  get fragmentOffset(): number {
    return fragmentOffsetAt(this.#bytes, this.#fragmentAt);
  }

  get moreFragments(): boolean {
    return moreFragmentsAt(this.#bytes, this.#fragmentAt);
  }

  get identification(): number {
    return identificationAt(this.#bytes, this.#fragmentAt);
  }

  get payloadStart(): number {
    return this.#payloadStart;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

function isExtension(nextHeader: number): boolean {
  switch (nextHeader) {
    case NEXT_HEADER_HOP_BY_HOP:
    case NEXT_HEADER_ROUTING:
    case NEXT_HEADER_FRAGMENT:
    case NEXT_HEADER_DESTINATION:
      return true;
    default:
      return false;
  }
}

/** The fields of a header of traffic class and flow label 0. */
export interface Ipv6Header {
  /** Octets behind the header. */
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Ipv6;
  readonly destination: Ipv6;
}

/** Writes a header; returns where the payload starts. */
export function emitIpv6(header: Ipv6Header, out: Uint8Array, at: number): number {
  writeUint32(out, at + VERSION_AND_FLOW, 0x6000_0000);
  writeUint16(out, at + IPV6_PAYLOAD_LENGTH, header.payloadLength);
  out[at + NEXT_HEADER] = header.nextHeader;
  out[at + HOP_LIMIT] = header.hopLimit;
  out.set(header.source, at + IPV6_SOURCE);
  out.set(header.destination, at + IPV6_DESTINATION);
  return at + IPV6_HEADER_LENGTH;
}

/** The sum of the pseudo header that checksums of the protocols above cover (RFC 8200, 8.1); `length` is that of header and payload. */
export function ipv6PseudoHeaderSum(source: Ipv6, destination: Ipv6, nextHeader: number, length: number): number {
  const addresses = sumWords(destination, 0, IPV6_ADDRESS_LENGTH, sumWords(source, 0, IPV6_ADDRESS_LENGTH));
  return addresses + length + nextHeader;
}

/** Takes one from the hop limit. */
export function takeIpv6Hop(bytes: Uint8Array, at: number): void {
  bytes[at + HOP_LIMIT]!--;
}

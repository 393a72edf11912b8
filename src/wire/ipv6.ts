/**
 * Internet Protocol version 6, RFC 8200.
 *
 *     octet  0               1              4         6        7       8        24            40
 *            +-----+---------+--------------+---------+--------+-------+--------+-------------+---------
 *            | ver | traffic | flow label   | payload | next   | hop   | source | destination | payload
 *            | 4   | class 8 | 20 bit       | length  | header | limit |        |             |
 *            +-----+---------+--------------+---------+--------+-------+--------+-------------+---------
 *
 * Of the extension headers the hop-by-hop options are passed over (RFC 8200, 4.3); every other one is left as the next header.
 */
import { sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from './ipv6-address.ts';
import { readUint16, writeUint16, writeUint32 } from './octets.ts';

const VERSION_AND_FLOW = 0;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
const SOURCE = 8;
const DESTINATION = 24;
export const IPV6_HEADER_LENGTH = 40;
/** RFC 8200, 5: every link takes packets of this many octets. */
export const IPV6_MIN_MTU = 1280;

const NEXT_HEADER_HOP_BY_HOP = 0;
export const NEXT_HEADER_ICMPV6 = 58;

/** A window over a packet that already lies in a buffer; `bind` moves it. Addresses are windows too: on loan with the packet. */
export class Ipv6View {
  #bytes: Uint8Array = new Uint8Array(IPV6_HEADER_LENGTH);
  #start = 0;
  #nextHeader = 0;
  #payloadStart = IPV6_HEADER_LENGTH;
  #end = IPV6_HEADER_LENGTH;

  /**
   * Moves to bytes [start, end), behind the hop-by-hop options. What lies past the payload length is link padding and stays outside.
   * `bad-value`: an option that forbids who does not know it to take the packet.
   */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < IPV6_HEADER_LENGTH) return 'truncated';
    if (bytes[start + VERSION_AND_FLOW]! >>> 4 !== 6) return 'bad-version';
    const payload = start + IPV6_HEADER_LENGTH;
    const payloadEnd = payload + readUint16(bytes, start + PAYLOAD_LENGTH);
    if (payloadEnd > end) return 'truncated';
    let nextHeader = bytes[start + NEXT_HEADER]!;
    let payloadStart = payload;
    if (nextHeader === NEXT_HEADER_HOP_BY_HOP) {
      const defect = hopByHopDefect(bytes, payload, payloadEnd);
      if (defect !== undefined) return defect;
      nextHeader = bytes[payload]!;
      payloadStart = payload + extensionLength(bytes, payload);
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#nextHeader = nextHeader;
    this.#payloadStart = payloadStart;
    this.#end = payloadEnd;
    return undefined;
  }

  get hopLimit(): number {
    return this.#bytes[this.#start + HOP_LIMIT]!;
  }

  /** What the payload is. */
  get nextHeader(): number {
    return this.#nextHeader;
  }

  get source(): Ipv6 {
    return this.#address(SOURCE);
  }

  get destination(): Ipv6 {
    return this.#address(DESTINATION);
  }

  #address(offset: number): Ipv6 {
    const at = this.#start + offset;
    return this.#bytes.subarray(at, at + IPV6_ADDRESS_LENGTH);
  }

  get payloadStart(): number {
    return this.#payloadStart;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

const EXTENSION_LENGTH = 1;
const EXTENSION_UNIT = 8;

/** Octets of the extension header at `at`. */
function extensionLength(bytes: Uint8Array, at: number): number {
  return (1 + bytes[at + EXTENSION_LENGTH]!) * EXTENSION_UNIT;
}

const OPTION_PAD1 = 0;
/** RFC 8200, 4.2: 00 in these bits lets who does not know the option skip it. */
const OPTION_ACTION = 0xc0;

function hopByHopDefect(bytes: Uint8Array, start: number, limit: number): Defect | undefined {
  if (limit - start < EXTENSION_UNIT) return 'truncated';
  const end = start + extensionLength(bytes, start);
  if (end > limit) return 'truncated';
  for (let at = start + 2; at < end; ) {
    const type = bytes[at]!;
    if ((type & OPTION_ACTION) !== 0) return 'bad-value';
    if (type !== OPTION_PAD1 && at + 1 === end) return 'bad-length';
    at += type === OPTION_PAD1 ? 1 : 2 + bytes[at + 1]!;
    if (at > end) return 'bad-length';
  }
  return undefined;
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
  writeUint16(out, at + PAYLOAD_LENGTH, header.payloadLength);
  out[at + NEXT_HEADER] = header.nextHeader;
  out[at + HOP_LIMIT] = header.hopLimit;
  out.set(header.source, at + SOURCE);
  out.set(header.destination, at + DESTINATION);
  return at + IPV6_HEADER_LENGTH;
}

/** The sum of the pseudo header that checksums of the protocols above cover (RFC 8200, 8.1); `length` is that of header and payload. */
export function ipv6PseudoHeaderSum(source: Ipv6, destination: Ipv6, nextHeader: number, length: number): number {
  const addresses = sumWords(destination, 0, IPV6_ADDRESS_LENGTH, sumWords(source, 0, IPV6_ADDRESS_LENGTH));
  return addresses + length + nextHeader;
}

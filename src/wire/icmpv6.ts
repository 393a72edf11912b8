/**
 * Internet Control Message Protocol for IPv6, RFC 4443.
 *
 *     octet  0      1      2          4              6              8
 *            +------+------+----------+--------------+--------------+--------------------------------
 *            | type | code | checksum | body
 *     echo   | 128  | 0    |          | identifier   | sequence     | payload, returned as it came
 *     error  | 1–4  | code |          | parameter: MTU, pointer     | packet, as much as fits
 *            +------+------+----------+--------------+--------------+--------------------------------
 *
 * The checksum covers the pseudo header too (RFC 4443, 2.3).
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const PARAMETER = 4;
const SEQUENCE = 6;
const SHORT_HEADER_LENGTH = 4;
/** With the four octets that echoes and errors have there. */
export const ICMPV6_HEADER_LENGTH = 8;

export const ICMPV6_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;
/** RFC 4861, 4.5. */
export const ICMPV6_REDIRECT = 137;

/** Codes of `ICMPV6_UNREACHABLE`. */
export const ICMPV6_NO_ROUTE = 0;
export const ICMPV6_PROHIBITED = 1;
export const ICMPV6_BEYOND_SCOPE = 2;
export const ICMPV6_ADDRESS_UNREACHABLE = 3;
export const ICMPV6_PORT_UNREACHABLE = 4;

/** Codes of `ICMPV6_TIME_EXCEEDED`. */
export const ICMPV6_HOP_LIMIT_EXCEEDED = 0;
export const ICMPV6_REASSEMBLY_TIME_EXCEEDED = 1;

/** A window over a message that already lies in a buffer; `bind` moves it. */
export class Icmpv6View {
  #bytes: Uint8Array = new Uint8Array(ICMPV6_HEADER_LENGTH);
  #start = 0;
  #end = ICMPV6_HEADER_LENGTH;

  /** Moves to bytes [start, end) and verifies the checksum, which covers all of them and the pseudo header. */
  bind(bytes: Uint8Array, start: number, end: number, pseudoHeaderSum: number): Defect | undefined {
    const defect = this.bindQuoted(bytes, start, end);
    if (defect !== undefined) return defect;
    return finishChecksum(sumWords(bytes, start, end, pseudoHeaderSum)) === 0 ? undefined : 'bad-checksum';
  }

  /** Moves to the start of a message that an ICMPv6 error quotes; its checksum covers what is not there. */
  bindQuoted(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < ICMPV6_HEADER_LENGTH) return 'truncated';
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return undefined;
  }

  get type(): number {
    return this.#bytes[this.#start + TYPE]!;
  }

  get code(): number {
    return this.#bytes[this.#start + CODE]!;
  }

  /** Of an error: the MTU of packet too big, the pointer of a parameter problem. */
  get parameter(): number {
    return readUint32(this.#bytes, this.#start + PARAMETER);
  }

  /** Of an echo message. */
  get identifier(): number {
    return readUint16(this.#bytes, this.#start + PARAMETER);
  }

  /** Of an echo message. */
  get sequence(): number {
    return readUint16(this.#bytes, this.#start + SEQUENCE);
  }

  get payloadStart(): number {
    return this.#start + ICMPV6_HEADER_LENGTH;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

/** RFC 4443, 2.1: the types below 128 report about another packet. */
export function isIcmpv6Error(type: number): boolean {
  return type < 128;
}

/** Writes a header of code 0, its checksum 0 until `sealIcmpv6`; returns where the body starts. */
export function emitIcmpv6(type: number, out: Uint8Array, at: number): number {
  out[at + TYPE] = type;
  out[at + CODE] = 0;
  writeUint16(out, at + CHECKSUM, 0);
  return at + SHORT_HEADER_LENGTH;
}

/** The fields of an echo message's or an error's header. */
export interface Icmpv6Header {
  readonly type: number;
  readonly code: number;
  /** The four octets behind the checksum: of an echo its identifier and sequence. */
  readonly parameter: number;
}

/** Writes a header with the checksum over it and `payload`, which follows it; returns where the payload starts. */
export function emitIcmpv6Around(
  { type, code, parameter }: Icmpv6Header,
  payload: Uint8Array,
  pseudoHeaderSum: number,
  out: Uint8Array,
  at: number,
): number {
  writeUint32(out, emitIcmpv6(type, out, at), parameter);
  out[at + CODE] = code;
  const end = at + ICMPV6_HEADER_LENGTH;
  const sum = sumWords(payload, 0, payload.length, sumWords(out, at, end, pseudoHeaderSum));
  writeUint16(out, at + CHECKSUM, finishChecksum(sum));
  return end;
}

/** Writes the checksum into the message [start, end), which is complete but for it. */
export function sealIcmpv6(bytes: Uint8Array, start: number, end: number, pseudoHeaderSum: number): void {
  writeUint16(bytes, start + CHECKSUM, finishChecksum(sumWords(bytes, start, end, pseudoHeaderSum)));
}

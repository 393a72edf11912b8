/**
 * Internet Control Message Protocol for IPv6, RFC 4443.
 *
 *     octet  0      1      2          4              6              8
 *            +------+------+----------+--------------+--------------+--------------------------------
 *            | type | code | checksum | body
 *     echo   | 128  | 0    |          | identifier   | sequence     | payload, returned as it came
 *            +------+------+----------+--------------+--------------+--------------------------------
 *
 * The checksum covers the pseudo header too (RFC 4443, 2.3).
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import { writeUint16 } from './octets.ts';

const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
export const ICMPV6_HEADER_LENGTH = 4;

export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;

/** A window over a message that already lies in a buffer; `bind` moves it. */
export class Icmpv6View {
  #bytes: Uint8Array = new Uint8Array(ICMPV6_HEADER_LENGTH);
  #start = 0;
  #end = ICMPV6_HEADER_LENGTH;

  /** Moves to bytes [start, end) and verifies the checksum, which covers all of them and the pseudo header. */
  bind(bytes: Uint8Array, start: number, end: number, pseudoHeaderSum: number): Defect | undefined {
    if (end - start < ICMPV6_HEADER_LENGTH) return 'truncated';
    if (finishChecksum(sumWords(bytes, start, end, pseudoHeaderSum)) !== 0) return 'bad-checksum';
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return undefined;
  }

  get type(): number {
    return this.#bytes[this.#start + TYPE]!;
  }

  get bodyStart(): number {
    return this.#start + ICMPV6_HEADER_LENGTH;
  }

  get bodyEnd(): number {
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
  return at + ICMPV6_HEADER_LENGTH;
}

/** Writes the checksum into the message [start, end), which is complete but for it. */
export function sealIcmpv6(bytes: Uint8Array, start: number, end: number, pseudoHeaderSum: number): void {
  writeUint16(bytes, start + CHECKSUM, finishChecksum(sumWords(bytes, start, end, pseudoHeaderSum)));
}

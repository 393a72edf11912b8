/**
 * Internet Control Message Protocol, RFC 792.
 *
 *     octet  0      1      2          4              6              8
 *            +------+------+----------+--------------+--------------+--------------------------------
 *     echo   | 8, 0 | 0    | checksum | identifier   | sequence     | payload, returned as it came
 *            +------+------+----------+--------------+--------------+--------------------------------
 *     error  | type | code | checksum | unused (MTU of the next hop)| header and start of the packet
 *            +------+------+----------+-----------------------------+--------------------------------
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import { readUint16, writeUint16 } from './octets.ts';

const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const IDENTIFIER = 4;
const SEQUENCE = 6;
export const ICMPV4_HEADER_LENGTH = 8;

export const ICMPV4_ECHO_REPLY = 0;
export const ICMPV4_UNREACHABLE = 3;
export const ICMPV4_SOURCE_QUENCH = 4;
export const ICMPV4_REDIRECT = 5;
export const ICMPV4_ECHO_REQUEST = 8;
export const ICMPV4_TIME_EXCEEDED = 11;
export const ICMPV4_PARAMETER_PROBLEM = 12;

/** Codes of `ICMPV4_UNREACHABLE`. */
export const NETWORK_UNREACHABLE = 0;
export const HOST_UNREACHABLE = 1;
export const PROTOCOL_UNREACHABLE = 2;
export const PORT_UNREACHABLE = 3;
export const FRAGMENTATION_NEEDED = 4;
/** RFC 1812, 5.2.7.1. */
export const ADMINISTRATIVELY_PROHIBITED = 13;

/** Codes of `ICMPV4_TIME_EXCEEDED`. */
export const TTL_EXCEEDED = 0;
export const REASSEMBLY_TIME_EXCEEDED = 1;

/** A window over a message that already lies in a buffer; `bind` moves it. */
export class Icmpv4View {
  #bytes: Uint8Array = new Uint8Array(ICMPV4_HEADER_LENGTH);
  #start = 0;
  #end = ICMPV4_HEADER_LENGTH;

  /** Moves to bytes [start, end) and verifies the checksum, which covers all of them. */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < ICMPV4_HEADER_LENGTH) return 'truncated';
    if (finishChecksum(sumWords(bytes, start, end)) !== 0) return 'bad-checksum';
    this.#move(bytes, start, end);
    return undefined;
  }

  /** Moves to the start of a message that an ICMP error quotes; its checksum covers what is not there. */
  bindQuoted(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < ICMPV4_HEADER_LENGTH) return 'truncated';
    this.#move(bytes, start, end);
    return undefined;
  }

  #move(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get type(): number {
    return this.#bytes[this.#start + TYPE]!;
  }

  get code(): number {
    return this.#bytes[this.#start + CODE]!;
  }

  /** Of an echo message. */
  get identifier(): number {
    return readUint16(this.#bytes, this.#start + IDENTIFIER);
  }

  /** Of an echo message. */
  get sequence(): number {
    return readUint16(this.#bytes, this.#start + SEQUENCE);
  }

  get payloadStart(): number {
    return this.#start + ICMPV4_HEADER_LENGTH;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

/** The types that report about another packet; no error is ever sent about them (RFC 1122, 3.2.2). */
export function isIcmpv4Error(type: number): boolean {
  switch (type) {
    case ICMPV4_UNREACHABLE:
    case ICMPV4_SOURCE_QUENCH:
    case ICMPV4_REDIRECT:
    case ICMPV4_TIME_EXCEEDED:
    case ICMPV4_PARAMETER_PROBLEM:
      return true;
    default:
      return false;
  }
}

/** The fields of a header; an error leaves identifier and sequence 0. */
export interface Icmpv4Header {
  readonly type: number;
  readonly code: number;
  readonly identifier: number;
  readonly sequence: number;
}

/** Writes a header with the checksum over it and `payload`, which follows it; returns where the payload starts. */
export function emitIcmpv4(header: Icmpv4Header, payload: Uint8Array, out: Uint8Array, at: number): number {
  out[at + TYPE] = header.type;
  out[at + CODE] = header.code;
  writeUint16(out, at + CHECKSUM, 0);
  writeUint16(out, at + IDENTIFIER, header.identifier);
  writeUint16(out, at + SEQUENCE, header.sequence);
  const end = at + ICMPV4_HEADER_LENGTH;
  writeUint16(out, at + CHECKSUM, finishChecksum(sumWords(payload, 0, payload.length, sumWords(out, at, end))));
  return end;
}

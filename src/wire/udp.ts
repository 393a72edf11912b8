/**
 * User Datagram Protocol, RFC 768.
 *
 *     octet  0        2        4        6          8
 *            +--------+--------+--------+----------+---------
 *            | source |  dest. | length | checksum | payload
 *            +--------+--------+--------+----------+---------
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import { readUint16, writeUint16 } from './octets.ts';

const SOURCE = 0;
const DESTINATION = 2;
const LENGTH = 4;
const CHECKSUM = 6;
export const UDP_HEADER_LENGTH = 8;

/** A window over a datagram that already lies in a buffer; `bind` moves it. */
export class UdpView {
  #bytes: Uint8Array = new Uint8Array(UDP_HEADER_LENGTH);
  #start = 0;
  #end = UDP_HEADER_LENGTH;

  /** Moves to bytes [start, end). What lies past the length field is padding and stays outside. */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < UDP_HEADER_LENGTH) return 'truncated';
    const length = readUint16(bytes, start + LENGTH);
    if (length < UDP_HEADER_LENGTH) return 'bad-length';
    if (length > end - start) return 'truncated';
    this.#bytes = bytes;
    this.#start = start;
    this.#end = start + length;
    return undefined;
  }

  /** Moves to the start of a datagram that an ICMP error quotes: not all of it need be there. */
  bindQuoted(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < UDP_HEADER_LENGTH) return 'truncated';
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return undefined;
  }

  get sourcePort(): number {
    return readUint16(this.#bytes, this.#start + SOURCE);
  }

  get destinationPort(): number {
    return readUint16(this.#bytes, this.#start + DESTINATION);
  }

  /** Header and payload, octets. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The sender computed a checksum; over IPv4 it may leave it out. */
  get hasChecksum(): boolean {
    return readUint16(this.#bytes, this.#start + CHECKSUM) !== 0;
  }

  /** The checksum fits the datagram; `pseudoHeaderSum` is that of the packet around it. */
  isIntact(pseudoHeaderSum: number): boolean {
    return finishChecksum(sumWords(this.#bytes, this.#start, this.#end, pseudoHeaderSum)) === 0;
  }

  get payloadStart(): number {
    return this.#start + UDP_HEADER_LENGTH;
  }

  get payloadEnd(): number {
    return this.#end;
  }
}

/** The fields of a header; its length follows from the payload. */
export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Writes a header with the checksum over pseudo header, header and `payload`, which follows it; returns where the payload starts. */
export function emitUdp(
  header: UdpHeader,
  pseudoHeaderSum: number,
  payload: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  writeUint16(out, at + SOURCE, header.sourcePort);
  writeUint16(out, at + DESTINATION, header.destinationPort);
  writeUint16(out, at + LENGTH, UDP_HEADER_LENGTH + payload.length);
  writeUint16(out, at + CHECKSUM, 0);
  const end = at + UDP_HEADER_LENGTH;
  const checksum = finishChecksum(sumWords(payload, 0, payload.length, sumWords(out, at, end, pseudoHeaderSum)));
  // RFC 768: a computed zero travels as all ones, because zero says that there is no checksum.
  writeUint16(out, at + CHECKSUM, checksum === 0 ? 0xffff : checksum);
  return end;
}

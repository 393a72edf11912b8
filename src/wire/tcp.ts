/**
 * Transmission Control Protocol, RFC 9293, 3.1, with the options of RFC 7323 and RFC 2018.
 *
 *     octet  0        2        4          8                12       13      14       16         18       20
 *            +--------+--------+----------+----------------+--------+-------+--------+----------+--------+---------+---------
 *            | source | dest.  | sequence | acknowledgment | length | flags | window | checksum | urgent | options | payload
 *            +--------+--------+----------+----------------+--------+-------+--------+----------+--------+---------+---------
 *
 * The length is in the high half of its octet, in words of four octets.
 */
import { finishChecksum, sumWords } from '../base/checksum.ts';
import type { Defect } from './defect.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

const SOURCE = 0;
const DESTINATION = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const LENGTH = 12;
const FLAGS = 13;
const WINDOW = 14;
export const TCP_CHECKSUM = 16;
/** A header without options. */
export const TCP_HEADER_LENGTH = 20;
/** The longest option list. */
export const TCP_MAX_OPTIONS = 40;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
const OPTION_SACK_PERMITTED = 4;
const OPTION_SACK = 5;
const OPTION_TIMESTAMPS = 8;

/** RFC 7323, appendix A: two NOPs and timestamps, what nearly every segment carries. */
const ALIGNED_TIMESTAMPS = 0x0101080a;
/** Octets of the aligned timestamps. */
export const TIMESTAMPS_LENGTH = 12;
/** RFC 2018, 3: as many ranges as 40 octets hold. */
export const MAX_SACK_RANGES = 4;
/** RFC 7323, 2.3: a larger shift count counts as this. */
const MAX_WINDOW_SCALE = 14;

/** A window over a segment that already lies in a buffer; `bind` moves it, `readOptions` reads the options into fields. */
export class TcpView {
  #bytes: Uint8Array = new Uint8Array(TCP_HEADER_LENGTH);
  #start = 0;
  #headerLength = TCP_HEADER_LENGTH;
  #end = TCP_HEADER_LENGTH;
  /** Octets the sender takes in a segment; 0 where it does not say. */
  mss = 0;
  /** Shift count of its windows; undefined where it does not scale. */
  windowScale: number | undefined;
  permitsSack = false;
  hasTimestamps = false;
  timestamp = 0;
  timestampEcho = 0;
  /** Ranges of `sackRanges` that are filled. */
  sackCount = 0;
  /** First and last sequence number, exclusive, of each range that arrived out of order. */
  readonly sackRanges = new Float64Array(2 * MAX_SACK_RANGES);

  /** Moves to bytes [start, end), all of them the segment's. Options are read by `readOptions`. */
  bind(bytes: Uint8Array, start: number, end: number): Defect | undefined {
    if (end - start < TCP_HEADER_LENGTH) return 'truncated';
    const headerLength = (bytes[start + LENGTH]! >>> 4) * 4;
    if (headerLength < TCP_HEADER_LENGTH) return 'bad-length';
    if (headerLength > end - start) return 'truncated';
    this.#bytes = bytes;
    this.#start = start;
    this.#headerLength = headerLength;
    this.#end = end;
    return undefined;
  }

  /** The checksum fits the segment; `pseudoHeaderSum` is that of the packet around it. */
  isIntact(pseudoHeaderSum: number): boolean {
    return finishChecksum(sumWords(this.#bytes, this.#start, this.#end, pseudoHeaderSum)) === 0;
  }

  get sourcePort(): number {
    return readUint16(this.#bytes, this.#start + SOURCE);
  }

  get destinationPort(): number {
    return readUint16(this.#bytes, this.#start + DESTINATION);
  }

  get sequence(): number {
    return readUint32(this.#bytes, this.#start + SEQUENCE);
  }

  get acknowledgment(): number {
    return readUint32(this.#bytes, this.#start + ACKNOWLEDGMENT);
  }

  get flags(): number {
    return this.#bytes[this.#start + FLAGS]!;
  }

  /** As it stands in the header: not scaled. */
  get window(): number {
    return readUint16(this.#bytes, this.#start + WINDOW);
  }

  /** Header and payload, octets. */
  get length(): number {
    return this.#end - this.#start;
  }

  get payloadStart(): number {
    return this.#start + this.#headerLength;
  }

  get payloadEnd(): number {
    return this.#end;
  }

  /** Reads the options. One that is malformed ends the list; those before it count (RFC 9293, 3.1: unknown ones are skipped). */
  readOptions(): void {
    const bytes = this.#bytes;
    const end = this.#start + this.#headerLength;
    let at = this.#start + TCP_HEADER_LENGTH;
    this.mss = 0;
    this.windowScale = undefined;
    this.permitsSack = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
    if (end - at >= TIMESTAMPS_LENGTH && readUint32(bytes, at) === ALIGNED_TIMESTAMPS) {
      this.#readTimestamps(at + 2);
      at += TIMESTAMPS_LENGTH;
    }
    while (at < end && bytes[at] !== OPTION_END) {
      if (bytes[at] === OPTION_NOP) {
        at++;
        continue;
      }
      const length = at + 1 < end ? bytes[at + 1]! : 0;
      if (length < 2 || at + length > end) return;
      this.#readOption(bytes, at, length);
      at += length;
    }
  }

  #readOption(bytes: Uint8Array, at: number, length: number): void {
    const kind = bytes[at]!;
    if (kind === OPTION_MSS && length === 4) this.mss = readUint16(bytes, at + 2);
    else if (kind === OPTION_WINDOW_SCALE && length === 3)
      this.windowScale = Math.min(bytes[at + 2]!, MAX_WINDOW_SCALE);
    else if (kind === OPTION_SACK_PERMITTED && length === 2) this.permitsSack = true;
    else if (kind === OPTION_TIMESTAMPS && length === 10) this.#readTimestamps(at);
    else if (kind === OPTION_SACK && length % 8 === 2) this.#readSack(at, length);
  }

  #readTimestamps(at: number): void {
    this.hasTimestamps = true;
    this.timestamp = readUint32(this.#bytes, at + 2);
    this.timestampEcho = readUint32(this.#bytes, at + 6);
  }

  #readSack(at: number, length: number): void {
    this.sackCount = Math.min((length - 2) / 8, MAX_SACK_RANGES);
    for (let i = 0; i < 2 * this.sackCount; i++) this.sackRanges[i] = readUint32(this.#bytes, at + 2 + 4 * i);
  }
}

/** Writes a header whose checksum is 0 yet; `optionsLength` octets of options follow it. Returns where they start. */
export function emitTcpHeader(
  out: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  flags: number,
  window: number,
  optionsLength: number,
): number {
  writeUint16(out, at + SOURCE, sourcePort);
  writeUint16(out, at + DESTINATION, destinationPort);
  writeUint32(out, at + SEQUENCE, sequence);
  writeUint32(out, at + ACKNOWLEDGMENT, acknowledgment);
  out[at + LENGTH] = ((TCP_HEADER_LENGTH + optionsLength) / 4) << 4;
  out[at + FLAGS] = flags;
  writeUint16(out, at + WINDOW, window);
  writeUint32(out, at + TCP_CHECKSUM, 0);
  return at + TCP_HEADER_LENGTH;
}

/** Writes timestamps behind two NOPs; returns where the next option starts. */
export function emitTimestamps(out: Uint8Array, at: number, timestamp: number, echo: number): number {
  writeUint32(out, at, ALIGNED_TIMESTAMPS);
  writeUint32(out, at + 4, timestamp);
  writeUint32(out, at + 8, echo);
  return at + TIMESTAMPS_LENGTH;
}

/** Writes the first `count` of `ranges` behind two NOPs; returns where the next option starts. */
export function emitSack(out: Uint8Array, at: number, ranges: Float64Array, count: number): number {
  writeUint32(out, at, 0x01010500 | (2 + 8 * count));
  for (let i = 0; i < 2 * count; i++) writeUint32(out, at + 4 + 4 * i, ranges[i]!);
  return at + sackLength(count);
}

/** Octets of a SACK option with so many ranges, NOPs included. */
export function sackLength(count: number): number {
  return count === 0 ? 0 : 4 + 8 * count;
}

/** What a SYN says of its sender. */
export interface SynOptions {
  readonly mss: number;
  readonly windowScale: number | undefined;
  readonly permitsSack: boolean;
  readonly timestamps: { readonly value: number; readonly echo: number } | undefined;
}

/** Writes a SYN's options, a multiple of four octets; returns where the payload starts. */
export function emitSynOptions(out: Uint8Array, start: number, options: SynOptions): number {
  let at = start;
  writeUint16(out, at, (OPTION_MSS << 8) | 4);
  writeUint16(out, at + 2, options.mss);
  at += 4;
  if (options.permitsSack) {
    writeUint32(out, at, 0x01010000 | (OPTION_SACK_PERMITTED << 8) | 2);
    at += 4;
  }
  if (options.timestamps !== undefined) at = emitTimestamps(out, at, options.timestamps.value, options.timestamps.echo);
  if (options.windowScale !== undefined) {
    writeUint32(out, at, 0x01030300 | options.windowScale);
    at += 4;
  }
  return at;
}

/** Writes segments, from the Ethernet header on, straight into the buffer in which they leave. */
import { finishChecksum, sumWords } from '../../base/checksum.ts';
import { ETHERNET_HEADER_LENGTH } from '../../wire/ethernet.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Mac } from '../../wire/mac.ts';
import { writeUint16 } from '../../wire/octets.ts';
import type { SynOptions } from '../../wire/tcp.ts';
import {
  emitSack,
  emitSynOptions,
  emitTcpHeader,
  emitTimestamps,
  MAX_SACK_RANGES,
  sackLength,
  TCP_CHECKSUM,
  TCP_HEADER_LENGTH,
  TCP_MAX_OPTIONS,
  TIMESTAMPS_LENGTH,
} from '../../wire/tcp.ts';
import type { FlowKey } from '../flow-table.ts';
import type { IpNetwork } from '../ip-network.ts';
import type { Transmitter } from '../transmitter.ts';
import type { SendBuffer } from './send-buffer.ts';
import type { Timestamps } from './timestamps.ts';

/** What the headers of a connection's segments have in common. */
export interface SegmentTemplate {
  readonly network: IpNetwork;
  readonly key: FlowKey;
  /** The addresses as words, added up. */
  readonly addressSum: number;
  readonly timestamps: Timestamps;
}

export class SegmentWriter {
  readonly #transmitter: Transmitter;
  /** Where the flight goes; undefined while nobody has told it. */
  #mac: Mac | undefined;
  #out: Uint8Array = new Uint8Array(0);
  /** Milliseconds, as timestamps count them. */
  #clock = 0;
  /** Filled by who sends a SACK option. */
  readonly sackRanges = new Float64Array(2 * MAX_SACK_RANGES);

  constructor(transmitter: Transmitter) {
    this.#transmitter = transmitter;
  }

  /** Begins a flight of segments; the MAC it goes to, or undefined where it must be asked for first. */
  begin({ network, key }: SegmentTemplate, now: number): Mac | undefined {
    this.#mac = network.begin(key.ends);
    this.#clock = Math.floor(now);
    return this.#mac;
  }

  /** Writes a segment with `length` octets of `buffer` from `offset` on. */
  write(
    template: SegmentTemplate,
    sequence: number,
    acknowledgment: number,
    flags: number,
    window: number,
    sackCount: number,
    buffer: SendBuffer,
    offset: number,
    length: number,
  ): void {
    const { network, timestamps } = template;
    const { localPort, remotePort } = template.key;
    const tcp = ETHERNET_HEADER_LENGTH + network.headerLength;
    const optionsLength = (timestamps.isUsed ? TIMESTAMPS_LENGTH : 0) + sackLength(sackCount);
    const segmentLength = TCP_HEADER_LENGTH + optionsLength + length;
    const start = this.#reserve(tcp + segmentLength);
    const out = this.#out;
    let at = start + tcp;
    at = emitTcpHeader(out, at, localPort, remotePort, sequence, acknowledgment, flags, window, optionsLength);
    if (timestamps.isUsed) at = emitTimestamps(out, at, (this.#clock + timestamps.offset) >>> 0, timestamps.recent);
    if (sackCount > 0) at = emitSack(out, at, this.sackRanges, sackCount);
    if (length > 0) buffer.copy(offset, length, out, at);
    this.#finish(template, start, segmentLength);
  }

  /** Writes a segment that opens a connection. */
  writeSyn(
    template: SegmentTemplate,
    sequence: number,
    acknowledgment: number,
    flags: number,
    window: number,
    options: SynOptions,
  ): void {
    const tcp = ETHERNET_HEADER_LENGTH + template.network.headerLength;
    const start = this.#reserve(tcp + TCP_HEADER_LENGTH + TCP_MAX_OPTIONS);
    const out = this.#out;
    const end = emitSynOptions(out, start + tcp + TCP_HEADER_LENGTH, options);
    const segmentLength = end - start - tcp;
    const { localPort, remotePort } = template.key;
    const optionsLength = segmentLength - TCP_HEADER_LENGTH;
    emitTcpHeader(out, start + tcp, localPort, remotePort, sequence, acknowledgment, flags, window, optionsLength);
    this.#finish(template, start, segmentLength);
  }

  #reserve(length: number): number {
    if (this.#mac === undefined) {
      this.#out = new Uint8Array(length);
      return 0;
    }
    const start = this.#transmitter.reserve(length);
    this.#out = this.#transmitter.bytes;
    return start;
  }

  /** Fills in what depends on the length, and lets the frame go. */
  #finish({ network, key, addressSum }: SegmentTemplate, start: number, segmentLength: number): void {
    const out = this.#out;
    network.emitSegmentHeader(out, start, this.#mac ?? 0, key.ends, addressSum, segmentLength);
    const tcp = start + ETHERNET_HEADER_LENGTH + network.headerLength;
    const end = tcp + segmentLength;
    const pseudoHeader = addressSum + PROTOCOL_TCP + segmentLength;
    writeUint16(out, tcp + TCP_CHECKSUM, finishChecksum(sumWords(out, tcp, end, pseudoHeader)));
    if (this.#mac === undefined) network.wait(out.subarray(0, end));
    else this.#transmitter.commit(start, end - start);
  }
}

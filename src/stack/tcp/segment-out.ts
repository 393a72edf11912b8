/** Writes segments, from the Ethernet header on, straight into the buffer in which they leave. */
import { finishChecksum, sumWords } from '../../base/checksum.ts';
import type { DropSink } from '../../link/drops.ts';
import { batchOf } from '../../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, emitEthernet } from '../../wire/ethernet.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import type { Mac } from '../../wire/mac.ts';
import { writeUint16, writeUint32 } from '../../wire/octets.ts';
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
import type { Addressing } from '../addressing.ts';
import type { Neighbours } from '../neighbours.ts';
import type { Transmitter } from '../transmitter.ts';
import type { FlowKey } from './flow-table.ts';
import type { SendBuffer } from './send-buffer.ts';
import type { Timestamps } from './timestamps.ts';

const IP_AT = ETHERNET_HEADER_LENGTH;
const TCP_AT = IP_AT + IPV4_HEADER_LENGTH;

/** Version, header length, don't fragment, a time to live of 64 and the protocol, as words. */
const VERSION_WORD = 0x4500;
const DONT_FRAGMENT = 0x4000;
const TTL_AND_PROTOCOL = (64 << 8) | PROTOCOL_TCP;

/** What the headers of a connection's segments have in common. */
export interface SegmentTemplate extends FlowKey {
  /** The addresses as words, added up. */
  readonly addressSum: number;
  readonly timestamps: Timestamps;
}

export function addressSumOf(local: Ipv4, remote: Ipv4): number {
  return (local >>> 16) + (local & 0xffff) + (remote >>> 16) + (remote & 0xffff);
}

export class SegmentWriter {
  readonly #transmitter: Transmitter;
  readonly #addressing: Addressing;
  readonly #neighbours: Neighbours<Ipv4>;
  readonly #drops: DropSink;
  /** RFC 6864: nothing of ours is fragmented, so this only has to look alive. */
  #identification = 0;
  /** Where the flight goes; the MAC is undefined while nobody has told it. */
  #hop: Ipv4 | undefined;
  #mac: Mac | undefined;
  #out: Uint8Array = new Uint8Array(0);
  /** Milliseconds, as timestamps count them. */
  #clock = 0;
  /** Filled by who sends a SACK option. */
  readonly sackRanges = new Float64Array(2 * MAX_SACK_RANGES);

  constructor(transmitter: Transmitter, addressing: Addressing, neighbours: Neighbours<Ipv4>, drops: DropSink) {
    this.#transmitter = transmitter;
    this.#addressing = addressing;
    this.#neighbours = neighbours;
    this.#drops = drops;
  }

  /** Begins a flight to `destination`; the MAC it goes to, or undefined where it must be asked for first. */
  begin(destination: Ipv4, now: number): Mac | undefined {
    this.#hop = this.#addressing.nextHop(destination);
    this.#mac = this.#hop === undefined ? undefined : this.#neighbours.resolve(this.#hop);
    this.#clock = Math.floor(now);
    return this.#mac;
  }

  /** Some way leads to where the flight goes. */
  get hasRoute(): boolean {
    return this.#hop !== undefined;
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
    const { localPort, remotePort, timestamps } = template;
    const optionsLength = (timestamps.isUsed ? TIMESTAMPS_LENGTH : 0) + sackLength(sackCount);
    const segmentLength = TCP_HEADER_LENGTH + optionsLength + length;
    const start = this.#reserve(TCP_AT + segmentLength);
    const out = this.#out;
    let at = start + TCP_AT;
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
    const start = this.#reserve(TCP_AT + TCP_HEADER_LENGTH + TCP_MAX_OPTIONS);
    const out = this.#out;
    const end = emitSynOptions(out, start + TCP_AT + TCP_HEADER_LENGTH, options);
    const segmentLength = end - start - TCP_AT;
    const { localPort, remotePort } = template;
    const optionsLength = segmentLength - TCP_HEADER_LENGTH;
    emitTcpHeader(out, start + TCP_AT, localPort, remotePort, sequence, acknowledgment, flags, window, optionsLength);
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
  #finish(template: SegmentTemplate, start: number, segmentLength: number): void {
    const out = this.#out;
    const { localAddress, remoteAddress, addressSum } = template;
    const totalLength = IPV4_HEADER_LENGTH + segmentLength;
    const identification = this.#identification;
    this.#identification = (identification + 1) & 0xffff;
    const ip = emitEthernet(out, start, this.#mac ?? 0, this.#transmitter.mac, ETHERTYPE_IPV4);
    writeUint16(out, ip, VERSION_WORD);
    writeUint16(out, ip + 2, totalLength);
    writeUint16(out, ip + 4, identification);
    writeUint16(out, ip + 6, DONT_FRAGMENT);
    writeUint16(out, ip + 8, TTL_AND_PROTOCOL);
    const ipSum = VERSION_WORD + totalLength + identification + DONT_FRAGMENT + TTL_AND_PROTOCOL + addressSum;
    writeUint16(out, ip + 10, finishChecksum(ipSum));
    writeUint32(out, ip + 12, localAddress);
    writeUint32(out, ip + 16, remoteAddress);
    const tcp = ip + IPV4_HEADER_LENGTH;
    const pseudoHeader = addressSum + PROTOCOL_TCP + segmentLength;
    writeUint16(out, tcp + TCP_CHECKSUM, finishChecksum(sumWords(out, tcp, tcp + segmentLength, pseudoHeader)));
    this.#release(start, TCP_AT + segmentLength);
  }

  #release(start: number, length: number): void {
    if (this.#mac !== undefined) {
      this.#transmitter.commit(start, length);
      return;
    }
    const frame = this.#out.subarray(0, length);
    if (this.#hop === undefined) this.#drops.dropped('ipv4-no-route', batchOf([frame]), 0, 1);
    else this.#neighbours.wait(this.#hop, frame);
  }
}

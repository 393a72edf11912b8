/**
 * The classic capture file with nanoseconds, draft-ietf-opsawg-pcap, written little-endian.
 *
 *     octet  0          4      6      8          12         16           20          24
 *     file   | A1B23C4D | 2    | 4    | 0        | 0        | snap       | link type | packets…
 *     packet | seconds         | ns   | kept     | of       | octets…
 *
 * One link type, no interfaces, no directions, no counts of what was lost.
 */
import type { Direction } from '../link/probe.ts';
import type { CaptureBuffer } from './capture-buffer.ts';
import type { CaptureWriter } from './capture-writer.ts';
import { LINKTYPE_ETHERNET } from './capture-writer.ts';

const NANOSECOND_MAGIC = 0xa1b2_3c4d;
const FILE_HEADER_LENGTH = 24;
const PACKET_HEADER_LENGTH = 16;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;

export class PcapWriter implements CaptureWriter {
  readonly statisticsLength = 0;
  readonly #snapLength: number;
  #seconds = 0;
  #nanoseconds = 0;

  constructor(snapLength: number) {
    this.#snapLength = snapLength;
  }

  header(): Uint8Array {
    const bytes = new Uint8Array(FILE_HEADER_LENGTH);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, NANOSECOND_MAGIC, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, this.#snapLength, true);
    view.setUint32(20, LINKTYPE_ETHERNET, true);
    return bytes;
  }

  setTime(nanoseconds: bigint): void {
    this.#seconds = Number(nanoseconds / NANOSECONDS_PER_SECOND);
    this.#nanoseconds = Number(nanoseconds % NANOSECONDS_PER_SECOND);
  }

  interfaceLength(): number {
    return 0;
  }

  emitInterface(): void {}

  packetLength(captured: number): number {
    return PACKET_HEADER_LENGTH + captured;
  }

  emitPacket(
    out: CaptureBuffer,
    _interfaceNumber: number,
    _direction: Direction,
    bytes: Uint8Array,
    start: number,
    length: number,
    captured: number,
  ): void {
    const at = out.length;
    out.view.setUint32(at, this.#seconds, true);
    out.view.setUint32(at + 4, this.#nanoseconds, true);
    out.view.setUint32(at + 8, captured, true);
    out.view.setUint32(at + 12, length, true);
    out.copy(at + PACKET_HEADER_LENGTH, bytes, start, captured);
    out.length = at + PACKET_HEADER_LENGTH + captured;
  }

  emitStatistics(): void {}
}

/**
 * pcapng, draft-ietf-opsawg-pcapng, written little-endian: one section with an interface per port.
 *
 *     block    +------+--------+---------------------------+--------+
 *              | type | length | body, padded to 32 bits   | length |      length: the whole block, both ends
 *              +------+--------+---------------------------+--------+
 *     option   +------+--------+-------------------------+
 *              | code | length | value, padded to 32 bits|                  code, length: 16 bits; code 0 ends the list
 *              +------+--------+-------------------------+
 *
 *     octet    0        4        8        12       16       20       24       28
 *     SHB  A   | type   | length | 1A2B3C4D | 1, 0 | section length  | options | length |
 *     IDB  1   | type   | length | link, 0 | snap  | options | length |
 *     EPB  6   | type   | length | iface  | time, high, low | kept   | of     | octets, padded | options | length |
 *     ISB  5   | type   | length | iface  | time, high, low | options | length |
 *
 * Times are nanoseconds (if_tsresol 9) in two 32-bit halves. Directions are those of the LAN's port: what a guest sends is inbound.
 */
import type { Direction } from '../link/probe.ts';
import { writeMac } from '../wire/mac.ts';
import type { CaptureBuffer } from './capture-buffer.ts';
import type { CaptureWriter, InterfaceDescription } from './capture-writer.ts';
import { LINKTYPE_ETHERNET } from './capture-writer.ts';

export const SECTION_HEADER_BLOCK = 0x0a0d_0d0a;
export const INTERFACE_DESCRIPTION_BLOCK = 1;
export const INTERFACE_STATISTICS_BLOCK = 5;
export const ENHANCED_PACKET_BLOCK = 6;

export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;

export const SHB_USERAPPL = 4;
export const IF_NAME = 2;
export const IF_DESCRIPTION = 3;
export const IF_MACADDR = 6;
export const IF_TSRESOL = 9;
export const IF_TSOFFSET = 14;
export const EPB_FLAGS = 2;
export const EPB_DROPCOUNT = 4;
export const ISB_IFRECV = 4;
export const ISB_IFDROP = 5;
const END_OF_OPTIONS = 0;

/** Bits 0 and 1 of epb_flags. */
export const FLAG_INBOUND = 0b01;
export const FLAG_OUTBOUND = 0b10;

const NANOSECONDS = 9;
/** Type and length before, length after a block's body. */
const BLOCK_FRAME = 12;
const OPTION_HEADER = 4;
const SECTION_HEADER_BODY = 16;
const INTERFACE_BODY = 8;
const PACKET_BODY = 20;
const PACKET_OPTIONS = OPTION_HEADER + 4 + OPTION_HEADER + 8 + OPTION_HEADER;
const STATISTICS_LENGTH = BLOCK_FRAME + 12 + 2 * (OPTION_HEADER + 8) + OPTION_HEADER;

const USER_APPLICATION = new TextEncoder().encode('vmlan');

const padded = (length: number): number => (length + 3) & ~3;

export class PcapngWriter implements CaptureWriter {
  readonly statisticsLength = STATISTICS_LENGTH;
  readonly #snapLength: number;
  readonly #time = new DataView(new ArrayBuffer(8));
  #timeHigh = 0;
  #timeLow = 0;

  constructor(snapLength: number) {
    this.#snapLength = snapLength;
  }

  header(): Uint8Array {
    const length = BLOCK_FRAME + SECTION_HEADER_BODY + optionLength(USER_APPLICATION) + OPTION_HEADER;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, SECTION_HEADER_BLOCK, true);
    view.setUint32(8, BYTE_ORDER_MAGIC, true);
    view.setUint16(12, 1, true);
    view.setUint16(14, 0, true);
    view.setBigInt64(16, -1n, true); // the section's length is not known
    const end = putOption(bytes, view, 24, SHB_USERAPPL, USER_APPLICATION);
    closeBlock(view, 0, end + OPTION_HEADER);
    return bytes;
  }

  setTime(nanoseconds: bigint): void {
    this.#time.setBigUint64(0, nanoseconds);
    this.#timeHigh = this.#time.getUint32(0);
    this.#timeLow = this.#time.getUint32(4);
  }

  interfaceLength(description: InterfaceDescription): number {
    return interfaceOptions(description).reduce(
      (sum, [, value]) => sum + optionLength(value),
      BLOCK_FRAME + INTERFACE_BODY + OPTION_HEADER,
    );
  }

  emitInterface(out: CaptureBuffer, description: InterfaceDescription): void {
    const { bytes, view, length: start } = out;
    view.setUint32(start, INTERFACE_DESCRIPTION_BLOCK, true);
    view.setUint16(start + 8, LINKTYPE_ETHERNET, true);
    view.setUint16(start + 10, 0, true);
    view.setUint32(start + 12, this.#snapLength, true);
    let at = start + 16;
    for (const [code, value] of interfaceOptions(description)) at = putOption(bytes, view, at, code, value);
    view.setUint32(at, END_OF_OPTIONS, true);
    out.length = closeBlock(view, start, at + OPTION_HEADER);
  }

  packetLength(captured: number): number {
    return BLOCK_FRAME + PACKET_BODY + padded(captured) + PACKET_OPTIONS;
  }

  emitPacket(
    out: CaptureBuffer,
    interfaceNumber: number,
    direction: Direction,
    bytes: Uint8Array,
    from: number,
    length: number,
    captured: number,
    lost: number,
  ): void {
    const { view, length: start } = out;
    let at = start + 28 + padded(captured);
    view.setUint32(at - 4, 0); // the padding; what else lies there is written below
    view.setUint32(start, ENHANCED_PACKET_BLOCK, true);
    view.setUint32(start + 8, interfaceNumber, true);
    view.setUint32(start + 12, this.#timeHigh, true);
    view.setUint32(start + 16, this.#timeLow, true);
    view.setUint32(start + 20, captured, true);
    view.setUint32(start + 24, length, true);
    out.copy(start + 28, bytes, from, captured);
    view.setUint32(at, EPB_FLAGS | (4 << 16), true);
    view.setUint32(at + 4, direction === 'from-guest' ? FLAG_INBOUND : FLAG_OUTBOUND, true);
    at += 8;
    if (lost > 0) at = putCount(view, at, EPB_DROPCOUNT, lost);
    view.setUint32(at, END_OF_OPTIONS, true);
    out.length = closeBlock(view, start, at + OPTION_HEADER);
  }

  emitStatistics(out: CaptureBuffer, interfaceNumber: number, heard: number, lost: number): void {
    const { view, length: start } = out;
    view.setUint32(start, INTERFACE_STATISTICS_BLOCK, true);
    view.setUint32(start + 8, interfaceNumber, true);
    view.setUint32(start + 12, this.#timeHigh, true);
    view.setUint32(start + 16, this.#timeLow, true);
    let at = putCount(view, start + 20, ISB_IFRECV, heard);
    at = putCount(view, at, ISB_IFDROP, lost);
    view.setUint32(at, END_OF_OPTIONS, true);
    out.length = closeBlock(view, start, at + OPTION_HEADER);
  }
}

function interfaceOptions({
  name,
  description,
  mac,
}: InterfaceDescription): readonly (readonly [number, Uint8Array])[] {
  const options: [number, Uint8Array][] = [[IF_NAME, new TextEncoder().encode(name)]];
  if (description !== undefined) options.push([IF_DESCRIPTION, new TextEncoder().encode(description)]);
  if (mac !== undefined) {
    const value = new Uint8Array(6);
    writeMac(value, 0, mac);
    options.push([IF_MACADDR, value]);
  }
  options.push([IF_TSRESOL, Uint8Array.of(NANOSECONDS)]);
  return options;
}

function optionLength(value: Uint8Array): number {
  return OPTION_HEADER + padded(value.length);
}

function putOption(bytes: Uint8Array, view: DataView, at: number, code: number, value: Uint8Array): number {
  view.setUint16(at, code, true);
  view.setUint16(at + 2, value.length, true);
  const end = at + optionLength(value);
  bytes.fill(0, end - 4, end);
  bytes.set(value, at + OPTION_HEADER);
  return end;
}

/** An option whose value is a 64-bit count. */
function putCount(view: DataView, at: number, code: number, count: number): number {
  view.setUint32(at, code | (8 << 16), true);
  view.setUint32(at + 4, count % 0x1_0000_0000, true);
  view.setUint32(at + 8, Math.floor(count / 0x1_0000_0000), true);
  return at + OPTION_HEADER + 8;
}

/** Writes the block's length at both of its ends; `at` is where the second belongs. Returns the block's end. */
function closeBlock(view: DataView, start: number, at: number): number {
  view.setUint32(start + 4, at + 4 - start, true);
  view.setUint32(at, at + 4 - start, true);
  return at + 4;
}

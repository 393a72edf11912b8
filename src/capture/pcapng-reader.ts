/**
 * Reads pcapng (draft-ietf-opsawg-pcapng) as it arrives, in pieces of any size: sections of both byte orders, interfaces with
 * their names and clocks, enhanced packets, statistics. Blocks of other kinds are passed over.
 *
 * The octets may come from anyone: what cannot be right ends the reading with a `Defect`, and what is kept is bounded.
 */
import type { Direction } from '../link/probe.ts';
import type { Defect } from '../wire/defect.ts';
import type { Mac } from '../wire/mac.ts';
import { readMac } from '../wire/mac.ts';
import {
  BYTE_ORDER_MAGIC,
  ENHANCED_PACKET_BLOCK,
  EPB_DROPCOUNT,
  EPB_FLAGS,
  FLAG_INBOUND,
  FLAG_OUTBOUND,
  IF_DESCRIPTION,
  IF_MACADDR,
  IF_NAME,
  IF_TSOFFSET,
  IF_TSRESOL,
  INTERFACE_DESCRIPTION_BLOCK,
  INTERFACE_STATISTICS_BLOCK,
  ISB_IFDROP,
  ISB_IFRECV,
  SECTION_HEADER_BLOCK,
} from './pcapng.ts';

export interface CapturedInterface {
  /** Empty where the file gives none. */
  readonly name: string;
  readonly description: string | undefined;
  readonly mac: Mac | undefined;
  readonly linkType: number;
  readonly snapLength: number;
  /** As its last statistics say: packets that came, and of these those that were lost. */
  readonly heard: number | undefined;
  readonly lost: number | undefined;
}

export interface CapturedPacket {
  readonly interfaceName: string;
  readonly direction: Direction | undefined;
  /** Since 1970-01-01 UTC. */
  readonly nanoseconds: bigint;
  readonly originalLength: number;
  readonly bytes: Uint8Array;
  /** Packets of this interface that were lost before this one. */
  readonly lostBefore: number;
}

/** A block that claims to be longer is a defect. */
const MAX_BLOCK_LENGTH = 1024 * 1024;
/** A section that describes more interfaces is a defect. */
const MAX_INTERFACES = 65_536;
const MIN_BLOCK_LENGTH = 12;
/** Type, length and byte order of a section header: needed before its length can be read. */
const SECTION_PREFIX = 12;

interface Clock {
  /** Nanoseconds are ticks × multiplier ÷ divisor + offset. */
  multiplier: bigint;
  divisor: bigint;
  offset: bigint;
}

type Interface = { -readonly [K in keyof CapturedInterface]: CapturedInterface[K] } & Clock;

export class PcapngReader {
  #buffer = new Uint8Array(4096);
  #view = new DataView(this.#buffer.buffer);
  /** Octets [#from, #to) of the buffer are not read yet. */
  #from = 0;
  #to = 0;
  #isLittleEndian = true;
  #isInSection = false;
  #interfaces: Interface[] = [];
  #defect: Defect | undefined;
  #packets: CapturedPacket[] = [];

  /** What ended the reading; more octets change nothing. */
  get defect(): Defect | undefined {
    return this.#defect;
  }

  /** Those of the current section so far, in the file's order. */
  get interfaces(): readonly CapturedInterface[] {
    return this.#interfaces;
  }

  /** Whether the octets so far end with a whole block. */
  get isAtBlockEnd(): boolean {
    return this.#from === this.#to;
  }

  /** Takes the file's next octets; returns the packets that are complete now. */
  feed(bytes: Uint8Array): readonly CapturedPacket[] {
    if (this.#defect !== undefined) return [];
    this.#append(bytes);
    this.#packets = [];
    this.#defect = this.#readBlocks();
    return this.#packets;
  }

  #append(bytes: Uint8Array): void {
    const waiting = this.#to - this.#from;
    if (this.#to + bytes.length > this.#buffer.length) {
      const needed = waiting + bytes.length;
      const target = needed > this.#buffer.length ? new Uint8Array(2 * needed) : this.#buffer;
      target.set(this.#buffer.subarray(this.#from, this.#to));
      this.#buffer = target;
      this.#view = new DataView(target.buffer);
      this.#from = 0;
      this.#to = waiting;
    }
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  #readBlocks(): Defect | undefined {
    for (;;) {
      const start = this.#from;
      const available = this.#to - start;
      if (available < SECTION_PREFIX) return undefined;
      const isSection = this.#view.getUint32(start) === SECTION_HEADER_BLOCK; // the same in both byte orders
      if (!isSection && !this.#isInSection) return 'bad-value';
      if (isSection && !this.#readByteOrder(start + 8)) return 'bad-value';
      const length = this.#uint32(start + 4);
      if (length < MIN_BLOCK_LENGTH || length > MAX_BLOCK_LENGTH || length % 4 !== 0) return 'bad-length';
      if (available < length) return undefined;
      if (this.#uint32(start + length - 4) !== length) return 'bad-length';
      const defect = this.#readBlock(this.#uint32(start), start + 8, start + length - 4);
      if (defect !== undefined) return defect;
      this.#from = start + length;
    }
  }

  #readByteOrder(at: number): boolean {
    this.#isLittleEndian = this.#view.getUint32(at, true) === BYTE_ORDER_MAGIC;
    return this.#isLittleEndian || this.#view.getUint32(at) === BYTE_ORDER_MAGIC;
  }

  /** The block's body is octets [at, end). */
  #readBlock(type: number, at: number, end: number): Defect | undefined {
    switch (type) {
      case SECTION_HEADER_BLOCK:
        return this.#readSection(at, end);
      case INTERFACE_DESCRIPTION_BLOCK:
        return this.#readInterface(at, end);
      case ENHANCED_PACKET_BLOCK:
        return this.#readPacket(at, end);
      case INTERFACE_STATISTICS_BLOCK:
        return this.#readStatistics(at, end);
      default:
        return undefined;
    }
  }

  #readSection(at: number, end: number): Defect | undefined {
    if (end - at < 16) return 'bad-length';
    if (this.#uint16(at + 4) !== 1) return 'bad-version';
    this.#isInSection = true;
    this.#interfaces = [];
    return undefined;
  }

  #readInterface(at: number, end: number): Defect | undefined {
    if (end - at < 8) return 'bad-length';
    if (this.#interfaces.length === MAX_INTERFACES) return 'bad-value';
    const added: Interface = {
      name: '',
      description: undefined,
      mac: undefined,
      linkType: this.#uint16(at),
      snapLength: this.#uint32(at + 4),
      heard: undefined,
      lost: undefined,
      multiplier: 1000n, // without if_tsresol, ticks are microseconds
      divisor: 1n,
      offset: 0n,
    };
    this.#interfaces.push(added);
    return this.#eachOption(at + 8, end, (code, value, length) => {
      if (code === IF_NAME) added.name = this.#text(value, length);
      else if (code === IF_DESCRIPTION) added.description = this.#text(value, length);
      else if (code === IF_MACADDR && length === 6) added.mac = readMac(this.#buffer, value);
      else if (code === IF_TSRESOL && length === 1) setResolution(added, this.#buffer[value]!);
      else if (code === IF_TSOFFSET && length === 8)
        added.offset = this.#view.getBigInt64(value, this.#isLittleEndian) * 1_000_000_000n;
    });
  }

  #readPacket(at: number, end: number): Defect | undefined {
    if (end - at < 20) return 'bad-length';
    const from = this.#interfaces[this.#uint32(at)];
    if (from === undefined) return 'bad-value';
    const captured = this.#uint32(at + 12);
    const paddedEnd = at + 20 + Math.ceil(captured / 4) * 4;
    if (paddedEnd > end) return 'bad-length';
    const ticks = (BigInt(this.#uint32(at + 4)) << 32n) | BigInt(this.#uint32(at + 8));
    let direction: Direction | undefined;
    let lostBefore = 0;
    const defect = this.#eachOption(paddedEnd, end, (code, value, length) => {
      if (code === EPB_FLAGS && length === 4) direction = directionOf(this.#uint32(value));
      else if (code === EPB_DROPCOUNT && length === 8) lostBefore = this.#count(value);
    });
    if (defect !== undefined) return defect;
    this.#packets.push({
      interfaceName: from.name,
      direction,
      nanoseconds: (ticks * from.multiplier) / from.divisor + from.offset,
      originalLength: this.#uint32(at + 16),
      bytes: this.#buffer.slice(at + 20, at + 20 + captured),
      lostBefore,
    });
    return undefined;
  }

  #readStatistics(at: number, end: number): Defect | undefined {
    if (end - at < 12) return 'bad-length';
    const of = this.#interfaces[this.#uint32(at)];
    if (of === undefined) return 'bad-value';
    return this.#eachOption(at + 12, end, (code, value, length) => {
      if (code === ISB_IFRECV && length === 8) of.heard = this.#count(value);
      else if (code === ISB_IFDROP && length === 8) of.lost = this.#count(value);
    });
  }

  #eachOption(
    start: number,
    end: number,
    take: (code: number, value: number, length: number) => void,
  ): Defect | undefined {
    let at = start;
    while (at < end) {
      const code = this.#uint16(at);
      const length = this.#uint16(at + 2);
      if (code === 0) return undefined;
      const next = at + 4 + Math.ceil(length / 4) * 4;
      if (next > end) return 'bad-length';
      take(code, at + 4, length);
      at = next;
    }
    return undefined;
  }

  #text(at: number, length: number): string {
    return new TextDecoder().decode(this.#buffer.subarray(at, at + length));
  }

  #uint16(at: number): number {
    return this.#view.getUint16(at, this.#isLittleEndian);
  }

  #uint32(at: number): number {
    return this.#view.getUint32(at, this.#isLittleEndian);
  }

  #count(at: number): number {
    return Number(this.#view.getBigUint64(at, this.#isLittleEndian));
  }
}

/** if_tsresol: a negative power of ten, or of two where the highest bit is set. */
function setResolution(clock: Clock, resolution: number): void {
  const exponent = BigInt(resolution & 0x7f);
  clock.multiplier = 1_000_000_000n;
  clock.divisor = (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
}

function directionOf(flags: number): Direction | undefined {
  const bits = flags & 0b11;
  if (bits === FLAG_INBOUND) return 'from-guest';
  return bits === FLAG_OUTBOUND ? 'to-guest' : undefined;
}

/**
 * The framing of QEMU's `stream` and `socket` netdevs: each frame follows its length, four octets, big-endian.
 *
 * Octets from a socket land in `space()` and are announced by `received(n)`; complete frames leave as a batch that lies in the
 * same buffer. A frame that is cut by the end of a read stays in place and the next read continues behind it.
 *
 * QEMU accepts lengths up to 69 632 (4096 + 65 536) and stops reading for good at 0, so those limits are faults here: after one
 * the place in the stream is lost, the owner closes the port. Frames shorter than an Ethernet header are dropped by name.
 */
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { readUint32 } from '../wire/octets.ts';
import type { DropSink } from './drops.ts';
import type { FrameSink } from './frame-batch.ts';
import { FrameBatch, LENGTH_PREFIX } from './frame-batch.ts';

export const MAX_FRAME_LENGTH = 69_632;

/** Half is room for a read, the rest takes the frame that the read before it cut. */
const BUFFER_LENGTH = 256 * 1024;
/** What a machine has until it first had more to say: most say little, and a lab has hundreds. */
const FIRST_BUFFER_LENGTH = 32 * 1024;
const FIRST_CAPACITY = 1024;

/** Buffers that are kept when they come back from those who retained them: a new one costs its pages, more than its frames do. */
const SPARES = 2;

export type FramingFault = 'zero-length' | 'oversized-length';

export class StreamFraming {
  readonly #sink: FrameSink;
  readonly #drops: DropSink;
  readonly #onFault: (fault: FramingFault, length: number) => void;
  #batch = new FrameBatch(new Uint8Array(FIRST_BUFFER_LENGTH), FIRST_CAPACITY);
  readonly #spares: Uint8Array[] = [];
  /** Octets [#from, #to) of the buffer are a frame that is not complete yet. */
  #from = 0;
  #to = 0;
  #faulted = false;

  constructor(sink: FrameSink, drops: DropSink, onFault: (fault: FramingFault, length: number) => void) {
    this.#sink = sink;
    this.#drops = drops;
    this.#onFault = onFault;
  }

  /** Where the next octets belong: at least half of the buffer, or what is left of the first one. */
  space(): Uint8Array {
    return this.#batch.bytes.subarray(this.#to);
  }

  /** `length` octets lie at the start of what `space()` gave; passes on every frame that is complete, and says how many there were. */
  received(length: number): number {
    if (this.#faulted) return 0;
    this.#to += length;
    const frames = this.#split();
    this.#makeRoom();
    return frames;
  }

  #split(): number {
    const batch = this.#batch;
    const bytes = batch.bytes;
    let at = this.#from;
    let frames = 0;
    while (this.#to - at >= LENGTH_PREFIX) {
      const length = readUint32(bytes, at);
      const start = at + LENGTH_PREFIX;
      if (length === 0 || length > MAX_FRAME_LENGTH) {
        this.#flush();
        this.#faulted = true;
        this.#onFault(length === 0 ? 'zero-length' : 'oversized-length', length);
        return frames;
      }
      if (start + length > this.#to) break;
      at = start + length;
      frames++;
      if (length < ETHERNET_HEADER_LENGTH) {
        this.#flush();
        this.#refuse(start, at);
      } else {
        batch.add(start, at);
        if (batch.isFull) this.#flush();
      }
    }
    this.#flush();
    this.#from = at;
    return frames;
  }

  #flush(): void {
    if (this.#batch.count === 0) return;
    this.#sink.push(this.#batch, 0, this.#batch.count);
    this.#batch.count = 0;
  }

  #refuse(start: number, end: number): void {
    this.#batch.add(start, end);
    this.#drops.dropped('runt', this.#batch, 0, 1);
    this.#batch.count = 0;
  }

  /** Leaves a retained buffer alone, takes a larger one when the first is full, and moves a cut frame to the front when too little room is left behind it. */
  #makeRoom(): void {
    const batch = this.#batch;
    const { length } = batch.bytes;
    const cut = this.#to - this.#from;
    if (this.#to === length && length < BUFFER_LENGTH) {
      this.#batch = new FrameBatch(new Uint8Array(BUFFER_LENGTH));
      this.#batch.bytes.set(batch.bytes.subarray(this.#from, this.#to));
      this.#spares.length = 0;
    } else if (batch.loan !== undefined) {
      batch.loan.reclaim((bytes) => this.#takeBack(bytes));
      const fresh = this.#spares.pop() ?? new Uint8Array(length);
      fresh.set(batch.bytes.subarray(this.#from, this.#to));
      batch.reset(fresh);
    } else if (cut > 0 && length - this.#to >= length / 2) {
      return;
    } else if (cut > 0) {
      batch.bytes.copyWithin(0, this.#from, this.#to);
    }
    this.#from = 0;
    this.#to = cut;
  }

  #takeBack(bytes: Uint8Array): void {
    if (this.#spares.length < SPARES && bytes.length === this.#batch.bytes.length) this.#spares.push(bytes);
  }
}

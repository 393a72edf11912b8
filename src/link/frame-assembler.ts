/**
 * Builds the frames that a station of our own sends, in place, and passes them on together.
 *
 *     const start = assembler.reserve(length);      // write the frame at assembler.bytes[start..]
 *     assembler.commit(start, length);              // pads to 60 octets
 *     assembler.flush();                            // one push for all of them
 */
import { ETHERNET_MIN_LENGTH } from '../wire/ethernet.ts';
import { writeUint32 } from '../wire/octets.ts';
import type { FrameSink } from './frame-batch.ts';
import { FrameBatch, LENGTH_PREFIX } from './frame-batch.ts';
import { MAX_FRAME_LENGTH } from './stream-framing.ts';

const BUFFER_LENGTH = 4 * (MAX_FRAME_LENGTH + LENGTH_PREFIX);

/** Buffers that are kept when they come back from those who retained them: a new one costs its pages, more than its frames do. */
const SPARE_BUFFERS = 2;

/** Frames that leave together at most. */
const CAPACITY = 1024;

const emptyBatch = (): FrameBatch => new FrameBatch(new Uint8Array(BUFFER_LENGTH), CAPACITY);

export class FrameAssembler {
  readonly #sink: FrameSink;
  #batch = emptyBatch();
  /** Takes over while the other batch is on loan: an answer to it may be built before `flush` returns. */
  #spare: FrameBatch | undefined;
  readonly #buffers: Uint8Array[] = [];
  readonly #takeBack = (bytes: Uint8Array): void => {
    if (this.#buffers.length < SPARE_BUFFERS) this.#buffers.push(bytes);
  };
  #end = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** The buffer that the last `reserve` was about. */
  get bytes(): Uint8Array {
    return this.#batch.bytes;
  }

  /** Room for a frame of up to `length` octets; returns its offset. What was committed before may leave now. */
  reserve(length: number): number {
    if (this.#batch.isFull || this.#end + LENGTH_PREFIX + Math.max(length, ETHERNET_MIN_LENGTH) > BUFFER_LENGTH)
      this.flush();
    return this.#end + LENGTH_PREFIX;
  }

  /** The frame at the reserved offset is `length` octets long; short ones are padded with zeros (RFC 894). */
  commit(start: number, length: number): void {
    const padded = Math.max(length, ETHERNET_MIN_LENGTH);
    if (padded > length) this.bytes.fill(0, start + length, start + padded);
    writeUint32(this.bytes, start - LENGTH_PREFIX, padded);
    this.#batch.add(start, start + padded);
    this.#end = start + padded;
  }

  /** Room for frames [first, end) of another batch, or as many of them as fit; returns the index behind the last. */
  reserveRun(batch: FrameBatch, first: number, end: number): number {
    let fitting = this.#fitting(batch, first, end);
    while (fitting === first) {
      this.flush();
      fitting = this.#fitting(batch, first, end);
    }
    return fitting;
  }

  #fitting(batch: FrameBatch, first: number, end: number): number {
    const lastEnd = batch.starts[first]! - LENGTH_PREFIX + BUFFER_LENGTH - this.#end;
    let fitting = Math.min(end, first + CAPACITY - this.#batch.count);
    while (fitting > first && batch.ends[fitting - 1]! > lastEnd) fitting--;
    return fitting;
  }

  /** Copies the neighbouring frames that room was reserved for, as they are; returns how far each lies from where it was. */
  commitRun(batch: FrameBatch, first: number, end: number): number {
    const from = batch.starts[first]! - LENGTH_PREFIX;
    const to = batch.ends[end - 1]!;
    const shift = this.#end - from;
    this.bytes.set(batch.bytes.subarray(from, to), this.#end);
    for (let i = first; i < end; i++) this.#batch.add(batch.starts[i]! + shift, batch.ends[i]! + shift);
    this.#end += to - from;
    return shift;
  }

  flush(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    this.#batch = this.#spare ?? emptyBatch();
    this.#spare = undefined;
    this.#end = 0;
    this.#sink.push(batch, 0, batch.count);
    const { loan } = batch;
    batch.reset(loan === undefined ? batch.bytes : (this.#buffers.pop() ?? new Uint8Array(BUFFER_LENGTH)));
    loan?.reclaim(this.#takeBack);
    this.#spare = batch;
  }
}

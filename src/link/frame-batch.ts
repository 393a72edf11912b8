/**
 * Frames that arrived together: one buffer and two index arrays.
 *
 *     bytes   | length | frame 0        | length | frame 1 | length | frame 2     |
 *                      ^starts[0]       ^ends[0] ^starts[1]..
 *
 * Each frame is preceded by its length in four octets, big-endian, as QEMU's `stream` and `socket` netdevs write it, so a run of
 * neighbouring frames leaves on a stream as one slice. Frames are adjacent (each ends where the next one's prefix begins) and
 * hold a whole Ethernet header.
 *
 * Index and bytes are on loan until the call that passed them returns, and nobody writes into them. Who needs the bytes longer
 * calls `retain()` (their owner then leaves that buffer alone and takes another, until the loan is released) or copies what is small.
 */
import type { Lender } from '../base/loan.ts';
import { Loan } from '../base/loan.ts';
import { writeUint32 } from '../wire/octets.ts';

export const LENGTH_PREFIX = 4;

/** Frames a batch can index; who fills one passes it on when it is full. */
const CAPACITY = 4096;

export class FrameBatch implements Lender {
  bytes: Uint8Array;
  /** Offset of each frame's destination address. */
  readonly starts: Uint32Array;
  /** Offset behind each frame's last octet. */
  readonly ends: Uint32Array;
  count = 0;
  #loan: Loan | undefined;

  constructor(bytes: Uint8Array, capacity = CAPACITY) {
    this.bytes = bytes;
    this.starts = new Uint32Array(capacity);
    this.ends = new Uint32Array(capacity);
  }

  get isFull(): boolean {
    return this.count === this.starts.length;
  }

  /** Set where somebody needs the bytes after the call returned. */
  get loan(): Loan | undefined {
    return this.#loan;
  }

  /** The bytes are needed after the call returned, until the loan is released. Each holder releases once. */
  retain(): Loan {
    this.#loan ??= new Loan(this.bytes);
    this.#loan.extend();
    return this.#loan;
  }

  add(start: number, end: number): void {
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.count++;
  }

  /** Empties the index; `bytes` is a buffer that nobody else reads. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
    this.#loan = undefined;
  }
}

/** Everything that takes frames: frames [first, end) of the batch, on loan until the call returns. */
export interface FrameSink {
  push(batch: FrameBatch, first: number, end: number): void;
}

/** Octets of frames [first, end), length prefixes left out. */
export function octetsOf(batch: FrameBatch, first: number, end: number): number {
  return end > first ? batch.ends[end - 1]! - batch.starts[first]! - LENGTH_PREFIX * (end - 1 - first) : 0;
}

/** A copy of one frame. */
export function sliceOf(batch: FrameBatch, index: number): Uint8Array {
  return batch.bytes.slice(batch.starts[index]!, batch.ends[index]!);
}

/** A batch of its own, holding copies of the frames. */
export function batchOf(frames: readonly Uint8Array[]): FrameBatch {
  const octets = frames.reduce((sum, frame) => sum + LENGTH_PREFIX + frame.length, 0);
  const batch = new FrameBatch(new Uint8Array(octets), Math.max(1, frames.length));
  let at = 0;
  for (const frame of frames) {
    writeUint32(batch.bytes, at, frame.length);
    batch.bytes.set(frame, at + LENGTH_PREFIX);
    batch.add(at + LENGTH_PREFIX, at + LENGTH_PREFIX + frame.length);
    at += LENGTH_PREFIX + frame.length;
  }
  return batch;
}

/** A batch of its own, holding a copy of frames [first, end). */
export function copyOf(batch: FrameBatch, first: number, end: number): FrameBatch {
  const from = batch.starts[first]! - LENGTH_PREFIX;
  const copy = new FrameBatch(batch.bytes.slice(from, batch.ends[end - 1]!), end - first);
  for (let i = first; i < end; i++) copy.add(batch.starts[i]! - from, batch.ends[i]! - from);
  return copy;
}

/** A batch of its own over the same bytes, which somebody else retains for it: an index of frames [first, end). */
export function sameBytes(batch: FrameBatch, first: number, end: number): FrameBatch {
  const same = new FrameBatch(batch.bytes, end - first);
  same.starts.set(batch.starts.subarray(first, end));
  same.ends.set(batch.ends.subarray(first, end));
  same.count = end - first;
  return same;
}

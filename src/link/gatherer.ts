import type { Loan } from '../base/loan.ts';
import type { FrameSink } from './frame-batch.ts';
import { FrameBatch, LENGTH_PREFIX } from './frame-batch.ts';

const INITIAL_LENGTH = 256 * 1024;

/** Copies frames that lie scattered into one batch of neighbours, so that they leave together. */
export class Gatherer {
  readonly #batch = new FrameBatch(new Uint8Array(INITIAL_LENGTH));
  /** A buffer that a port retained and gave back. */
  #spare: Uint8Array | undefined;
  #end = 0;

  /** The batch can index no more; what was added must be released first. */
  get isFull(): boolean {
    return this.#batch.isFull;
  }

  /** Adds frames [first, end), prefixes included. A batch's frames fit. */
  add(batch: FrameBatch, first: number, end: number): void {
    const from = batch.starts[first]! - LENGTH_PREFIX;
    const to = batch.ends[end - 1]!;
    if (this.#end + to - from > this.#batch.bytes.length) this.#grow(this.#end + to - from);
    this.#batch.bytes.set(batch.bytes.subarray(from, to), this.#end);
    const shift = this.#end - from;
    for (let i = first; i < end; i++) this.#batch.add(batch.starts[i]! + shift, batch.ends[i]! + shift);
    this.#end += to - from;
  }

  /** Passes on what was added, as one run, and starts anew. */
  release(sink: FrameSink): void {
    const batch = this.#batch;
    sink.push(batch, 0, batch.count);
    if (batch.loan === undefined) batch.reset(batch.bytes);
    else this.#replace(batch.loan, batch.bytes.length);
    this.#end = 0;
  }

  #replace(loan: Loan, length: number): void {
    loan.reclaim((bytes) => {
      this.#spare = bytes;
    });
    const spare = this.#spare;
    this.#spare = undefined;
    this.#batch.reset(spare !== undefined && spare.length >= length ? spare : new Uint8Array(length));
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#batch.bytes.length));
    larger.set(this.#batch.bytes.subarray(0, this.#end));
    this.#batch.bytes = larger;
  }
}

/**
 * Frames that wait, each for its own time: copies, given back in the order of their times, and of one time in the order they came.
 *
 *     add ──> | block | block | block    frames in the order they came, one copy each
 *                 ↑       ↑
 *     take <── heap of slots             the earliest on top
 *
 * A block is used anew when the last of its frames has left.
 */
import type { Millis } from '../base/time.ts';
import { FrameBatch, LENGTH_PREFIX } from './frame-batch.ts';

/** Room for three frames of the greatest length, or 170 of Ethernet's. */
const BLOCK_LENGTH = 256 * 1024;
/** 64 MiB in all. */
const MAX_BLOCKS = 256;

class Block {
  readonly batch = new FrameBatch(new Uint8Array(BLOCK_LENGTH));
  end = 0;
  waiting = 0;

  hasRoom(octets: number): boolean {
    return !this.batch.isFull && this.end + octets <= BLOCK_LENGTH;
  }

  /** Copies a frame with its prefix; returns its index. */
  add(batch: FrameBatch, index: number): number {
    const from = batch.starts[index]! - LENGTH_PREFIX;
    const to = batch.ends[index]!;
    this.batch.bytes.set(batch.bytes.subarray(from, to), this.end);
    this.batch.add(this.end + LENGTH_PREFIX, this.end + to - from);
    this.end += to - from;
    this.waiting++;
    return this.batch.count - 1;
  }

  clear(): void {
    this.batch.reset(this.batch.bytes);
    this.end = 0;
  }
}

export class WaitingFrames {
  /** Of each slot: when its frame leaves, how many came before, and where it lies. */
  readonly #dues: Millis[] = [];
  readonly #orders: number[] = [];
  readonly #blocks: (Block | undefined)[] = [];
  readonly #indices: number[] = [];
  readonly #freeSlots: number[] = [];
  /** A binary heap of slots. */
  readonly #heap: number[] = [];
  #added = 0;
  #filling: Block | undefined;
  #spare: Block | undefined;
  #blockCount = 0;

  get count(): number {
    return this.#heap.length;
  }

  /** When the first one leaves; infinity where none waits. */
  get nextDue(): Millis {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#dues[this.#heap[0]!]!;
  }

  /** Keeps a copy of the frame until `due`; false where there is no room for it. */
  add(batch: FrameBatch, index: number, due: Millis): boolean {
    const block = this.#blockFor(batch.ends[index]! - batch.starts[index]! + LENGTH_PREFIX);
    if (block === undefined) return false;
    const slot = this.#freeSlots.pop() ?? this.#dues.length;
    this.#dues[slot] = due;
    this.#orders[slot] = this.#added++;
    this.#blocks[slot] = block;
    this.#indices[slot] = block.add(batch, index);
    this.#heap.push(slot);
    this.#rise(this.#heap.length - 1);
    return true;
  }

  /** Takes out the first one, which is on loan to `use`. One must wait. */
  take(use: (batch: FrameBatch, index: number) => void): void {
    const slot = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    const block = this.#blocks[slot]!;
    use(block.batch, this.#indices[slot]!);
    this.#blocks[slot] = undefined;
    this.#freeSlots.push(slot);
    block.waiting--;
    if (block.waiting === 0) this.#emptied(block);
  }

  /** Gives every frame another time, asked in the order in which they would leave; an earlier one must not get a later time. */
  reschedule(dueOf: (due: Millis, octets: number) => Millis): void {
    this.#heap.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
    for (const slot of this.#heap) {
      const { starts, ends } = this.#blocks[slot]!.batch;
      const index = this.#indices[slot]!;
      this.#dues[slot] = dueOf(this.#dues[slot]!, ends[index]! - starts[index]!);
      this.#orders[slot] = this.#added++; // sorted as it is, the array is a heap
    }
  }

  #blockFor(octets: number): Block | undefined {
    if (this.#filling?.hasRoom(octets)) return this.#filling;
    if (this.#spare === undefined && this.#blockCount === MAX_BLOCKS) return undefined;
    if (this.#spare === undefined) this.#blockCount++;
    this.#filling = this.#spare ?? new Block();
    this.#spare = undefined;
    return this.#filling;
  }

  #emptied(block: Block): void {
    block.clear();
    if (block === this.#filling) return;
    if (this.#spare === undefined) this.#spare = block;
    else this.#blockCount--;
  }

  #isBefore(a: number, b: number): boolean {
    const dues = this.#dues;
    return dues[a]! < dues[b]! || (dues[a] === dues[b] && this.#orders[a]! < this.#orders[b]!);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const slot = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(slot, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = slot;
  }

  /** Puts `slot` on top, and lets it sink to its place. */
  #sink(slot: number): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, slot)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = slot;
  }
}

/**
 * One timer for all connections: a heap of the times at which they want to be called.
 *
 * Deadlines move with nearly every segment, mostly to later. So an entry stays where it is when its deadline becomes later, and
 * is put in its new place when its old time comes; only an earlier deadline moves it at once.
 */
import type { Millis, Scheduler, Timer } from '../../base/time.ts';

export interface DeadlineOwner {
  /** When it wants to be called; infinity: never. */
  readonly deadline: Millis;
  /** The heap's: place in it, -1 outside, and the time under which it stands there. */
  heapIndex: number;
  heapTime: Millis;
  expire(now: Millis): void;
}

export class Deadlines {
  readonly #scheduler: Scheduler;
  readonly #timer: Timer;
  readonly #heap: DeadlineOwner[] = [];
  #armedAt: Millis = Number.POSITIVE_INFINITY;

  /** `during` wraps the work of those that are called. */
  constructor(scheduler: Scheduler, during: (work: () => void) => void) {
    this.#scheduler = scheduler;
    this.#timer = scheduler.timer(() => during(() => this.#fire()));
  }

  /** The owner's deadline may have changed. */
  update(owner: DeadlineOwner): void {
    const { deadline } = owner;
    if (owner.heapIndex >= 0 && owner.heapTime <= deadline) return;
    if (deadline === Number.POSITIVE_INFINITY) return;
    owner.heapTime = deadline;
    if (owner.heapIndex < 0) {
      owner.heapIndex = this.#heap.length;
      this.#heap.push(owner);
    }
    this.#rise(owner.heapIndex);
    this.#arm();
  }

  /** The owner is gone. */
  remove(owner: DeadlineOwner): void {
    const index = owner.heapIndex;
    if (index < 0) return;
    owner.heapIndex = -1;
    const last = this.#heap.pop()!;
    if (last === owner) return;
    this.#place(last, index);
    this.#rise(index);
    this.#sink(last.heapIndex);
  }

  #fire(): void {
    this.#armedAt = Number.POSITIVE_INFINITY;
    const now = this.#scheduler.now();
    for (let first = this.#heap[0]; first !== undefined && first.heapTime <= now; first = this.#heap[0]) {
      this.remove(first);
      if (first.deadline <= now) first.expire(now);
      this.update(first);
    }
    this.#arm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.heapTime >= this.#armedAt) return;
    this.#armedAt = first.heapTime;
    this.#timer.arm(first.heapTime);
  }

  #place(owner: DeadlineOwner, index: number): void {
    this.#heap[index] = owner;
    owner.heapIndex = index;
  }

  #rise(from: number): void {
    const owner = this.#heap[from]!;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#heap[parent]!.heapTime <= owner.heapTime) break;
      this.#place(this.#heap[parent]!, index);
      index = parent;
    }
    this.#place(owner, index);
  }

  #sink(from: number): void {
    const owner = this.#heap[from]!;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.heapTime < this.#heap[child]!.heapTime) child++;
      if (this.#heap[child]!.heapTime >= owner.heapTime) break;
      this.#place(this.#heap[child]!, index);
      index = child;
    }
    this.#place(owner, index);
  }
}

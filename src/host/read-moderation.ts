/**
 * Lets frames gather before they are read, as network cards moderate their interrupts.
 *
 * QEMU writes frame by frame. A process that wakes up for each spends some ten microseconds on it; one that finds many at once spends one
 * or two on each. So while a machine sends in bulk, the thread sleeps for a moment after a read that brought little, and the next one
 * brings more. The machine has the processor meanwhile, and its socket has room for what it sends.
 *
 * Bulk is a rate of reads that no conversation of questions and answers reaches: those are never delayed. It is over when a pause has
 * gathered no more than there would have been without.
 */
import type { Millis } from '../base/time.ts';

/** A read that comes so soon after what the one before caused was done is quick. */
const QUICK: Millis = 0.04;
/** So many quick reads in a row are bulk. */
const BULK_READS = 16;
/** Frames in a read that made a pause worth while, and those that need none. */
const FEW_FRAMES = 3;
const MANY_FRAMES = 48;
/** How long the thread sleeps; the system adds its timer slack, some 50 µs. */
const PAUSE: Millis = 0.1;

/** The thread that sleeps, for whichever machine: one pause serves all. */
export interface Sleeper {
  now(): Millis;
  /** Sleeps for so long, and a little longer. */
  sleep(time: Millis): void;
  /** When it slept last. */
  wokeAt: Millis;
}

const flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

const thisThread: Sleeper = {
  now: () => performance.now(),
  sleep: (time) => void Atomics.wait(flag, 0, 0, time),
  wokeAt: Number.NEGATIVE_INFINITY,
};

export class ReadModeration {
  readonly #sleeper: Sleeper;
  /** When what the last read caused, and the pause after it, was over. */
  #idleSince: Millis = Number.NEGATIVE_INFINITY;
  #isQuick = false;
  #quickReads = 0;
  #hasPaused = false;

  constructor(sleeper: Sleeper = thisThread) {
    this.#sleeper = sleeper;
  }

  /** Called when a read is there. */
  beforeRead(): void {
    this.#isQuick = this.#sleeper.now() - this.#idleSince < QUICK;
  }

  /** Called when all that it caused is done. */
  afterRead(frames: number): void {
    const sleeper = this.#sleeper;
    const isQuick = this.#hasPaused ? frames >= FEW_FRAMES : this.#isQuick;
    this.#quickReads = isQuick ? this.#quickReads + 1 : 0;
    this.#idleSince = sleeper.now();
    this.#hasPaused =
      this.#quickReads >= BULK_READS && frames < MANY_FRAMES && this.#idleSince - sleeper.wokeAt > QUICK;
    if (!this.#hasPaused) return;
    sleeper.sleep(PAUSE);
    this.#idleSince = sleeper.wokeAt = sleeper.now();
  }
}

/**
 * Lets frames gather before they are read, as network cards moderate their interrupts.
 *
 * QEMU writes frame by frame. A process that wakes up for each spends some ten microseconds on it; one that finds many at once spends one
 * or two on each. So while a machine sends in bulk, the thread sleeps for a moment after a read that brought little, and the next one
 * brings more. The machine has the processor meanwhile, and its socket has room for what it sends; nor need it wake us for each frame.
 *
 * Bulk is many reads in a row at a rate, or of a size, that no conversation of questions and answers reaches: those are never delayed. Reads
 * are bulk, too, while so much goes the other way that they are its acknowledgments. It is over when a pause has gathered no more than there
 * would have been without.
 */
import type { Millis } from '../base/time.ts';

/** A read that comes so soon after what the one before caused was done is quick. */
const QUICK: Millis = 0.04;
/** So many reads in a row that are quick, or bring so many octets, or follow so many that went to the machine, are bulk. */
const BULK_READS = 16;
const BULK_OCTETS = 4096;
/** Octets to the machine that later reads may follow, at most: one burst is half a row. */
const MOST_OUTWARD = (BULK_READS / 2) * BULK_OCTETS;
/** Frames in a read that made a pause worth while, whatever their length. */
const FEW_FRAMES = 3;
/** A read of so much needs no pause: QEMU's socket holds some ninety frames of 1500 octets, or three of 65 000, before it blocks. */
const MANY_FRAMES = 64;
const MANY_OCTETS = 64 * 1024;
/** How long the thread sleeps, and the system adds its timer slack, some 50 µs: at a gigabit per second three dozen frames. */
const PAUSE: Millis = 0.3;

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
  /** Octets that went to the machine and that no read has been taken to follow. */
  #outward = 0;

  constructor(sleeper: Sleeper = thisThread) {
    this.#sleeper = sleeper;
  }

  /** So many octets were written to the machine. */
  wrote(octets: number): void {
    this.#outward = Math.min(this.#outward + octets, MOST_OUTWARD);
  }

  /** Called when a read is there. */
  beforeRead(): void {
    this.#isQuick = this.#sleeper.now() - this.#idleSince < QUICK;
  }

  /** Called when all that it caused is done. */
  afterRead(frames: number, octets: number): void {
    const sleeper = this.#sleeper;
    const isAnswered = this.#outward >= BULK_OCTETS;
    if (isAnswered) this.#outward -= BULK_OCTETS;
    const isQuick = octets >= BULK_OCTETS || (this.#hasPaused ? frames >= FEW_FRAMES : this.#isQuick || isAnswered);
    this.#quickReads = isQuick ? this.#quickReads + 1 : 0;
    this.#idleSince = sleeper.now();
    const isMuch = frames >= MANY_FRAMES || octets >= MANY_OCTETS;
    this.#hasPaused = this.#quickReads >= BULK_READS && !isMuch && this.#idleSince - sleeper.wokeAt > QUICK;
    if (!this.#hasPaused) return;
    sleeper.sleep(PAUSE);
    this.#idleSince = sleeper.wokeAt = sleeper.now();
  }
}

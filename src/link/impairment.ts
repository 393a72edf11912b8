/**
 * What a link does to the frames of one direction, in tc-netem's words: loses some, lets the others wait.
 *
 *     push ──> down? ──> loss ──> delay ± jitter ──> rate ──> limit ──> WaitingFrames ──timer──> downstream
 *                                        └── due at once ────────────────────────────────────────────↑
 *
 * As netem does: jitter is uniform, and frames leave in the order of their times, so jitter reorders them; under a rate they leave one
 * after the other in the order they came, each when its last octet would have passed. Each kind of chance has numbers of its own,
 * so that what is lost does not depend on when frames come. A timer ticks in milliseconds; what is due by then leaves as one run.
 */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { DropReason, DropSink } from './drops.ts';
import type { FrameBatch, FrameSink } from './frame-batch.ts';
import { Gatherer } from './gatherer.ts';
import { WaitingFrames } from './waiting-frames.ts';

/** What is left out, or zero, does nothing. */
export interface ImpairmentSpec {
  readonly delay?: Millis;
  /** How far chance moves the delay, either way. What would leave before it came leaves at once. */
  readonly jitter?: Millis;
  /** The share of frames that are lost, 0..1. */
  readonly loss?: number;
  /** Bits per second, of whole frames without frame check sequence. */
  readonly rate?: number;
  /** Frames that may wait; 1000 where it is left out. */
  readonly limit?: number;
}

export const DEFAULT_LIMIT = 1000;

/** An impairment that lets every frame pass at once. */
export function doesNothing({ delay = 0, jitter = 0, loss = 0, rate = 0 }: ImpairmentSpec): boolean {
  return delay === 0 && jitter === 0 && loss === 0 && rate === 0;
}

/** What chance decides. */
export type ChancePurpose = 'loss' | 'jitter';

export class Impairment implements FrameSink {
  readonly #downstream: FrameSink;
  readonly #drops: DropSink;
  readonly #scheduler: Scheduler;
  readonly #timer: Timer;
  readonly #lossChance: Random;
  readonly #jitterChance: Random;
  readonly #waiting = new WaitingFrames();
  readonly #gatherer = new Gatherer();
  readonly #gather = (batch: FrameBatch, index: number): void => this.#gatherer.add(batch, index, index + 1);
  #spec: ImpairmentSpec = {};
  #isUp = true;
  /** When the last of those that wait leaves. */
  #lastDue: Millis = 0;
  /** What the timer is armed for. */
  #armedFor: Millis = Number.POSITIVE_INFINITY;

  constructor(
    downstream: FrameSink,
    drops: DropSink,
    scheduler: Scheduler,
    chance: (purpose: ChancePurpose) => Random,
  ) {
    this.#downstream = downstream;
    this.#drops = drops;
    this.#scheduler = scheduler;
    this.#timer = scheduler.timer(() => this.#onTimer());
    this.#lossChance = chance('loss');
    this.#jitterChance = chance('jitter');
  }

  /** Frames that wait. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /** From now on it does this. What waits leaves in its order, at its time or as if it had come now, whichever is sooner. */
  update(spec: ImpairmentSpec): void {
    this.#spec = spec;
    const now = this.#scheduler.now();
    const latest = now + (spec.delay ?? 0) + (spec.jitter ?? 0);
    this.#lastDue = 0;
    this.#waiting.reschedule((due, octets) => {
      this.#lastDue = Math.min(due, this.#afterRate(latest, octets, now));
      return this.#lastDue;
    });
    this.#release(now);
  }

  /** A link that is down takes nothing, and loses what is under way. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    if (!isUp) this.clear('link-down');
  }

  /** What waits goes no further. */
  clear(reason: DropReason): void {
    const drop = (batch: FrameBatch, index: number) => this.#drops.dropped(reason, batch, index, index + 1);
    while (this.#waiting.count > 0) this.#waiting.take(drop);
    this.#lastDue = 0;
    this.#rearm();
  }

  push(batch: FrameBatch, first: number, end: number): void {
    if (!this.#isUp) {
      this.#drops.dropped('link-down', batch, first, end);
      return;
    }
    const now = this.#scheduler.now();
    let runStart = first;
    for (let i = first; i < end; i++) {
      if (!this.#holdsBack(batch, i, now)) continue;
      if (i > runStart) this.#downstream.push(batch, runStart, i);
      runStart = i + 1;
    }
    if (end > runStart) this.#downstream.push(batch, runStart, end);
    this.#rearm();
  }

  /** Whether the frame is lost or waits. */
  #holdsBack(batch: FrameBatch, index: number, now: Millis): boolean {
    const { loss = 0, limit = DEFAULT_LIMIT } = this.#spec;
    if (loss > 0 && this.#lossChance.next() < loss) {
      this.#drops.dropped('link-loss', batch, index, index + 1);
      return true;
    }
    const due = this.#dueOf(batch.ends[index]! - batch.starts[index]!, now);
    if (due <= now) return false;
    if (this.#waiting.count < limit && this.#waiting.add(batch, index, due))
      this.#lastDue = Math.max(this.#lastDue, due);
    else this.#drops.dropped('link-overlimit', batch, index, index + 1);
    return true;
  }

  #dueOf(octets: number, now: Millis): Millis {
    const { delay = 0, jitter = 0 } = this.#spec;
    const moved = jitter > 0 ? (2 * this.#jitterChance.next() - 1) * jitter : 0;
    return this.#afterRate(now + delay + moved, octets, now);
  }

  /** When a frame has passed that may begin to at `from`, behind all that wait. */
  #afterRate(from: Millis, octets: number, now: Millis): Millis {
    const { rate = 0 } = this.#spec;
    return rate > 0 ? Math.max(from, now, this.#lastDue) + (octets * 8 * 1000) / rate : from;
  }

  #onTimer(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#release(this.#scheduler.now());
  }

  /** What is due leaves together. */
  #release(now: Millis): void {
    let isGathered = false;
    while (this.#waiting.nextDue <= now) {
      if (this.#gatherer.isFull) this.#gatherer.release(this.#downstream);
      this.#waiting.take(this.#gather);
      isGathered = true;
    }
    if (isGathered) this.#gatherer.release(this.#downstream);
    this.#rearm();
  }

  #rearm(): void {
    const due = this.#waiting.nextDue;
    if (due === this.#armedFor) return;
    this.#armedFor = due;
    if (due === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.arm(due);
  }
}

import type { FrameSink } from './frame-batch.ts';

/** Where something plugs in: `push` sends frames out of it, what comes in goes to the attached receiver. */
export interface Port extends FrameSink {
  /** Octets that were pushed and that the other side has not taken yet. */
  readonly queued: number;
  /** From now on frames that come in go to `receiver`; there is one at a time. */
  attach(receiver: FrameSink): void;
  /** Frames that come in go nowhere. */
  detach(): void;
}

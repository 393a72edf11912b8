import type { Egress } from './egress.ts';
import type { FrameSink } from './frame-batch.ts';

/** What a port hands its frames to. */
export interface PortReceiver extends FrameSink {
  /** `queued` of this port was above zero, and is zero again. */
  drained?(): void;
  /** The queues of the others, for a station that asks before it sends. */
  readonly egress?: Egress | undefined;
}

/** Where something plugs in: `push` sends frames out of it, what comes in goes to the attached receiver. */
export interface Port extends FrameSink {
  /** Octets that were pushed and that the other side has not taken yet. */
  readonly queued: number;
  /** From now on frames that come in go to `receiver`; there is one at a time. */
  attach(receiver: PortReceiver): void;
  /** Frames that come in go nowhere. */
  detach(): void;
  /** The queue of another port of the LAN is empty again. */
  roomElsewhere?(): void;
}

/** The timestamps of one connection, RFC 7323: ours, the other side's latest, and protection against segments of an earlier lap. */
import type { Millis } from '../../base/time.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { distance, isAtOrBefore } from './sequence.ts';

/** RFC 7323, 5.5: older ones compare wrongly. */
const LIFETIME: Millis = 24 * 86_400_000;

export class Timestamps {
  /** Both sides send them. */
  isUsed = true;
  /** What is added to milliseconds. */
  readonly offset: number;
  /** TS.Recent. */
  recent = 0;
  #recentAt: Millis = 0;
  /** Last.ACK.sent. */
  ackSent = 0;

  constructor(offset: number) {
    this.offset = offset;
  }

  /** The other side's SYN has, or has not, a timestamp. */
  begin(timestamp: number | undefined, now: Millis): void {
    this.isUsed = timestamp !== undefined;
    this.recent = timestamp ?? 0;
    this.#recentAt = now;
  }

  /** The value that we would send at `now`; undefined where none is sent. */
  valueAt(now: Millis): number | undefined {
    return this.isUsed ? (Math.floor(now) + this.offset) >>> 0 : undefined;
  }

  /** RFC 7323, 5.3: the segment was sent before one that arrived already. */
  isOld(view: TcpView, now: Millis): boolean {
    return distance(this.recent, view.timestamp) < 0 && now - this.#recentAt < LIFETIME;
  }

  /** RFC 7323, 4.3: only what covers the last acknowledgment is echoed. */
  note(view: TcpView, now: Millis): void {
    if (!isAtOrBefore(view.sequence, this.ackSent) || distance(this.recent, view.timestamp) < 0) return;
    this.recent = view.timestamp;
    this.#recentAt = now;
  }
}

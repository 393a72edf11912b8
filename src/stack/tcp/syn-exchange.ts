/** The handshake of one connection: our SYN, how often it is sent, and what both SYNs agree on. */
import type { Millis } from '../../base/time.ts';
import type { SynOptions } from '../../wire/tcp.ts';
import { TIMESTAMPS_LENGTH } from '../../wire/tcp.ts';
import type { SynFacts } from './half-open.ts';
import { OWN_WINDOW_SCALE } from './receiver.ts';
import type { RoundTrip } from './rtt.ts';

/** RFC 9293, 3.8.3: at least three minutes for our SYN. One that answers another's is asked for again. */
const SYN_GIVE_UP: Millis = 180_000;
const SYN_ACK_GIVE_UP: Millis = 60_000;
/** RFC 9293, 3.7.1: the segment of who does not name one. */
const DEFAULT_MSS = 536;
/** What is smaller would only cost headers. */
const SMALLEST_MSS = 64;

export class SynExchange {
  /** We asked; otherwise the other side did. */
  readonly isActive: boolean;
  /** Our SYN is to be sent, again or for the first time. */
  isOwed = true;
  /** It was sent more than once. */
  isRepeated = false;
  readonly startedAt: Millis;

  constructor(isActive: boolean, now: Millis) {
    this.isActive = isActive;
    this.startedAt = now;
  }

  /** No answer came; false where none will. */
  repeat(roundTrip: RoundTrip, now: Millis): boolean {
    if (now - this.startedAt >= (this.isActive ? SYN_GIVE_UP : SYN_ACK_GIVE_UP)) return false;
    this.isRepeated = true;
    this.isOwed = true;
    roundTrip.distrust();
    roundTrip.backOff();
    return true;
  }
}

/** Octets of payload in a segment of either side (RFC 9293, 3.7.1; RFC 6691: the MSS does not count options), where a packet takes `largest`. */
export function segmentFor(syn: SynFacts, largest: number): number {
  const named = syn.mss === 0 ? DEFAULT_MSS : Math.max(syn.mss, SMALLEST_MSS);
  return Math.max(1, Math.min(named, largest) - (syn.hasTimestamps ? TIMESTAMPS_LENGTH : 0));
}

/** The options of our SYN: everything where we ask, what the other side offered where we answer. */
export function synOptions(
  mss: number,
  offered: SynFacts | undefined,
  value: number | undefined,
  echo: number,
): SynOptions {
  return {
    mss,
    windowScale: offered !== undefined && offered.windowScale === undefined ? undefined : OWN_WINDOW_SCALE,
    permitsSack: offered === undefined || offered.permitsSack,
    timestamps: value === undefined ? undefined : { value, echo },
  };
}

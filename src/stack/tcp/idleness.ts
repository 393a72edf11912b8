/** When a silent connection is asked whether it is still there (RFC 9293, 3.8.4), and when a finished one is forgotten. */
import type { Millis } from '../../base/time.ts';

/** RFC 9293, 3.8.4: no less than two hours. */
const KEEPALIVE_AFTER: Millis = 7_200_000;
const KEEPALIVE_INTERVAL: Millis = 75_000;
const KEEPALIVE_PROBES = 9;
/** RFC 9293, 3.6.1: twice the segment lifetime, which on a LAN is far below the two minutes of old. */
const TIME_WAIT: Millis = 60_000;

export class Idleness {
  /** When to look after the connection. */
  at: Millis = Number.POSITIVE_INFINITY;
  #heardAt: Millis = 0;
  #probes = 0;

  /** The other side lives. */
  heard(now: Millis): void {
    this.#heardAt = now;
    this.#probes = 0;
  }

  begin(now: Millis): void {
    this.#heardAt = now;
    this.at = now + KEEPALIVE_AFTER;
  }

  /** From now on the end of time-wait is waited for. */
  linger(now: Millis): void {
    this.at = now + TIME_WAIT;
  }

  /** `at` has come: a probe is due, nobody answers any more, or there is nothing to do. */
  check(now: Millis): 'probe' | 'dead' | 'well' {
    if (now - this.#heardAt < KEEPALIVE_AFTER) {
      this.at = this.#heardAt + KEEPALIVE_AFTER;
      return 'well';
    }
    if (this.#probes >= KEEPALIVE_PROBES) return 'dead';
    this.#probes++;
    this.at = now + KEEPALIVE_INTERVAL;
    return 'probe';
  }
}

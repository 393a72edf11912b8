/** How long an answer takes, and how long to wait for one: RFC 6298. */
import type { Millis } from '../../base/time.ts';

/** RFC 6298, 2.1. */
const INITIAL_RTO: Millis = 1000;
/** RFC 6298, 2.4 asks for a second, for the clocks of its time; on a link as short as a LAN that is hundreds of round trips. */
const MIN_RTO: Millis = 200;
/** RFC 6298, 2.5: 60 seconds or more. */
const MAX_RTO: Millis = 60_000;
/** G of RFC 6298, 2: timestamps count milliseconds. */
const GRANULARITY: Millis = 1;

export class RoundTrip {
  #smoothed: Millis = -1;
  #variation: Millis = 0;
  #base: Millis = INITIAL_RTO;
  #backoff = 1;

  /** Time to wait for an acknowledgment. */
  get timeout(): Millis {
    return Math.min(this.#base * this.#backoff, MAX_RTO);
  }

  sample(rtt: Millis): void {
    if (this.#smoothed < 0) {
      this.#smoothed = rtt;
      this.#variation = rtt / 2;
    } else {
      this.#variation += (Math.abs(this.#smoothed - rtt) - this.#variation) / 4;
      this.#smoothed += (rtt - this.#smoothed) / 8;
    }
    this.#base = Math.max(MIN_RTO, this.#smoothed + Math.max(GRANULARITY, 4 * this.#variation));
    this.#backoff = 1;
  }

  /** 5.5: the wait was in vain. */
  backOff(): void {
    if (this.timeout < MAX_RTO) this.#backoff *= 2;
  }

  /** The other side answers again, although no sample could be taken (RFC 6298, 5, last paragraph). */
  resetBackoff(): void {
    this.#backoff = 1;
  }

  /** 5.7: the handshake needed a retransmission. */
  distrust(): void {
    if (this.#smoothed < 0) this.#base = 3 * INITIAL_RTO;
  }
}

import type { Millis, Scheduler } from '../base/time.ts';

/** Limits a rate: each act takes a token, tokens come back evenly, at most `burst` are in store. */
export class TokenBucket {
  readonly #scheduler: Scheduler;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: Millis;

  constructor(scheduler: Scheduler, perSecond: number, burst: number) {
    this.#scheduler = scheduler;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = scheduler.now();
  }

  /** Takes a token; false where there is none. */
  take(): boolean {
    const now = this.#scheduler.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

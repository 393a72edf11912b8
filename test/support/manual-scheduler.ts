import type { Millis, Scheduler, Timer, WallClock } from '../../src/base/time.ts';

/** A clock whose hands a test turns. Timers fire in the order of their time, and at the same time in the order of arming. */
export class ManualScheduler implements Scheduler, WallClock {
  #now: Millis = 0;
  #order = 0;
  readonly #armed = new Map<object, { at: Millis; order: number; fire: () => void }>();

  now(): Millis {
    return this.#now;
  }

  /** 2026-01-01 00:00:00 UTC at the start. */
  nanoseconds(): bigint {
    return 1_767_225_600_000_000_000n + BigInt(Math.round(this.#now * 1e6));
  }

  timer(onFire: () => void): Timer {
    const key = {};
    return {
      arm: (at) => void this.#armed.set(key, { at, order: this.#order++, fire: onFire }),
      cancel: () => void this.#armed.delete(key),
    };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#armed.size;
  }

  advance(by: Millis): void {
    const end = this.#now + by;
    for (;;) {
      let next: [object, { at: Millis; order: number; fire: () => void }] | undefined;
      for (const entry of this.#armed) {
        const isSooner =
          next === undefined ||
          entry[1].at < next[1].at ||
          (entry[1].at === next[1].at && entry[1].order < next[1].order);
        if (entry[1].at <= end && isSooner) next = entry;
      }
      if (next === undefined) break;
      this.#armed.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].fire();
    }
    this.#now = end;
  }

  /** Lets promises that are ready settle, then turns the clock in steps of `step`; for what mixes both. */
  async run(by: Millis, step: Millis = 10): Promise<void> {
    for (let passed = 0; passed < by; passed += step) {
      await settle();
      this.advance(Math.min(step, by - passed));
    }
    await settle();
  }
}

/** Lets every promise callback that is due run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

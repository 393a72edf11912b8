/** Milliseconds on a monotonic clock; fractions are allowed. */
export type Millis = number;

/** A point in time at which its owner wants to be called. Created once, armed and re-armed. */
export interface Timer {
  /** Fires once when the scheduler's clock reaches `at`; an earlier arming is replaced. */
  arm(at: Millis): void;
  cancel(): void;
}

/** Monotonic time. Everything below `host/` measures and waits through it, so a test can turn the hands. */
export interface Scheduler {
  now(): Millis;
  timer(onFire: () => void): Timer;
}

/** The calendar: nanoseconds since 1970-01-01 UTC. It may jump; use it for what people read, never to wait. */
export interface WallClock {
  nanoseconds(): bigint;
}

import { randomFillSync } from 'node:crypto';
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer, WallClock } from '../base/time.ts';

/** Node's timers on the monotonic clock of the process. */
export const nodeScheduler: Scheduler = {
  now: () => performance.now(),
  timer: (onFire) => new NodeTimer(onFire),
};

/** Node's timers wait at most this long, and take more for nothing. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

class NodeTimer implements Timer {
  readonly #onFire: () => void;
  #handle: NodeJS.Timeout | undefined;

  constructor(onFire: () => void) {
    this.#onFire = onFire;
  }

  arm(at: Millis): void {
    clearTimeout(this.#handle);
    const delay = Math.min(LONGEST_TIMEOUT, Math.max(0, at - performance.now()));
    this.#handle = setTimeout(() => this.#fire(at), delay);
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  /** Node's timers may fire a fraction of a millisecond early, and far ones in stages; a timer never does. */
  #fire(at: Millis): void {
    if (performance.now() < at) this.arm(at);
    else this.#onFire();
  }
}

/** What `Date.now()` was when `hrtime` was zero, in nanoseconds; a step of the calendar is followed at the next reading. */
export const nodeWallClock: WallClock = {
  nanoseconds: () => {
    const now = process.hrtime.bigint();
    if (now >= rereadAt) readCalendar(now);
    return epoch + now;
  },
};

const REREAD_INTERVAL = 1_000_000_000n;
let epoch = 0n;
let rereadAt = 0n;

/** Keeps the finer clock's offset unless the calendar was stepped: captures stay monotonic to the nanosecond. */
function readCalendar(now: bigint): void {
  const seen = BigInt(Date.now()) * 1_000_000n - now;
  const drift = seen - epoch;
  if (drift > 2_000_000n || drift < -2_000_000n) epoch = seen;
  rereadAt = now + REREAD_INTERVAL;
}

/** The system's generator. It is asked for many numbers at once, since to be asked costs it microseconds; none is given twice. */
export const nodeRandom: Random = {
  next: () => {
    if (unused === 0) unused = randomFillSync(drawn).length;
    return drawn[--unused]! / 0x1_0000_0000;
  },
};

const drawn = new Uint32Array(1024);
let unused = 0;

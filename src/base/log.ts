import type { Scheduler } from './time.ts';

/** Something that happened, for people and for programs. */
export interface LogEntry {
  /** A stable name such as `port-connected`. */
  readonly event: string;
  /** One sentence that names the thing, without a final stop. */
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Log = (entry: LogEntry) => void;

/** Passes on up to `perSecond` entries a second and tells how many it left out: a guest decides how often some things happen. */
export function limitLog(log: Log, scheduler: Scheduler, perSecond: number): Log {
  let secondEnds = Number.NEGATIVE_INFINITY;
  let entries = 0;
  return (entry) => {
    const now = scheduler.now();
    if (now >= secondEnds) {
      const omitted = entries - perSecond;
      if (omitted > 0) log({ event: 'log-limited', message: `${omitted} messages were left out`, omitted });
      secondEnds = now + 1000;
      entries = 0;
    }
    entries++;
    if (entries <= perSecond) log(entry);
  };
}

/** For those who do not listen. */
export const noLog: Log = () => undefined;

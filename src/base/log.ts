/** Something that happened, for people and for programs. */
export interface LogEntry {
  /** A stable name such as `port-connected`. */
  readonly event: string;
  /** One sentence that names the thing, without a final stop. */
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Log = (entry: LogEntry) => void;

/** For those who do not listen. */
export const noLog: Log = () => undefined;

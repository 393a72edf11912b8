/**
 * The outside as far as it is files. `host/` implements these on the real machine, tests in memory.
 */

/** Takes octets in order and says when they are out of the process. */
export interface ByteSink {
  /** Resolves when the octets are with the operating system; the caller leaves them alone until then. Rejects on an error. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** One file opened for reading. */
export interface ReadableFile {
  /** Octets. */
  readonly size: number;
  /** Up to `length` octets from `at`; fewer only at the end of the file. Rejects on an error. */
  read(at: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A folder that is offered for reading; nothing outside it can be reached through it. */
export interface FileTree {
  /** Opens the regular file at `path` (separator `/`, a leading one is ignored); undefined where there is none or it is not allowed. */
  open(path: string): Promise<ReadableFile | undefined>;
}

/** A small document that survives the process. */
export interface StateFile {
  /** What was saved last; undefined when nothing was. Rejects where it cannot be read: it would be overwritten. */
  load(): Promise<string | undefined>;
  /** Replaces the document atomically; resolves when it is on disk. Rejects on an error. */
  save(text: string): Promise<void>;
  /** Keeps what was loaded under another name, because its reader could not use it. */
  setAside(): Promise<void>;
}

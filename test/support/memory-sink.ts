import type { ByteSink } from '../../src/base/files.ts';

/** Keeps what is written; can hold writes back until released, and fail. */
export class MemorySink implements ByteSink {
  /** Copies, one per write that was accepted. */
  readonly writes: Uint8Array[] = [];
  isClosed = false;
  /** The next write, or close where `failsToClose`, rejects with this. */
  failure: Error | undefined;
  failsToClose = false;
  #release: (() => void) | undefined;
  #stalled: Promise<void> | undefined;

  get bytes(): Uint8Array {
    const all = new Uint8Array(this.writes.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const write of this.writes) {
      all.set(write, at);
      at += write.length;
    }
    return all;
  }

  /** Writes do not resolve until `release`. */
  stall(): void {
    this.#stalled = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#stalled = undefined;
    this.#release?.();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#stalled;
    if (this.failure !== undefined) throw this.failure;
    this.writes.push(bytes.slice());
  }

  async close(): Promise<void> {
    if (this.failsToClose) throw this.failure ?? new Error('close failed');
    this.isClosed = true;
  }
}

/**
 * How much of what was sent may wait for machines that do not read: a share for each connection, which becomes smaller as the memory
 * of all of them fills, and an end for those that keep it longest. Fast machines need a large share for a moment, and a machine that
 * opens thousands of connections and reads none must not take the memory of the process.
 */
import type { BlockPool } from './send-buffer.ts';

/** Octets that one connection may hold, at most and at least, before who feeds it stops. */
export const LARGEST_SHARE = 1024 * 1024;
const SMALLEST_SHARE = 64 * 1024;
/** Octets at which there is the smallest share only; at twice as many the connection that is full for longest is ended. */
const SHARED_LIMIT = 256 * 1024 * 1024;

/** A connection that is full. */
export interface Holder {
  /** Others need its memory: it ends. */
  crowdOut(): void;
}

export class SendBudget {
  readonly #pool: BlockPool;
  /** The one that is full for longest first. */
  readonly #full = new Set<Holder>();

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Octets that a connection may hold now before it is full: of what is left an eighth. */
  get share(): number {
    const left = Math.floor((SHARED_LIMIT - this.#pool.taken) / 8);
    return Math.min(LARGEST_SHARE, Math.max(SMALLEST_SHARE, left));
  }

  /** The connection is full: who feeds it stops, or should. */
  filled(holder: Holder): void {
    this.#full.add(holder);
    for (const oldest of this.#full) {
      if (this.#pool.taken <= 2 * SHARED_LIMIT) return;
      this.#full.delete(oldest);
      oldest.crowdOut();
    }
  }

  /** It has room again, or is over. */
  emptied(holder: Holder): void {
    this.#full.delete(holder);
  }
}

/** Octets that arrived before those in front of them: the receiver's half of RFC 2018. Bounded in segments; the window bounds octets. */
import { advance, distance, isAtOrBefore, isBefore } from './sequence.ts';

/** Pieces that one connection may hold; a sender that cuts finer loses what does not fit. */
const MAX_PIECES = 1024;

/** What a piece costs beside its octets. */
const PIECE_OVERHEAD = 256;

/** Octets that all connections of a layer may hold out of order, bookkeeping included. */
const SHARED_LIMIT = 32 * 1024 * 1024;

export class OutOfOrderBudget {
  #held = 0;

  take(octets: number): boolean {
    if (this.#held + octets > SHARED_LIMIT) return false;
    this.#held += octets;
    return true;
  }

  give(octets: number): void {
    this.#held -= octets;
  }

  get held(): number {
    return this.#held;
  }
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

export class ReceiveQueue {
  readonly #budget: OutOfOrderBudget;
  /** In order and without overlap. */
  readonly #pieces: Piece[] = [];
  /** Where the segment that came last starts: its range is reported first (RFC 2018, 4). */
  #latest = 0;

  constructor(budget: OutOfOrderBudget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Keeps a copy of what is new of bytes [from, to), which start at `sequence`; false where there is no room for all of it. */
  add(sequence: number, bytes: Uint8Array, from: number, to: number): boolean {
    const end = advance(sequence, to - from);
    let start = sequence;
    let index = this.#pieces.length;
    while (index > 0 && isBefore(sequence, this.#pieces[index - 1]!.end)) index--;
    this.#latest = sequence;
    for (; isBefore(start, end); index++) {
      const next = this.#pieces[index];
      if (next !== undefined && isAtOrBefore(next.start, start)) {
        start = isBefore(start, next.end) ? next.end : start;
        continue;
      }
      const until = next !== undefined && isBefore(next.start, end) ? next.start : end;
      const at = from + distance(sequence, start);
      const length = distance(start, until);
      if (this.#pieces.length >= MAX_PIECES || !this.#budget.take(length + PIECE_OVERHEAD)) return false;
      this.#pieces.splice(index, 0, { start, end: until, bytes: bytes.slice(at, at + length) });
      start = until;
    }
    return true;
  }

  /** The octets that come next, from `next` on; undefined where they are missing. */
  shift(next: number): Uint8Array | undefined {
    for (let first = this.#pieces[0]; first !== undefined && isAtOrBefore(first.start, next); first = this.#pieces[0]) {
      this.#pieces.shift();
      this.#budget.give(first.bytes.length + PIECE_OVERHEAD);
      if (isBefore(next, first.end)) return first.bytes.subarray(distance(first.start, next));
    }
    return undefined;
  }

  clear(): void {
    for (const { bytes } of this.#pieces) this.#budget.give(bytes.length + PIECE_OVERHEAD);
    this.#pieces.length = 0;
  }

  /** Writes up to `limit` ranges for a SACK option, that of the latest segment first; returns how many. */
  ranges(out: Float64Array, limit: number): number {
    let count = 0;
    for (let i = 0; i < this.#pieces.length; ) {
      const { start } = this.#pieces[i]!;
      let { end } = this.#pieces[i]!;
      for (i++; i < this.#pieces.length && this.#pieces[i]!.start === end; i++) end = this.#pieces[i]!.end;
      const isLatest = isAtOrBefore(start, this.#latest) && isBefore(this.#latest, end);
      if (isLatest) {
        out.copyWithin(2, 0, 2 * Math.min(count, limit - 1));
        out[0] = start;
        out[1] = end;
        count = Math.min(count + 1, limit);
      } else if (count < limit) {
        out[2 * count] = start;
        out[2 * count + 1] = end;
        count++;
      }
    }
    return count;
  }
}

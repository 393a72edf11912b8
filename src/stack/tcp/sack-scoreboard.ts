/** What the other side holds although something before it is missing: the sender's half of RFC 2018, judged by RFC 6675. */
import { distance, earlier, isAtOrBefore, isBefore, later } from './sequence.ts';

/** RFC 6675, 2. */
const DUP_THRESH = 3;
/** Ranges that are remembered; a peer that reports more is not believed further. */
const MAX_RANGES = 256;

export class SackScoreboard {
  /** First octet, and octet behind the last, of each range; in order and apart from each other. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  get isEmpty(): boolean {
    return this.#starts.length === 0;
  }

  /** The octet behind the last one that arrived; only where it is not empty. */
  get highest(): number {
    return this.#ends[this.#ends.length - 1]!;
  }

  /** Everything before `una` is acknowledged. */
  advance(una: number): void {
    let gone = 0;
    while (gone < this.#ends.length && isAtOrBefore(this.#ends[gone]!, una)) gone++;
    if (gone > 0) {
      this.#starts.splice(0, gone);
      this.#ends.splice(0, gone);
    }
    if (this.#starts.length > 0) this.#starts[0] = later(this.#starts[0]!, una);
  }

  /** Octets [start, end) arrived; false where that was known. */
  add(start: number, end: number): boolean {
    const starts = this.#starts;
    const ends = this.#ends;
    let first = 0;
    while (first < ends.length && isBefore(ends[first]!, start)) first++;
    let last = first;
    while (last < starts.length && isAtOrBefore(starts[last]!, end)) last++;
    if (last === first) {
      if (starts.length >= MAX_RANGES) return false;
      starts.splice(first, 0, start);
      ends.splice(first, 0, end);
      return true;
    }
    const from = earlier(start, starts[first]!);
    const to = later(end, ends[last - 1]!);
    const isKnown = last - first === 1 && from === starts[first] && to === ends[first];
    starts.splice(first, last - first, from);
    ends.splice(first, last - first, to);
    return !isKnown;
  }

  /** RFC 6675, 4: so much arrived above `sequence` that it is lost. */
  isLost(sequence: number, segment: number): boolean {
    let ranges = 0;
    let octets = 0;
    for (let i = this.#starts.length - 1; i >= 0 && isBefore(sequence, this.#starts[i]!); i--) {
      ranges++;
      octets += distance(this.#starts[i]!, this.#ends[i]!);
      if (ranges >= DUP_THRESH || octets > (DUP_THRESH - 1) * segment) return true;
    }
    return false;
  }

  /** RFC 6675, 4, SetPipe: octets of [una, max) on their way, where those before `resent` were sent twice. */
  pipe(una: number, max: number, resent: number, segment: number): number {
    let pipe = 0;
    let from = una;
    for (let i = 0; i <= this.#starts.length; i++) {
      const to = i < this.#starts.length ? this.#starts[i]! : max;
      if (isBefore(from, to)) {
        if (!this.isLost(from, segment)) pipe += distance(from, to);
        if (isBefore(from, resent)) pipe += distance(from, earlier(to, resent));
      }
      if (i < this.#ends.length) from = this.#ends[i]!;
    }
    return pipe;
  }

  /** The first octet from `sequence` on that has not arrived. */
  missingFrom(sequence: number): number {
    for (let i = 0; i < this.#starts.length && isAtOrBefore(this.#starts[i]!, sequence); i++)
      if (isBefore(sequence, this.#ends[i]!)) return this.#ends[i]!;
    return sequence;
  }

  /** Octets from `sequence` (which has not arrived) to the next that has, at most `limit`. */
  gapAt(sequence: number, limit: number): number {
    for (let i = 0; i < this.#starts.length; i++)
      if (isBefore(sequence, this.#starts[i]!)) return Math.min(limit, distance(sequence, this.#starts[i]!));
    return limit;
  }
}

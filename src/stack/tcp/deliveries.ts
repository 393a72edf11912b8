/**
 * What a batch brings for each connection, handed on once: a single piece as it lies in the batch, several gathered into one.
 *
 * Pieces are recorded in shared arrays, each linked to its connection's next; a connection knows its first and its last.
 */
import type { Lender } from '../../base/loan.ts';
import { Loan } from '../../base/loan.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';

/** Octets gathered at a time: more than a batch of frames holds, usually. */
const ARENA_LENGTH = 256 * 1024;
const MAX_SPARES = 2;
const NONE = -1;

/** Takes what a batch brought. */
export interface Receiving {
  /** Places in the arrays of `Deliveries`, which sets them; -1 without pieces. */
  firstPiece: number;
  lastPiece: number;
  received(bytes: Uint8Array, lender: Lender): void;
}

export class Deliveries {
  #batch: FrameBatch | undefined;
  readonly #waiting: Receiving[] = [];
  #next = new Int32Array(1024);
  #starts = new Uint32Array(1024);
  #ends = new Uint32Array(1024);
  #count = 0;
  readonly #arena = new Arena();

  /** Octets [start, end) of the batch are for `to`. Pieces of another batch are handed on before. */
  record(to: Receiving, batch: FrameBatch, start: number, end: number): void {
    if (this.#batch !== batch) {
      this.flush();
      this.#batch = batch;
    }
    const piece = this.#count++;
    if (piece === this.#next.length) this.#grow();
    this.#next[piece] = NONE;
    this.#starts[piece] = start;
    this.#ends[piece] = end;
    if (to.firstPiece === NONE) {
      to.firstPiece = piece;
      this.#waiting.push(to);
    } else {
      this.#next[to.lastPiece] = piece;
    }
    to.lastPiece = piece;
  }

  /** The batch is over, or is about to change: everybody gets what it brought. */
  flush(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const waiting = this.#waiting.splice(0);
    for (let i = 0; i < waiting.length; i++) this.#handOver(waiting[i]!, batch);
    if (this.#batch === batch && this.#waiting.length === 0) {
      this.#batch = undefined;
      this.#count = 0;
    }
  }

  /** What came for `to` so far is handed on now, because something else follows it. */
  flushFor(to: Receiving): void {
    if (to.firstPiece === NONE || this.#batch === undefined) return;
    const index = this.#waiting.indexOf(to);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#handOver(to, this.#batch);
  }

  #handOver(to: Receiving, batch: FrameBatch): void {
    const first = to.firstPiece;
    if (first === NONE) return;
    to.firstPiece = to.lastPiece = NONE;
    if (this.#next[first] === NONE) to.received(batch.bytes.subarray(this.#starts[first]!, this.#ends[first]!), batch);
    else this.#gather(to, batch.bytes, first);
  }

  #gather(to: Receiving, bytes: Uint8Array, first: number): void {
    const arena = this.#arena;
    let end = 0;
    for (let piece = first; piece !== NONE; piece = this.#next[piece]!) {
      const from = this.#starts[piece]!;
      const length = this.#ends[piece]! - from;
      if (end + length > ARENA_LENGTH) {
        arena.lend(to, end);
        end = 0;
      }
      arena.bytes.set(bytes.subarray(from, from + length), end);
      end += length;
    }
    arena.lend(to, end);
  }

  #grow(): void {
    this.#next = enlarged(this.#next, new Int32Array(2 * this.#next.length));
    this.#starts = enlarged(this.#starts, new Uint32Array(2 * this.#starts.length));
    this.#ends = enlarged(this.#ends, new Uint32Array(2 * this.#ends.length));
  }
}

function enlarged<Numbers extends Int32Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

/** One buffer that is filled and lent again and again; who retains it lets another take its place. */
class Arena {
  #bytes: Uint8Array = new Uint8Array(ARENA_LENGTH);
  readonly #spares: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Hands over what was gathered. While it is in use, an inner call gets a buffer of its own. */
  lend(to: Receiving, length: number): void {
    const bytes = this.#bytes;
    const lender = new Tenancy(bytes);
    this.#bytes = this.#spares.pop() ?? new Uint8Array(ARENA_LENGTH);
    to.received(bytes.subarray(0, length), lender);
    lender.end((returned) => {
      if (this.#spares.length < MAX_SPARES) this.#spares.push(returned);
    });
  }
}

/** The time for which a buffer is lent. */
class Tenancy implements Lender {
  readonly #bytes: Uint8Array;
  #loan: Loan | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  retain(): Loan {
    this.#loan ??= new Loan(this.#bytes);
    this.#loan.extend();
    return this.#loan;
  }

  /** `onReturn` gets the buffer when nobody needs it any more. */
  end(onReturn: (bytes: Uint8Array) => void): void {
    if (this.#loan === undefined) onReturn(this.#bytes);
    else this.#loan.reclaim(onReturn);
  }
}

/** Lends bytes that nobody will ever write again. */
export function lenderOf(bytes: Uint8Array): Lender {
  return new Tenancy(bytes);
}

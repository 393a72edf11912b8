import type { Endpoint } from '../../src/base/endpoint.ts';
import type {
  ConnectFailure,
  HostStream,
  HostStreamEnd,
  HostStreamEvents,
  StreamTarget,
} from '../../src/base/host-net.ts';
import type { Lender, Loan } from '../../src/base/loan.ts';

/** Whence a stream came. */
export type MemoryOrigin =
  | { readonly kind: 'connect'; readonly to: StreamTarget; readonly source: Uint8Array | undefined }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'accept'; readonly from: Endpoint | undefined };

/** What the other end of a stream is told: octets that the kernel took, the end of them, a reset. */
export interface FarEnd {
  took(bytes: Uint8Array): void;
  finished(): void;
  reset(): void;
}

/**
 * A stream whose other end and kernel are the test. `open`, `fail`, `feed`, `end`, `breakOff` and `take` are the world's doing and
 * call events at once; what the program does never calls an event before the net's `turn`.
 */
export class MemoryStream implements HostStream {
  readonly origin: MemoryOrigin;
  /** Octets that the kernel takes at once; `take` makes it take more. */
  room = Number.POSITIVE_INFINITY;
  isPaused: boolean;
  /** The other end saw the end of what was written. */
  isFinished = false;
  isReset = false;
  /** How it ended; undefined while it is open, and after a reset by the program. */
  closedAs: HostStreamEnd | undefined;
  /** The other end, where it is not the test. */
  far: FarEnd | undefined;
  readonly #later: (task: () => void) => void;
  #events: HostStreamEvents | undefined;
  #isOpen = false;
  readonly #written: Uint8Array[] = [];
  readonly #queue: { bytes: Uint8Array; readonly loan: Loan | undefined }[] = [];
  #wantsFinish = false;
  readonly #incoming: Uint8Array[] = [];
  #isEndPending = false;
  #hasEnded = false;

  constructor(origin: MemoryOrigin, later: (task: () => void) => void) {
    this.origin = origin;
    this.isPaused = origin.kind === 'accept';
    this.#isOpen = origin.kind === 'accept';
    this.#later = later;
  }

  listen(events: HostStreamEvents): void {
    this.#events = events;
  }

  /** All that the kernel took. */
  get written(): Uint8Array {
    return Buffer.concat(this.#written);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    if (this.#isOver) return;
    this.#isOpen = true;
    this.#events?.opened();
    this.take(0);
  }

  fail(why: ConnectFailure): void {
    if (this.#isOver) return;
    this.isReset = true;
    this.#returnLoans();
    this.#events?.failed(why);
  }

  /** Octets from the other end; they wait while the stream is paused. */
  feed(bytes: Uint8Array | string): void {
    this.#incoming.push(typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes.slice());
    this.#read();
  }

  /** The other end has finished sending. */
  end(): void {
    this.#isEndPending = true;
    this.#read();
  }

  /** The other end resets the stream, or the system breaks it. */
  breakOff(how: 'reset' | 'broken' = 'reset'): void {
    this.#close(how);
  }

  /** The kernel takes up to so many octets of what is queued. */
  take(octets = Number.POSITIVE_INFINITY): void {
    const wasQueued = this.queued > 0;
    this.room += octets;
    this.#writeQueue();
    if (wasQueued && this.queued === 0) this.#events?.drained();
    this.#maybeFinish();
  }

  get queued(): number {
    return this.#queue.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array, lender?: Lender): void {
    if (this.#isOver || this.#wantsFinish || bytes.length === 0) return;
    if (this.queued > 0) {
      this.#queue.push({ bytes: bytes.slice(), loan: undefined });
      return;
    }
    const taken = this.#isOpen ? this.#give(bytes) : 0;
    if (taken < bytes.length) this.#queue.push({ bytes: bytes.subarray(taken), loan: lender?.retain() });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#later(() => this.#read());
  }

  finish(): void {
    if (this.#isOver || this.#wantsFinish) return;
    this.#wantsFinish = true;
    this.#later(() => this.#maybeFinish());
  }

  reset(): void {
    if (this.#isOver) return;
    this.isReset = true;
    this.#returnLoans();
    this.far?.reset();
  }

  get #isOver(): boolean {
    return this.isReset || this.closedAs !== undefined;
  }

  #give(bytes: Uint8Array): number {
    const taken = Math.min(this.room, bytes.length);
    if (taken === 0) return 0;
    this.room -= taken;
    const copy = bytes.slice(0, taken);
    this.#written.push(copy);
    this.far?.took(copy);
    return taken;
  }

  #writeQueue(): void {
    while (this.#isOpen && this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const taken = this.#give(first.bytes);
      first.bytes = first.bytes.subarray(taken);
      if (first.bytes.length > 0) return;
      first.loan?.release();
      this.#queue.shift();
    }
  }

  #maybeFinish(): void {
    if (!this.#wantsFinish || this.isFinished || this.#isOver || !this.#isOpen || this.queued > 0) return;
    this.isFinished = true;
    this.far?.finished();
    this.#maybeClose();
  }

  #read(): void {
    while (this.#reads() && this.#incoming.length > 0) {
      const bytes = this.#incoming.shift()!;
      this.#events?.received(bytes);
      bytes.fill(0xee); // the loan is over: who kept the octets without copying sees it
    }
    if (!this.#reads() || !this.#isEndPending || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events?.ended();
    this.#maybeClose();
  }

  #reads(): boolean {
    return this.#isOpen && !this.isPaused && !this.#isOver;
  }

  #maybeClose(): void {
    if (this.#hasEnded && this.isFinished) this.#close('finished');
  }

  #close(how: HostStreamEnd): void {
    if (this.#isOver) return;
    this.closedAs = how;
    this.#returnLoans();
    this.#events?.closed(how);
  }

  #returnLoans(): void {
    for (const { loan } of this.#queue.splice(0)) loan?.release();
  }
}

/**
 * The way out of a station: frames are built in place and leave together when the piece of work that made them ends.
 *
 * A push may bring answers back into the station before it returns. So nothing that a later step needs is kept in shared views or
 * scratch buffers across `reserve`, which pushes when the buffer is full.
 */
import { FrameAssembler } from '../link/frame-assembler.ts';
import type { FrameBatch, FrameSink } from '../link/frame-batch.ts';
import type { Mac } from '../wire/mac.ts';

export class Transmitter {
  /** The station's own address, the source of everything it sends. */
  readonly mac: Mac;
  readonly #assembler = new FrameAssembler({ push: (batch, first, end) => this.#receiver?.push(batch, first, end) });
  #receiver: FrameSink | undefined;
  #depth = 0;
  #atEnd: (() => boolean) | undefined;

  constructor(mac: Mac) {
    this.mac = mac;
  }

  attach(receiver: FrameSink | undefined): void {
    this.#receiver = receiver;
  }

  /** `work` is done before the frames of each outermost piece of work leave; where it answers true, again after they have left. */
  atEnd(work: () => boolean): void {
    this.#atEnd = work;
  }

  /** Does `work`; the frames that it and everything inside it sends leave as one push at the end of the outermost call. */
  during(work: () => void): void {
    this.#depth++;
    try {
      work();
      if (this.#depth === 1) while (this.#atEnd?.() === true) this.#assembler.flush();
    } finally {
      this.end();
    }
  }

  /** Begins a piece of work that sends packets of others; `end` ends it. */
  begin(): void {
    this.#depth++;
  }

  end(): void {
    this.#depth--;
    if (this.#depth === 0) this.#assembler.flush();
  }

  /** Inside a `during`. */
  get isAtWork(): boolean {
    return this.#depth > 0;
  }

  /** The buffer that the last `reserve` was about. */
  get bytes(): Uint8Array {
    return this.#assembler.bytes;
  }

  /** Room for a frame of `length` octets; returns its offset in `bytes`. Only inside `during`. */
  reserve(length: number): number {
    return this.#assembler.reserve(length);
  }

  /** The frame at the reserved offset is complete. */
  commit(start: number, length: number): void {
    this.#assembler.commit(start, length);
  }

  /** Room for frames [first, …) of a batch, as many as fit; returns the index behind the last of them. Only inside `during`. */
  reserveRun(batch: FrameBatch, first: number, end: number): number {
    return this.#assembler.reserveRun(batch, first, end);
  }

  /** Copies the frames that room was reserved for; returns how far in `bytes` each lies from where it was. */
  commitRun(batch: FrameBatch, first: number, end: number): number {
    return this.#assembler.commitRun(batch, first, end);
  }

  /** Sends a copy of a whole frame. Only inside `during`. */
  send(frame: Uint8Array): void {
    const start = this.reserve(frame.length);
    this.bytes.set(frame, start);
    this.commit(start, frame.length);
  }
}

/**
 * Writing behind: one buffer fills while the sink takes the other, so a slow disk never holds up the network.
 *
 *     room() ── put blocks ── committed() ──> filling ──┬── enough octets ──┬──> sink.write
 *                                                       └── 200 ms passed ──┘      (one at a time)
 *
 * While the sink is busy the other buffer goes on filling; when that is full too, `room` has none and the caller loses the block.
 * The sink is only given whole blocks, so what reached it is a readable file at any time.
 */
import type { ByteSink } from '../base/files.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import { CaptureBuffer } from './capture-buffer.ts';

/**
 * Octets of each of the two buffers: at the rate of one core, 1 GB/s, both bridge 16 ms, more than a busy page cache makes a write
 * wait (bench/capture.ts). Pages that no stall ever needed are never touched and take no memory.
 */
export const BUFFER_LENGTH = 8 * 1024 * 1024;

/** An idle sink is given what waits from this many octets on. */
const EAGER_LENGTH = 256 * 1024;

/** How long a block may wait before it goes to an idle sink. */
export const FLUSH_INTERVAL: Millis = 200;

export class DoubleBuffer {
  readonly #sink: ByteSink;
  readonly #scheduler: Scheduler;
  readonly #onFailure: (error: unknown) => void;
  readonly #timer: Timer;
  #filling: CaptureBuffer | undefined;
  /** The buffer that neither fills nor is being written; made when it is first needed. */
  #spare: CaptureBuffer | undefined;
  #writing: Promise<void> | undefined;
  #isArmed = false;
  /** What waits goes to the sink as soon as that is idle. */
  #isDue = false;
  #hasFailed = false;

  /** Writes `header` at once. `onFailure` is called when the sink refuses octets; it is given none after that. */
  constructor(header: Uint8Array, sink: ByteSink, scheduler: Scheduler, onFailure: (error: unknown) => void) {
    this.#sink = sink;
    this.#scheduler = scheduler;
    this.#onFailure = onFailure;
    this.#timer = scheduler.timer(() => this.#flush());
    this.#writing = this.#write(header, undefined);
  }

  /** A buffer with room for a block of `octets`; undefined while there is none. */
  room(octets: number): CaptureBuffer | undefined {
    if (this.#hasFailed) return undefined;
    this.#filling ??= this.#takeSpare();
    if (this.#filling.room >= octets) return this.#filling;
    this.#flush();
    if (this.#filling !== undefined) return undefined;
    this.#filling = this.#takeSpare();
    return this.#filling.room >= octets ? this.#filling : undefined;
  }

  /** Blocks were put into what `room` gave. */
  committed(): void {
    const filling = this.#filling;
    if (filling === undefined || filling.length === 0) return;
    if (filling.length >= EAGER_LENGTH && this.#writing === undefined) {
      this.#flush();
    } else if (!this.#isArmed) {
      this.#isArmed = true;
      this.#timer.arm(this.#scheduler.now() + FLUSH_INTERVAL);
    }
  }

  /** Resolves when everything that was committed, and `trailer` behind it, is with the sink or the sink has failed. */
  async finish(trailer: Uint8Array): Promise<void> {
    for (this.#flush(); this.#writing !== undefined && !this.#hasFailed; this.#flush()) await this.#writing;
    this.#timer.cancel();
    this.#spare = undefined;
    if (!this.#hasFailed && trailer.length > 0) await this.#write(trailer, undefined);
  }

  /** Gives what waits to the sink, now or when that is idle again. */
  #flush(): void {
    const filling = this.#filling;
    if (filling === undefined || filling.length === 0 || this.#hasFailed) return;
    if (this.#writing !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#isDue = false;
    this.#isArmed = false;
    this.#timer.cancel();
    this.#filling = undefined;
    this.#writing = this.#write(filling.used, filling);
  }

  async #write(bytes: Uint8Array, buffer: CaptureBuffer | undefined): Promise<void> {
    try {
      await this.#sink.write(bytes);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#writing = undefined;
    if (buffer !== undefined) {
      buffer.reset();
      this.#spare = buffer;
    }
    if (this.#isDue || (this.#filling?.length ?? 0) >= EAGER_LENGTH) this.#flush();
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#writing = undefined;
    this.#filling = undefined;
    this.#spare = undefined;
    this.#timer.cancel();
    this.#onFailure(error);
  }

  #takeSpare(): CaptureBuffer {
    const spare = this.#spare ?? new CaptureBuffer(BUFFER_LENGTH);
    this.#spare = undefined;
    return spare;
  }
}

import type { DropReason, DropSink } from '../../src/link/drops.ts';
import type { FrameBatch, FrameSink } from '../../src/link/frame-batch.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { Port } from '../../src/link/port.ts';

/** Keeps copies of all frames it is given; `inject` lets frames come in. */
export class FakePort implements Port {
  readonly name: string;
  readonly frames: Uint8Array[] = [];
  /** Frames per push. */
  readonly pushes: number[] = [];
  queued = 0;
  #receiver: FrameSink | undefined;

  constructor(name = 'port') {
    this.name = name;
  }

  push(batch: FrameBatch, first: number, end: number): void {
    this.pushes.push(end - first);
    for (let i = first; i < end; i++) this.frames.push(sliceOf(batch, i));
  }

  attach(receiver: FrameSink): void {
    this.#receiver = receiver;
  }

  detach(): void {
    this.#receiver = undefined;
  }

  inject(...frames: readonly Uint8Array[]): void {
    this.#receiver?.push(batchOf(frames), 0, frames.length);
  }
}

/** Counts drops by reason. */
export class FakeDrops implements DropSink {
  readonly counts: Partial<Record<DropReason, number>> = {};

  dropped(reason: DropReason, _batch: FrameBatch, first: number, end: number): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + (end - first);
  }
}

import { expect, it } from 'vitest';
import type { Loan } from '../../src/base/loan.ts';
import { FrameAssembler } from '../../src/link/frame-assembler.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';

/** An assembler, the buffers that its pushes lay in, the frames in them, and the loans of a receiver that retains each. */
function retainedAssembler() {
  const [buffers, frames, loans]: [Uint8Array[], Uint8Array[], Loan[]] = [[], [], []];
  const assembler = new FrameAssembler({
    push: (batch, first, end) => {
      buffers.push(batch.bytes);
      for (let i = first; i < end; i++) frames.push(sliceOf(batch, i));
      loans.push(batch.retain());
    },
  });
  const send = (fill: number) => {
    const start = assembler.reserve(60);
    assembler.bytes.fill(fill, start, start + 60);
    assembler.commit(start, 60);
    assembler.flush();
  };
  return { send, buffers, frames, loans };
}

it('leaves a retained buffer alone until it is released', () => {
  const { send, buffers } = retainedAssembler();
  for (let i = 1; i <= 4; i++) send(i);
  expect(new Set(buffers).size).toBe(4);
  expect(buffers.map((bytes) => bytes[4])).toEqual([1, 2, 3, 4]);
});

it('uses released buffers again, so that a slow receiver costs no new ones', () => {
  const { send, buffers, frames, loans } = retainedAssembler();
  for (let i = 1; i <= 50; i++) {
    send(i);
    if (i > 1) loans[i - 2]!.release();
  }
  expect(new Set(buffers).size).toBeLessThan(6);
  expect(frames.map((frame) => frame[0])).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

it('copies a run of frames, in as many pushes as it needs', () => {
  const frames: Uint8Array[] = [];
  const pushes: number[] = [];
  const assembler = new FrameAssembler({
    push: (batch, first, end) => {
      pushes.push(end - first);
      for (let i = first; i < end; i++) frames.push(sliceOf(batch, i));
    },
  });
  const sent = Array.from({ length: 3000 }, (_, i) => new Uint8Array(60 + (i % 100)).fill(i));
  const batch = batchOf(sent);
  for (let from = 0, to = 0; from < 3000; from = to) {
    to = assembler.reserveRun(batch, from, 3000);
    const shift = assembler.commitRun(batch, from, to);
    expect(assembler.bytes[batch.starts[to - 1]! + shift]).toBe((to - 1) & 0xff);
  }
  assembler.flush();
  expect(frames).toEqual(sent);
  expect(pushes).toEqual([1024, 1024, 952]);
});

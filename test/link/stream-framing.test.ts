import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Loan } from '../../src/base/loan.ts';
import { sliceOf } from '../../src/link/frame-batch.ts';
import type { FramingFault } from '../../src/link/stream-framing.ts';
import { MAX_FRAME_LENGTH, StreamFraming } from '../../src/link/stream-framing.ts';
import { writeUint32 } from '../../src/wire/octets.ts';
import { FakeDrops } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';

function framed(...frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((each) => [...lengthOf(each.length), ...each]));
}

function lengthOf(length: number): Uint8Array {
  const prefix = new Uint8Array(4);
  writeUint32(prefix, 0, length);
  return prefix;
}

function rig() {
  const frames: Uint8Array[] = [];
  const pushes: number[] = [];
  const faults: [FramingFault, number][] = [];
  const drops = new FakeDrops();
  let retains = false;
  const loans: Loan[] = [];
  const framing = new StreamFraming(
    {
      push: (batch, first, end) => {
        pushes.push(end - first);
        for (let i = first; i < end; i++) frames.push(sliceOf(batch, i));
        if (retains) loans.push(batch.retain());
      },
    },
    drops,
    (fault, length) => faults.push([fault, length]),
  );
  const feed = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      const space = framing.space();
      const taken = Math.min(space.length, bytes.length - at);
      space.set(bytes.subarray(at, at + taken));
      framing.received(taken);
      at += taken;
    }
  };
  return { frames, pushes, faults, drops, framing, feed, loans, retain: () => (retains = true) };
}

describe('stream framing', () => {
  it('passes on the frames of one read as one run', () => {
    const { frames, pushes, feed } = rig();
    const sent = [frame(A, B), frame(B, A, 1514), frame(A, B, 14)];
    feed(framed(...sent));
    expect(frames).toEqual(sent);
    expect(pushes).toEqual([3]);
  });

  it('takes any split of lengths and bodies across reads', () => {
    const sizes = fc.array(fc.integer({ min: 14, max: 3000 }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, cuts, (lengths, pieces) => {
        const { frames, feed } = rig();
        const sent = lengths.map((length, i) => frame(A, B, length, i));
        const octets = framed(...sent);
        for (let at = 0, i = 0; at < octets.length; at += pieces[i++ % pieces.length]!) {
          feed(octets.subarray(at, at + pieces[i % pieces.length]!));
        }
        expect(frames).toEqual(sent);
      }),
      { numRuns: 100 },
    );
  });

  it('takes the largest frame that QEMU takes, whatever its place in the buffer', () => {
    const { frames, faults, feed } = rig();
    const largest = frame(A, B, MAX_FRAME_LENGTH, 7);
    for (let i = 0; i < 20; i++) feed(framed(frame(B, A, 1000 + i), largest));
    expect(frames).toHaveLength(40);
    expect(frames.filter((each) => each.length === MAX_FRAME_LENGTH).every((each) => each.at(-1) === 7)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('reads into little until a machine has more to say, and then into much', () => {
    const { frames, framing, feed } = rig();
    const first = framing.space().length;
    feed(framed(frame(A, B)));
    expect(framing.space().length).toBe(first);
    const long = frame(A, B, MAX_FRAME_LENGTH, 7);
    feed(framed(long));
    expect(framing.space().length).toBe(8 * first);
    expect(frames).toEqual([frame(A, B), long]);
  });

  it('drops what is shorter than an Ethernet header and keeps its place', () => {
    const { frames, drops, feed } = rig();
    feed(framed(frame(A, B), new Uint8Array(13), new Uint8Array(1), frame(B, A)));
    expect(frames).toEqual([frame(A, B), frame(B, A)]);
    expect(drops.counts).toEqual({ runt: 2 });
  });

  it.each([
    [0, 'zero-length'],
    [69_633, 'oversized-length'],
    [0xffff_ffff, 'oversized-length'],
  ] as const)('gives up the stream at length %i, after the frames before it', (length, fault) => {
    const { frames, faults, feed } = rig();
    feed(framed(frame(A, B)));
    feed(Uint8Array.from([...framed(frame(B, A)), ...lengthOf(length), ...new Uint8Array(100)]));
    feed(framed(frame(A, B)));
    expect(frames).toHaveLength(2);
    expect(faults).toEqual([[fault, length]]);
  });

  it('leaves a retained buffer alone and carries the cut frame over', () => {
    const { frames, framing, feed, retain } = rig();
    retain();
    const octets = framed(frame(A, B, 60, 1), frame(B, A, 60, 2));
    const before = framing.space().buffer;
    feed(octets.subarray(0, 100));
    expect(framing.space().buffer).not.toBe(before);
    feed(octets.subarray(100));
    expect(frames).toEqual([frame(A, B, 60, 1), frame(B, A, 60, 2)]);
  });

  it('reads into a retained buffer again when every holder has released it', () => {
    const { framing, feed, loans, retain } = rig();
    retain();
    const first = framing.space().buffer;
    feed(framed(frame(A, B)));
    loans[0]!.extend();
    loans[0]!.release();
    feed(framed(frame(A, B)));
    expect(framing.space().buffer).not.toBe(first);
    loans[0]!.release();
    feed(framed(frame(A, B)));
    expect(framing.space().buffer).toBe(first);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LearningSwitch } from '../../src/lan/learning-switch.ts';
import { AGEING_TIME, STATIONS_PER_PORT } from '../../src/lan/station-table.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { lanContract } from '../contract/lan.contract.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, C, frame, taggedFrame } from '../support/frames.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

lanContract('a learning switch', (scheduler, drops) => new LearningSwitch(scheduler, drops));

/** A switch that has heard A on port a, B on b and C on c; what that took is forgotten. */
function learnedSwitch() {
  const scheduler = new ManualScheduler();
  const drops = new FakeDrops();
  const lan = new LearningSwitch(scheduler, drops);
  const [a, b, c] = [new FakePort('a'), new FakePort('b'), new FakePort('c')];
  for (const port of [a, b, c]) lan.plug(port);
  a.inject(frame(BROADCAST_MAC, A));
  b.inject(frame(BROADCAST_MAC, B));
  c.inject(frame(BROADCAST_MAC, C));
  for (const port of [a, b, c]) {
    port.frames.length = 0;
    port.pushes.length = 0;
  }
  return { scheduler, drops, lan, a, b, c };
}

describe('learning', () => {
  it('sends frames for a known station to its port only', () => {
    const { a, b, c } = learnedSwitch();
    a.inject(frame(B, A));
    expect([a, b, c].map((port) => port.frames.length)).toEqual([0, 1, 0]);
  });

  it('forgets a station 300 s after it was last heard', () => {
    const { scheduler, a, c } = learnedSwitch();
    scheduler.advance(AGEING_TIME - 1);
    a.inject(frame(B, A));
    expect(c.frames).toHaveLength(0);
    scheduler.advance(1);
    a.inject(frame(B, A));
    expect(c.frames).toHaveLength(1);
  });

  it('frees the memory of stations that aged', () => {
    const { scheduler, lan } = learnedSwitch();
    expect([...lan.stations]).toHaveLength(3);
    scheduler.advance(2 * AGEING_TIME);
    expect([...lan.stations]).toHaveLength(0);
    expect(scheduler.pending).toBe(0);
  });

  it('moves a station that is heard elsewhere', () => {
    const { a, b, c } = learnedSwitch();
    c.inject(frame(BROADCAST_MAC, B));
    b.frames.length = 0;
    a.inject(frame(B, A));
    expect(b.frames).toHaveLength(0);
    expect(c.frames).toHaveLength(1);
  });

  it('learns per VLAN: the same address may be in two places', () => {
    const { a, b, c } = learnedSwitch();
    c.inject(taggedFrame(BROADCAST_MAC, B, 7));
    for (const port of [a, b, c]) port.frames.length = 0;
    a.inject(frame(B, A), taggedFrame(B, A, 7));
    expect(b.frames).toEqual([frame(B, A)]);
    expect(c.frames).toEqual([taggedFrame(B, A, 7)]);
  });

  it('takes a priority tag (VLAN 0) for no VLAN', () => {
    const { a, b, c } = learnedSwitch();
    a.inject(taggedFrame(B, A, 0));
    expect([b.frames.length, c.frames.length]).toEqual([1, 0]);
  });

  it('forgets the stations of a port that is unplugged', () => {
    const { lan, a, b, c } = learnedSwitch();
    lan.unplug(b);
    a.inject(frame(B, A));
    expect(c.frames).toHaveLength(1);
  });

  it('holds a bounded number of stations per port, and other ports are not pushed out', () => {
    const { lan, a, b, c } = learnedSwitch();
    for (let i = 0; i < 3 * STATIONS_PER_PORT; i++) a.inject(frame(BROADCAST_MAC, 0x020000000000 + i));
    expect([...lan.stations]).toHaveLength(STATIONS_PER_PORT + 2);
    c.frames.length = 0;
    a.inject(frame(B, A));
    expect(b.frames.at(-1)).toEqual(frame(B, A));
    expect(c.frames).toHaveLength(0);
  });
});

describe('frames that go nowhere', () => {
  it.each([
    ['the destination is on the ingress port', frame(A, A + 0x10), 'same-port'],
    ['the destination is reserved to the link, IEEE 802.1Q, 8.6.3', frame(0x0180c200000e, A), 'reserved-address'],
    ['the source is a group address', frame(B, BROADCAST_MAC), 'invalid-source'],
    ['the source is zero', frame(B, 0), 'invalid-source'],
  ] as const)('%s: dropped by name', (_why, sent, reason) => {
    const { drops, a, b, c } = learnedSwitch();
    a.inject(sent);
    expect([...a.frames, ...b.frames, ...c.frames]).toEqual([]);
    expect(drops.counts).toEqual({ [reason]: 1 });
  });
});

describe('batches', () => {
  it('passes a chunk for one station on as it came', () => {
    const { a, b } = learnedSwitch();
    a.inject(frame(B, A), frame(B, A), frame(B, A));
    expect(b.pushes).toEqual([3]);
  });

  it('gathers short runs that alternate into one push per port', () => {
    const { a, b, c } = learnedSwitch();
    a.inject(...Array.from({ length: 20 }, (_, i) => frame(i % 2 ? B : C, A, 60, i)));
    expect([b.pushes, c.pushes]).toEqual([[10], [10]]);
    expect(b.frames.map((each) => each[20])).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  });

  it('gathers flooded frames once for all ports that are nobody’s destination', () => {
    const { a, b, c } = learnedSwitch();
    a.inject(...Array.from({ length: 20 }, (_, i) => frame(i % 2 ? B : BROADCAST_MAC, A, 60, i)));
    expect([b.pushes, c.pushes]).toEqual([[20], [10]]);
    expect(c.frames.map((each) => each[20])).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  it('leaves long runs in place: a copy of them costs more than a write', () => {
    const { a, b, c } = learnedSwitch();
    a.inject(frame(B, A, 60_000), frame(C, A, 60_000), frame(B, A, 60_000), frame(C, A, 60_000));
    expect([b.pushes, c.pushes]).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('gathers anew when a port keeps the bytes', () => {
    const { a, b } = learnedSwitch();
    const kept: Uint8Array[] = [];
    b.push = (batch, first) => {
      batch.retain();
      kept.push(batch.bytes.subarray(batch.starts[first], batch.ends[first]));
    };
    a.inject(frame(B, A, 60, 1), frame(C, A), frame(B, A, 60, 1));
    a.inject(frame(B, A, 60, 2), frame(C, A), frame(B, A, 60, 2));
    expect(kept.map((bytes) => bytes[20])).toEqual([1, 2]);
  });

  it('gives every port the frames that are for it, in order, whatever the mixture', () => {
    const destinations = fc.array(fc.constantFrom(B, C, BROADCAST_MAC, 0x525400000099, 0x0180c2000000), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(destinations, fc.integer({ min: 60, max: 9000 }), (to, length) => {
        const { a, b, c } = learnedSwitch();
        const sent = to.map((mac, i) => frame(mac, A, length, i));
        a.inject(...sent);
        const expected = (other: number) => sent.filter((_, i) => to[i] !== other && to[i] !== 0x0180c2000000);
        expect(b.frames).toEqual(expected(C));
        expect(c.frames).toEqual(expected(B));
      }),
      { numRuns: 60 },
    );
  });
});

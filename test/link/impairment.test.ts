import { describe, expect, it } from 'vitest';
import { ImpairedPath } from '../support/impaired.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('delay', () => {
  it('holds every frame for exactly its time, and lets those of one time leave together', () => {
    const path = new ImpairedPath({ delay: 20 });
    path.send(3);
    path.scheduler.advance(5);
    path.send(2);
    path.scheduler.advance(14.9);
    expect(path.arrived).toEqual([]);
    path.scheduler.advance(10);
    expect(path.arrived).toEqual([0, 1, 2, 3, 4]);
    expect(path.times).toEqual([20, 20, 20, 25, 25]);
    expect(path.pushes).toEqual([3, 2]);
  });

  it('keeps copies: what is sent may be overwritten when the call has returned', () => {
    const path = new ImpairedPath({ delay: 1 });
    for (let i = 0; i < 1000; i++) path.send(1, 1514);
    path.scheduler.advance(1);
    expect(path.arrived).toEqual(upTo(1000));
  });

  it('has one timer, which rests when nothing waits', () => {
    const path = new ImpairedPath({ delay: 20 });
    path.send(3);
    path.send(3);
    expect(path.scheduler.pending).toBe(1);
    path.scheduler.advance(20);
    expect(path.scheduler.pending).toBe(0);
  });
});

describe('jitter', () => {
  it('moves the delay uniformly either way, as netem does without a distribution', () => {
    const path = new ImpairedPath({ delay: 100, jitter: 40, limit: 20_000 });
    path.send(20_000);
    path.scheduler.advance(140);
    expect(path.arrived).toHaveLength(20_000);
    const perQuarter = [60, 80, 100, 120].map((from) => path.times.filter((at) => at >= from && at < from + 20).length);
    for (const count of perQuarter) expect(count).toBeGreaterThan(4800);
    const mean = path.times.reduce((sum, at) => sum + at, 0) / path.times.length;
    expect(Math.abs(mean - 100)).toBeLessThan(0.5);
  });

  it('reorders: frames leave in the order of their times', () => {
    const path = new ImpairedPath({ delay: 10, jitter: 5 });
    path.send(100);
    path.scheduler.advance(15);
    expect(path.arrived).not.toEqual(upTo(100));
    expect(path.arrived.toSorted((a, b) => a - b)).toEqual(upTo(100));
    expect(path.times).toEqual(path.times.toSorted((a, b) => a - b));
  });

  it('that is longer than the delay lets some leave at once', () => {
    const path = new ImpairedPath({ delay: 10, jitter: 20 });
    path.send(1000);
    expect(path.arrived.length).toBeGreaterThan(200);
    expect(path.arrived.length).toBeLessThan(300);
  });
});

describe('loss', () => {
  it('takes its share of the frames, by name, and lets the others pass untouched and at once', () => {
    const path = new ImpairedPath({ loss: 0.1 });
    for (let i = 0; i < 1000; i++) path.send(20);
    const lost = path.drops.counts['link-loss']!;
    expect(path.arrived).toHaveLength(20_000 - lost);
    expect(Math.abs(lost - 2000)).toBeLessThan(130); // three standard deviations
    expect(path.arrived).toEqual(path.arrived.toSorted((a, b) => a - b));
    expect(path.scheduler.pending).toBe(0);
  });

  it('of 100 % leaves nothing', () => {
    const path = new ImpairedPath({ loss: 1 });
    path.send(50);
    expect(path.arrived).toEqual([]);
    expect(path.drops.counts).toEqual({ 'link-loss': 50 });
  });

  it('takes the same frames whenever they come', () => {
    const together = new ImpairedPath({ loss: 0.3, delay: 10, jitter: 5, limit: 50 });
    together.send(100);
    const apart = new ImpairedPath({ loss: 0.3 });
    for (let i = 0; i < 100; i++) apart.send(1);
    expect(together.drops.counts['link-loss']).toBe(apart.drops.counts['link-loss']);
  });
});

describe('rate', () => {
  it('lets a frame pass when its last octet would have', () => {
    const path = new ImpairedPath({ rate: 10_000_000 });
    path.send(2, 1250); // 1 ms each
    path.send(1, 125);
    path.scheduler.advance(1.5);
    path.send(1, 1250);
    path.scheduler.advance(10);
    path.send(1, 1250);
    path.scheduler.advance(10);
    expect(path.times).toEqual([1, 2, 2.1, 3.1, 12.5]);
  });

  it('behind a delay keeps the order that jitter would change', () => {
    const path = new ImpairedPath({ rate: 1_000_000_000, delay: 10, jitter: 9 });
    for (let i = 0; i < 100; i++) {
      path.send(1);
      path.scheduler.advance(0.1);
    }
    path.scheduler.advance(100);
    expect(path.arrived).toEqual(upTo(100));
  });

  it('is what arrives in the long run', () => {
    const path = new ImpairedPath({ rate: 8_000_000, limit: 100 });
    for (let i = 0; i < 1000; i++) {
      path.send(10, 1000);
      path.scheduler.advance(1);
    }
    expect(path.arrived.length).toBe(1000); // a second's 8 Mbit
  });
});

describe('limit', () => {
  it('bounds the frames that wait; the rest is dropped by name', () => {
    const path = new ImpairedPath({ delay: 20, limit: 5 });
    path.send(8);
    path.scheduler.advance(20);
    path.send(1);
    path.scheduler.advance(20);
    expect(path.arrived).toEqual([0, 1, 2, 3, 4, 8]);
    expect(path.drops.counts).toEqual({ 'link-overlimit': 3 });
  });

  it("is netem's 1000 where nothing is said", () => {
    const path = new ImpairedPath({ delay: 20 });
    path.send(1001);
    expect(path.impairment.waiting).toBe(1000);
  });

  it('never lets frames take more than 64 MiB', () => {
    const path = new ImpairedPath({ delay: 20, limit: 100_000 });
    for (let i = 0; i < 1100; i++) path.send(1, 65_000);
    expect(path.impairment.waiting).toBe(1024); // four to a block of 256 KiB
    expect(path.drops.counts).toEqual({ 'link-overlimit': 76 });
    path.scheduler.advance(20);
    expect(path.arrived).toEqual(upTo(1024));
    path.send(1, 65_000);
    expect(path.impairment.waiting).toBe(1);
  });
});

describe('a change while frames wait', () => {
  it('to a longer delay leaves them their time', () => {
    const path = new ImpairedPath({ delay: 20 });
    path.send(2);
    path.impairment.update({ delay: 50 });
    path.send(1);
    path.scheduler.advance(50);
    expect(path.times).toEqual([20, 20, 50]);
  });

  it('to a shorter one lets them leave as if they had come now, before what comes next', () => {
    const path = new ImpairedPath({ delay: 5000 });
    path.send(2);
    path.scheduler.advance(1);
    path.impairment.update({ delay: 10 });
    path.send(1);
    path.scheduler.advance(10);
    expect(path.arrived).toEqual([0, 1, 2]);
    expect(path.times).toEqual([11, 11, 11]);
  });

  it('to nothing lets them leave at once, in their order', () => {
    const path = new ImpairedPath({ delay: 30, jitter: 20 });
    path.send(50);
    path.impairment.update({});
    expect(path.arrived.toSorted((a, b) => a - b)).toEqual(upTo(50));
    expect(path.scheduler.pending).toBe(0);
    path.send(1);
    expect(path.arrived.at(-1)).toBe(50);
  });

  it('to a higher rate does not leave them to the old one', () => {
    const path = new ImpairedPath({ rate: 8 });
    path.send(3, 1000);
    path.impairment.update({ rate: 8_000_000 });
    path.scheduler.advance(3);
    expect(path.times).toEqual([1, 2, 3]);
  });
});

it('a link that goes down loses what is under way and what comes, by name', () => {
  const path = new ImpairedPath({ delay: 20 });
  path.send(3);
  path.impairment.setUp(false);
  path.send(2);
  path.scheduler.advance(20);
  expect(path.arrived).toEqual([]);
  expect(path.drops.counts).toEqual({ 'link-down': 5 });
  path.impairment.setUp(true);
  path.send(1);
  path.scheduler.advance(20);
  expect(path.arrived).toEqual([5]);
});

it('what was under way when a machine left takes none of the rate from what comes later', () => {
  const path = new ImpairedPath({ rate: 8000 });
  path.send(100, 100);
  path.impairment.clear('port-closing');
  path.send(1, 100);
  path.scheduler.advance(100);
  expect(path.arrived).toEqual([100]);
});

it('replays exactly with the same seed, and differs with another', () => {
  const run = (seed: number) => {
    const path = new ImpairedPath({ delay: 20, jitter: 10, loss: 0.1, rate: 50_000_000 }, seed);
    for (let i = 0; i < 200; i++) {
      path.send(1 + (i % 7), 60 + i);
      path.scheduler.advance(0.7);
    }
    path.scheduler.advance(100);
    return [path.arrived, path.times];
  };
  expect(run(7)).toEqual(run(7));
  expect(run(7)).not.toEqual(run(8));
});

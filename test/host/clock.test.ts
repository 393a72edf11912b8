import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nodeScheduler, nodeWallClock } from '../../src/host/clock.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('a timer fires once at its time, replaced by a later arming, and not when it was cancelled', () => {
  const fired: number[] = [];
  const timer = nodeScheduler.timer(() => fired.push(nodeScheduler.now()));
  const start = nodeScheduler.now();
  timer.arm(start + 10);
  timer.arm(start + 20);
  vi.advanceTimersByTime(100);
  expect(fired).toEqual([start + 20]);
  timer.arm(start + 200);
  timer.cancel();
  vi.advanceTimersByTime(1000);
  expect(fired).toHaveLength(1);
});

it('a timer a month away waits a month', () => {
  const month = 30 * 24 * 3600 * 1000;
  let fired = 0;
  nodeScheduler.timer(() => fired++).arm(nodeScheduler.now() + month);
  vi.advanceTimersByTime(1000);
  expect([fired, vi.getTimerCount()]).toEqual([0, 1]);
  vi.advanceTimersByTime(month);
  expect(fired).toBe(1);
});

it('the wall clock is the calendar to the millisecond, and never runs backwards', () => {
  const readings = Array.from({ length: 1000 }, () => nodeWallClock.nanoseconds());
  expect(Math.abs(Number(readings[0]! / 1_000_000n) - Date.now())).toBeLessThan(50);
  expect(readings.every((reading, i) => i === 0 || reading >= readings[i - 1]!)).toBe(true);
});

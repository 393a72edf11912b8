import { expect, it } from 'vitest';
import { OutOfOrderBudget, ReceiveQueue } from '../../../src/stack/tcp/receive-queue.ts';

const MEBIBYTE = 1024 * 1024;

/** Keeps `count` pieces of one octet, none of which touches another. */
function fill(budget: OutOfOrderBudget, count: number): ReceiveQueue {
  const queue = new ReceiveQueue(budget);
  for (let i = 0; i < count; i++) queue.add(2 * i, Uint8Array.of(i), 0, 1);
  return queue;
}

it('pieces of one octet cost what they take, so that all connections together keep 32 MiB', () => {
  const budget = new OutOfOrderBudget();
  const queues = Array.from({ length: 300 }, () => fill(budget, 500));
  expect(budget.held).toBeGreaterThan(31 * MEBIBYTE);
  expect(budget.held).toBeLessThanOrEqual(32 * MEBIBYTE);
  expect(fill(budget, 10).isEmpty).toBe(true);
  for (const queue of queues) queue.clear();
  expect(budget.held).toBe(0);
});

it('what is handed on gives back what it took', () => {
  const budget = new OutOfOrderBudget();
  const queue = new ReceiveQueue(budget);
  queue.add(10, Uint8Array.of(1, 2, 3), 0, 3);
  queue.add(20, Uint8Array.of(4), 0, 1);
  expect(queue.shift(10)).toEqual(Uint8Array.of(1, 2, 3));
  expect(queue.shift(20)).toEqual(Uint8Array.of(4));
  expect(budget.held).toBe(0);
});

import { expect, it } from 'vitest';
import { IdleTable } from '../../src/nat/idle-table.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

function setUp(limits = { perOwner: 3, total: 5 }) {
  const scheduler = new ManualScheduler();
  const closed: string[] = [];
  const table: IdleTable<string, ReturnType<typeof entry>> = new IdleTable(scheduler, limits, () => undefined);
  const entry = (key: string, owner: number) => ({
    owner,
    timeout: 60_000,
    close: () => {
      closed.push(key);
      table.remove(key, table.get(key)!);
    },
  });
  const add = (key: string, owner: number) => {
    table.add(key, entry(key, owner));
    scheduler.advance(1000);
  };
  return { table, closed, add, scheduler };
}

it('an owner that has too many loses the one that it has not used for longest, whatever others have', () => {
  const { table, closed, add } = setUp();
  for (const key of ['a', 'b']) add(key, 1);
  for (const key of ['x', 'y', 'z']) add(key, 2);
  table.use('x');
  add('w', 2);
  expect(closed).toEqual(['y']);
  add('v', 2);
  expect(closed).toEqual(['y', 'z']);
});

it('a table that is full loses the entry that nobody has used for longest', () => {
  const { table, closed, add } = setUp();
  for (const key of ['a', 'b']) add(key, 1);
  for (const key of ['x', 'y', 'z']) add(key, 2);
  table.use('a');
  add('p', 3);
  expect(closed).toEqual(['b']);
  expect(table.size).toBe(5);
});

it('an owner whose entries are gone may have as many again', () => {
  const { table, closed, add, scheduler } = setUp();
  for (const key of ['x', 'y', 'z']) add(key, 2);
  scheduler.advance(120_000);
  expect(table.size).toBe(0);
  closed.length = 0;
  for (const key of ['x', 'y', 'z']) add(key, 2);
  expect(closed).toEqual([]);
});

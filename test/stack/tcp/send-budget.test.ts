import { expect, it } from 'vitest';
import { LARGEST_SHARE, SendBudget } from '../../../src/stack/tcp/send-budget.ts';
import { BlockPool } from '../../../src/stack/tcp/send-buffer.ts';

const MEBIBYTE = 1024 * 1024;

function setUp() {
  const pool = new BlockPool();
  const ended: string[] = [];
  const holder = (name: string, octets: number) => ({
    crowdOut: () => {
      ended.push(name);
      pool.taken -= octets;
    },
  });
  return { pool, budget: new SendBudget(pool), ended, holder };
}

it('the share of a connection becomes smaller as the memory of all fills, down to 64 KiB', () => {
  const { pool, budget } = setUp();
  const shares = [0, 248, 252, 255.75, 256, 400].map((taken) => {
    pool.taken = taken * MEBIBYTE;
    return budget.share / 1024;
  });
  expect(shares).toEqual([LARGEST_SHARE / 1024, 1024, 512, 64, 64, 64]);
});

it('beyond 512 MiB those that are full for longest end, and no more of them than must', () => {
  const { pool, budget, ended, holder } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) budget.filled(holder(name, MEBIBYTE));
  expect(ended).toEqual([]);
  pool.taken = 514 * MEBIBYTE;
  budget.filled(holder('e', MEBIBYTE));
  expect(ended).toEqual(['a', 'b']);
});

it('a connection that has room again is not among them', () => {
  const { pool, budget, ended, holder } = setUp();
  const first = holder('a', MEBIBYTE);
  budget.filled(first);
  budget.filled(holder('b', MEBIBYTE));
  budget.emptied(first);
  pool.taken = 513 * MEBIBYTE;
  budget.filled(holder('c', MEBIBYTE));
  expect(ended).toEqual(['b']);
});

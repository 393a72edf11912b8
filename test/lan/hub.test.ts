import { expect, it } from 'vitest';
import { Hub } from '../../src/lan/hub.ts';
import { lanContract } from '../contract/lan.contract.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';

lanContract('a hub', (_scheduler, drops) => new Hub(drops));

it('repeats frames to everyone even when their station has been heard elsewhere', () => {
  const hub = new Hub(new FakeDrops());
  const [a, b, c] = [new FakePort('a'), new FakePort('b'), new FakePort('c')];
  for (const port of [a, b, c]) hub.plug(port);
  b.inject(frame(A, B));
  a.inject(frame(B, A));
  expect(c.frames).toHaveLength(2);
});

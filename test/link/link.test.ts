import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { batchOf } from '../../src/link/frame-batch.ts';
import { Jack } from '../../src/link/jack.ts';
import { Link } from '../../src/link/link.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

function linkedJack() {
  const scheduler = new ManualScheduler();
  const jack = new Jack('web:lan', A);
  const machine = new FakePort('machine');
  const lan = new FakePort('lan');
  jack.connect(machine);
  jack.attach(lan);
  const link = new Link(jack, scheduler, () => new SeededRandom(1));
  return { scheduler, jack, machine, lan, link };
}

it('delays each direction by itself', () => {
  const { scheduler, jack, machine, lan, link } = linkedJack();
  link.impair('from-guest', { delay: 10 });
  link.impair('to-guest', { delay: 30 });
  machine.inject(frame(B, A));
  jack.push(batchOf([frame(A, B)]), 0, 1);
  expect([link.waiting('from-guest'), link.waiting('to-guest')]).toEqual([1, 1]);
  scheduler.advance(10);
  expect([lan.frames.length, machine.frames.length]).toEqual([1, 0]);
  scheduler.advance(20);
  expect([lan.frames.length, machine.frames.length]).toEqual([1, 1]);
});

it('lets probes hear at the edge of the guest: before what it sends is lost, behind what it is sent is', () => {
  const { scheduler, jack, machine, link } = linkedJack();
  const heard: string[] = [];
  jack.listen({ hear: (direction, _batch, first, end) => heard.push(`${direction} ${end - first}`) });
  link.impair('from-guest', { loss: 1 });
  link.impair('to-guest', { delay: 5 });
  machine.inject(frame(B, A));
  jack.push(batchOf([frame(A, B)]), 0, 1);
  expect(heard).toEqual(['from-guest 1']);
  scheduler.advance(5);
  expect(heard).toEqual(['from-guest 1', 'to-guest 1']);
  expect([jack.fromGuest.frames, jack.toGuest.frames]).toEqual([1, 1]);
  expect(jack.drops.toRecord()).toEqual({ 'link-loss': 1 });
});

it('that is impaired no more is not in the way, and what waited has left', () => {
  const { jack, machine, link } = linkedJack();
  link.impair('to-guest', { delay: 1000 });
  jack.push(batchOf([frame(A, B)]), 0, 1);
  link.impair('to-guest', {});
  jack.push(batchOf([frame(A, B)]), 0, 1);
  expect(machine.frames).toHaveLength(2);
});

it('that is down drops both ways by name, and is as it was when it is up again', () => {
  const { scheduler, jack, machine, lan, link } = linkedJack();
  link.impair('from-guest', { delay: 10 });
  link.setUp(false);
  machine.inject(frame(B, A));
  jack.push(batchOf([frame(A, B), frame(A, B)]), 0, 2);
  scheduler.advance(10);
  expect([lan.frames, machine.frames]).toEqual([[], []]);
  expect(jack.drops.toRecord()).toEqual({ 'link-down': 3 });
  link.setUp(true);
  machine.inject(frame(B, A));
  jack.push(batchOf([frame(A, B)]), 0, 1);
  scheduler.advance(9);
  expect([lan.frames.length, machine.frames.length]).toEqual([0, 1]);
  scheduler.advance(1);
  expect(lan.frames).toHaveLength(1);
});

it('has nothing under way when the machine has left', () => {
  const { scheduler, jack, machine, lan, link } = linkedJack();
  link.impair('from-guest', { delay: 10 });
  machine.inject(frame(B, A));
  jack.disconnect();
  expect(jack.drops.toRecord()).toEqual({ 'port-closing': 1 });
  scheduler.advance(10);
  expect(lan.frames).toEqual([]);
  expect(scheduler.pending).toBe(0);
});

import { expect, it } from 'vitest';
import { batchOf } from '../../src/link/frame-batch.ts';
import { Jack } from '../../src/link/jack.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';

function connectedJack(egressLimit?: number) {
  const machine = new FakePort('machine');
  const jack = new Jack('web:lan', A, egressLimit);
  const lan = new FakePort('lan');
  jack.attach(lan);
  jack.connect(machine);
  return { machine, jack, lan };
}

it('counts frames and octets both ways, length prefixes left out', () => {
  const { machine, jack } = connectedJack();
  machine.inject(frame(B, A, 60), frame(B, A, 100));
  jack.push(batchOf([frame(A, B, 70), frame(A, B, 80), frame(A, B, 90)]), 1, 3);
  expect(jack.fromGuest).toEqual({ frames: 2, octets: 160 });
  expect(jack.toGuest).toEqual({ frames: 2, octets: 170 });
});

it('drops and counts what comes while the machine has not read what waits', () => {
  const { machine, jack } = connectedJack(1000);
  machine.queued = 999;
  jack.push(batchOf([frame(A, B)]), 0, 1);
  machine.queued = 1000;
  jack.push(batchOf([frame(A, B), frame(A, B)]), 0, 2);
  expect(machine.frames).toHaveLength(1);
  expect(jack.drops.toRecord()).toEqual({ 'egress-full': 2 });
  expect(jack.toGuest.frames).toBe(1);
});

it('lets probes hear what passes, not what is dropped', () => {
  const { machine, jack } = connectedJack(1000);
  const heard: string[] = [];
  const probe = {
    hear: (direction: string, _batch: unknown, first: number, end: number) => heard.push(`${direction} ${end - first}`),
  };
  jack.listen(probe);
  machine.inject(frame(B, A));
  machine.queued = 1000;
  jack.push(batchOf([frame(A, B)]), 0, 1);
  machine.queued = 0;
  jack.push(batchOf([frame(A, B), frame(A, B)]), 0, 2);
  jack.silence(probe);
  machine.inject(frame(B, A));
  expect(heard).toEqual(['from-guest 1', 'to-guest 2']);
});

it('passes nothing on when the machine has left', () => {
  const { machine, jack, lan } = connectedJack();
  jack.disconnect();
  machine.inject(frame(B, A));
  jack.push(batchOf([frame(A, B)]), 0, 1);
  expect(lan.frames).toEqual([]);
  expect(machine.frames).toEqual([]);
});

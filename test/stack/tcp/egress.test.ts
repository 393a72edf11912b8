import { describe, expect, it } from 'vitest';
import { Hub } from '../../../src/lan/hub.ts';
import { LearningSwitch } from '../../../src/lan/learning-switch.ts';
import { batchOf } from '../../../src/link/frame-batch.ts';
import { Jack } from '../../../src/link/jack.ts';
import type { Port, PortReceiver } from '../../../src/link/port.ts';
import { FakeDrops } from '../../support/fake-port.ts';
import { A, B, frame } from '../../support/frames.ts';
import { ManualScheduler } from '../../support/manual-scheduler.ts';
import { Wire } from '../../support/stack-peer.ts';
import { establishedConnection } from '../../support/tcp-peer.ts';

/** The stack of a connection whose peer takes everything, behind a queue that the test fills. */
function behindQueue() {
  const wire = new Wire();
  const peer = establishedConnection({ windowScale: 7 }, wire);
  const queue = { octets: 0, sent: 0 };
  wire.stack.attach({
    push: (batch, first, end) => {
      for (let i = first; i < end; i++) queue.sent += batch.ends[i]! - batch.starts[i]!;
    },
    egress: { queuedTowards: () => queue.octets },
  });
  return { peer, wire, queue };
}

describe('a connection whose machine reads slowly', () => {
  it('sends nothing while its queue is full, and goes on when it is empty', () => {
    const { peer, wire, queue } = behindQueue();
    queue.octets = 250 * 1024;
    peer.connection!.send(new Uint8Array(10_000));
    expect(queue.sent).toBe(0);
    queue.octets = 0;
    wire.stack.roomElsewhere();
    expect(queue.sent).toBeGreaterThan(10_000);
  });

  it('acknowledges all the same', () => {
    const { peer, queue } = behindQueue();
    queue.octets = 250 * 1024;
    peer.say({ payload: Uint8Array.of(1) });
    expect(queue.sent).toBe(60);
  });
});

/** A port that lets the test see what it was given. */
class Probe implements Port {
  queued = 0;
  told = 0;
  receiver: PortReceiver | undefined;

  push(): void {}

  attach(receiver: PortReceiver): void {
    this.receiver = receiver;
  }

  detach(): void {}

  roomElsewhere(): void {
    this.told++;
  }
}

describe.each([
  ['switch', () => new LearningSwitch(new ManualScheduler(), new FakeDrops())],
  ['hub', () => new Hub(new FakeDrops())],
] as const)('a %s', (_kind, make) => {
  it('tells a station how much waits for a machine, and when that is gone', () => {
    const lan = make();
    const [station, machine] = [new Probe(), new Probe()];
    for (const port of [station, machine]) {
      const jack = new Jack('jack');
      jack.connect(port);
      lan.plug(jack);
    }
    machine.receiver!.push(batchOf([frame(A, B)]), 0, 1);
    machine.queued = 1000;
    expect(station.receiver!.egress!.queuedTowards(B)).toBe(1000);
    expect(station.told).toBe(0);
    machine.queued = 0;
    machine.receiver!.drained!();
    expect(station.told).toBe(1);
    expect(station.receiver!.egress!.queuedTowards(B)).toBe(0);
  });
});

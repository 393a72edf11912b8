import { describe, expect, it } from 'vitest';
import type { Lan } from '../../src/lan/lan.ts';
import type { DropSink } from '../../src/link/drops.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, C, frame, taggedFrame } from '../support/frames.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

/** What every LAN does, whatever its kind. */
export function lanContract(name: string, make: (scheduler: ManualScheduler, drops: DropSink) => Lan): void {
  const lanWith = (...ports: readonly FakePort[]) => {
    const lan = make(new ManualScheduler(), new FakeDrops());
    for (const port of ports) lan.plug(port);
    return lan;
  };

  describe(`${name} as a LAN`, () => {
    it('floods a broadcast to all ports but the one it came from', () => {
      const [a, b, c] = [new FakePort('a'), new FakePort('b'), new FakePort('c')];
      lanWith(a, b, c);
      a.inject(frame(BROADCAST_MAC, A));
      expect([a, b, c].map((port) => port.frames.length)).toEqual([0, 1, 1]);
    });

    it('floods unknown unicast and multicast', () => {
      const [a, b, c] = [new FakePort('a'), new FakePort('b'), new FakePort('c')];
      lanWith(a, b, c);
      a.inject(frame(B, A), frame(0x01005e000001, A));
      expect([a, b, c].map((port) => port.frames.length)).toEqual([0, 2, 2]);
    });

    it('passes 802.1Q tags untouched', () => {
      const [a, b] = [new FakePort('a'), new FakePort('b')];
      lanWith(a, b);
      const tagged = taggedFrame(B, A, 42);
      a.inject(tagged);
      expect(b.frames).toEqual([tagged]);
    });

    it('keeps the order of frames between two ports', () => {
      const [a, b] = [new FakePort('a'), new FakePort('b')];
      lanWith(a, b);
      const sent = [frame(B, A, 60, 1), frame(BROADCAST_MAC, A, 60, 2), frame(B, A, 60, 3), frame(C, A, 60, 4)];
      a.inject(...sent);
      expect(b.frames).toEqual(sent);
    });

    it('sends nothing to a port that was unplugged and takes nothing from it', () => {
      const [a, b, c] = [new FakePort('a'), new FakePort('b'), new FakePort('c')];
      const lan = lanWith(a, b, c);
      lan.unplug(b);
      a.inject(frame(BROADCAST_MAC, A));
      b.inject(frame(BROADCAST_MAC, B));
      expect([a, b, c].map((port) => port.frames.length)).toEqual([0, 0, 1]);
    });

    it('forwards an answer given while a frame is being forwarded, after that frame reached everyone', () => {
      const order: string[] = [];
      const [a, c] = [new FakePort('a'), new FakePort('c')];
      const b = new FakePort('b');
      lanWith(a, b, c);
      const logged = (port: FakePort) => {
        const push = port.push.bind(port);
        port.push = (batch, first, end) => {
          order.push(`${port.name} ${batch.bytes[batch.starts[first]! + 20]}`);
          push(batch, first, end);
        };
      };
      for (const port of [a, b, c]) logged(port);
      const push = b.push;
      b.push = (batch, first, end) => {
        push(batch, first, end);
        if (b.frames.length === 1) b.inject(frame(BROADCAST_MAC, B, 60, 2));
      };
      a.inject(frame(BROADCAST_MAC, A, 60, 1));
      expect(order).toEqual(['b 1', 'c 1', 'a 2', 'c 2']);
    });

    it('bounds what stations may answer in one turn', () => {
      const drops = new FakeDrops();
      const lan = make(new ManualScheduler(), drops);
      const [a, b] = [new FakePort('a'), new FakePort('b')];
      lan.plug(a);
      lan.plug(b);
      let answers = 0;
      b.push = () => {
        if (answers++ > 0) return;
        for (let i = 0; i < 10_000; i++) b.inject(frame(A, B, 1514));
      };
      a.inject(frame(BROADCAST_MAC, A));
      expect(drops.counts['lan-backlog']).toBeGreaterThan(1000);
      expect(a.frames.length + (drops.counts['lan-backlog'] ?? 0)).toBe(10_000);
    });
  });
}

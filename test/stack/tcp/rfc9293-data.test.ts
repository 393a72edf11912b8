import { describe, expect, it } from 'vitest';
import type { Loan } from '../../../src/base/loan.ts';
import { FAMILIES } from '../../support/families.ts';
import { pattern } from '../../support/stack-peer.ts';
import { type Heard, type TcpPeer, tcpOver } from '../../support/tcp-peer.ts';

const HELLO = new TextEncoder().encode('hello');

/** Past the acknowledgments that a young connection sends at once. */
function settled(peer: TcpPeer): number {
  for (let i = 0; i < 16; i++) peer.say({ seq: 1 + i, payload: Uint8Array.of(i) });
  peer.heard();
  return 17;
}

describe.each(FAMILIES)('over $name', (family) => {
  const { wire, establishedConnection } = tcpOver(family);

  describe('what comes', () => {
    it('in one batch is handed on once and acknowledged once', () => {
      const peer = establishedConnection();
      const before = peer.wire.pushes.length;
      peer.say({ payload: pattern(1000) }, { seq: 1001, payload: pattern(1000) }, { seq: 2001, payload: pattern(7) });
      expect(peer.told()).toEqual(['. 1+0 ack 2008']);
      expect(peer.ear.pieces).toHaveLength(1);
      expect(peer.ear.bytes).toEqual(Uint8Array.of(...pattern(1000), ...pattern(1000), ...pattern(7)));
      expect(peer.wire.pushes.length - before).toBe(1);
    });

    it('may be kept by who retains it, single pieces and gathered ones', () => {
      const peer = establishedConnection();
      const kept: Uint8Array[] = [];
      const loans: Loan[] = [];
      peer.ear.onReceived = (bytes, lender) => {
        kept.push(bytes);
        loans.push(lender.retain());
      };
      peer.say({ payload: pattern(10) });
      peer.say({ seq: 11, payload: pattern(20) }, { seq: 31, payload: pattern(30) });
      peer.say({ seq: 61, payload: HELLO }, { seq: 66, payload: HELLO });
      expect(kept).toEqual([
        pattern(10),
        Uint8Array.of(...pattern(20), ...pattern(30)),
        Uint8Array.of(...HELLO, ...HELLO),
      ]);
      for (const loan of loans) loan.release();
    });

    it('is acknowledged at once by every second segment, else within half a second (3.8.6.3)', () => {
      const peer = establishedConnection();
      const seq = settled(peer);
      peer.say({ seq, payload: pattern(1460) });
      expect(peer.told()).toEqual([]);
      peer.say({ seq: seq + 1460, payload: pattern(1460) });
      expect(peer.told()).toEqual([`. 1+0 ack ${seq + 2920}`]);
      peer.say({ seq: seq + 2920, payload: HELLO });
      expect(peer.told()).toEqual([]);
      peer.wire.scheduler.advance(500);
      expect(peer.told()).toEqual([`. 1+0 ack ${seq + 2925}`]);
    });

    it('is acknowledged at once where one segment is as long as many', () => {
      const peer = establishedConnection({ mss: 20_000 }, wire({ mtu: family.headerLength + 20_020 }));
      const seq = settled(peer);
      peer.say({ seq, payload: pattern(20_000) });
      expect(peer.told()).toEqual([`. 1+0 ack ${seq + 20_000}`]);
    });

    it('is acknowledged by the answer where there is one', () => {
      const peer = establishedConnection();
      const seq = settled(peer);
      peer.ear.onReceived = () => peer.connection!.send(HELLO);
      peer.say({ seq, payload: HELLO });
      expect(peer.told()).toEqual([`P. 1+5 ack ${seq + 5}`]);
    });

    it('twice counts once, and is acknowledged again', () => {
      const peer = establishedConnection();
      peer.say({ payload: HELLO }, { payload: HELLO });
      peer.say({ payload: Uint8Array.of(...HELLO, 33) });
      expect(peer.ear.bytes).toEqual(Uint8Array.of(...HELLO, 33));
      expect(peer.told()).toEqual(['. 1+0 ack 6', '. 1+0 ack 7']);
    });

    it('beyond the window is cut off', () => {
      const peer = establishedConnection();
      peer.ear.isSlow = true;
      for (let seq = 1; seq < 200_000; seq += 1460) peer.say({ seq, payload: pattern(1460) });
      expect(peer.ear.octets).toBe(65_535);
      expect(peer.heard().at(-1)).toMatchObject({ ack: 65_536, window: 0 });
    });

    it('with an urgent pointer is data as any other', () => {
      const peer = establishedConnection();
      peer.say({ payload: HELLO });
      expect(peer.ear.bytes).toEqual(HELLO);
    });
  });

  describe('the window', () => {
    it('opens again when octets were used up, in no small steps', () => {
      const peer = establishedConnection();
      peer.ear.isSlow = true;
      for (let seq = 1; seq < 65_536; seq += 1460) peer.say({ seq, payload: pattern(Math.min(1460, 65_536 - seq)) });
      peer.heard();
      peer.connection!.consumed(1000);
      expect(peer.heard()).toEqual([]);
      peer.connection!.consumed(64_535);
      expect(peer.heard()).toMatchObject([{ ack: 65_536, window: 65_535 }]);
    });

    it('grows while the sender fills it and the application keeps up', () => {
      const peer = establishedConnection({ windowScale: 7 });
      let window = 65_535;
      for (let i = 0, seq = 1; i < 10; i++) {
        const count = Math.floor(window / 1460);
        peer.say(...Array.from({ length: count }, (_, at) => ({ seq: seq + at * 1460, payload: pattern(1460) })));
        seq += count * 1460;
        window = peer.heard().at(-1)!.window * 32;
      }
      expect(window).toBe(1024 * 1024);
    });
  });

  describe('what we send', () => {
    it('fills segments, leaves together, and pushes at its end', () => {
      const peer = establishedConnection();
      peer.connection!.send(pattern(3000));
      expect(peer.told()).toEqual(['. 1+1460 ack 1', '. 1461+1460 ack 1', 'P. 2921+80 ack 1']);
      expect(peer.wire.pushes.at(-1)).toBe(3);
    });

    it('never exceeds what the peer takes in a segment, nor what the network does', () => {
      const small = establishedConnection({ mss: 500 });
      small.connection!.send(pattern(600));
      expect(small.told()).toEqual(['. 1+500 ack 1', 'P. 501+100 ack 1']);
      const large = establishedConnection({ mss: 9000 }, wire({ mtu: family.headerLength + 1480 }));
      large.connection!.send(pattern(2000));
      expect(large.told()[0]).toBe('. 1+1460 ack 1');
    });

    it('starts with ten segments (RFC 6928) and goes on as they are acknowledged', () => {
      const peer = establishedConnection();
      peer.connection!.send(pattern(100_000));
      expect(peer.told()).toHaveLength(10);
      peer.say({ ack: 1461 });
      expect(peer.told()).toHaveLength(2);
    });

    it('waits for the window, then probes it with one octet, less and less often (3.8.6.1)', () => {
      const peer = establishedConnection({}, wire(), 0);
      peer.connection!.send(HELLO);
      expect(peer.told()).toEqual([]);
      peer.wire.scheduler.advance(250);
      expect(peer.told()).toEqual(['. 1+1 ack 1']);
      peer.say({ window: 0 });
      peer.wire.scheduler.advance(3000);
      expect(peer.told().length).toBeLessThan(5);
      peer.say({ window: 1000 });
      expect(peer.told()).toEqual(['P. 1+5 ack 1']);
    });

    it('finishes behind a probe that finds the window open again', () => {
      const peer = establishedConnection({}, wire(), 0);
      peer.connection!.send(HELLO.subarray(0, 1));
      peer.connection!.finish();
      peer.wire.scheduler.advance(250);
      const [{ flags, seq, payload }] = peer.heard() as [Heard];
      peer.say({ ack: seq + payload.length + (flags.includes('F') ? 1 : 0) });
      peer.say({ ack: 3 });
      peer.say({ flags: 'F.', ack: 3 });
      expect(peer.ear.said).toEqual(['opened', 'ended', 'finished']);
    });

    it('keeps probing a window that stays closed, as long as the peer answers', () => {
      const peer = establishedConnection({}, wire(), 0);
      peer.connection!.send(HELLO);
      for (let i = 0; i < 400; i++) {
        peer.wire.scheduler.advance(1000);
        if (peer.heard().length > 0) peer.say({ window: 0 });
      }
      expect(peer.ear.said).toEqual(['opened']);
      peer.wire.scheduler.advance(400_000);
      expect(peer.ear.said).toEqual(['opened', 'timeout']);
    });

    it('tells its sender when enough is acknowledged', () => {
      const peer = establishedConnection({ windowScale: 7 });
      let drained = 0;
      peer.ear.onDrained = () => drained++;
      peer.connection!.send(new Uint8Array(300 * 1024));
      for (let i = 0; i < 20 && drained === 0; i++) {
        const last = peer.heard().at(-1)!;
        peer.say({ ack: last.seq + last.payload.length, window: 65_535 });
      }
      expect(drained).toBe(1);
      expect(peer.connection!.unacknowledged).toBeLessThanOrEqual(256 * 1024);
    });
  });

  it('asks a peer that was silent for two hours whether it is there, nine times (3.8.4)', () => {
    const peer = establishedConnection();
    peer.wire.scheduler.advance(7_200_100);
    expect(peer.told()).toEqual(['. 0+0 ack 1']);
    peer.say({});
    peer.wire.scheduler.advance(7_000_000);
    expect(peer.told()).toEqual([]);
    peer.wire.scheduler.advance(1_000_000);
    expect(peer.told()).toHaveLength(9);
    expect(peer.ear.said).toEqual(['opened', 'timeout']);
  });
});

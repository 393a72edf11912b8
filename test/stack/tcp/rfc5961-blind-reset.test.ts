import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../support/families.ts';
import { tcpOver } from '../../support/tcp-peer.ts';

describe.each(FAMILIES)('over $name', (family) => {
  const { establishedConnection } = tcpOver(family);

  describe('a guess at a connection (RFC 5961)', () => {
    it('by a reset in the window is challenged, one outside of it ignored (3.2)', () => {
      const peer = establishedConnection();
      peer.say({ flags: 'R', seq: 100 });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      peer.say({ flags: 'R', seq: 100_000 });
      expect(peer.told()).toEqual([]);
      expect(peer.ear.said).toEqual(['opened']);
      expect(peer.wire.drops()).toEqual({ 'tcp-out-of-window': 2 });
    });

    it('by a SYN is challenged, wherever it is (4.2)', () => {
      const peer = establishedConnection();
      peer.say({ flags: 'S', seq: 100 });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      peer.say({ flags: 'S', seq: 900_000 });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      expect(peer.ear.said).toEqual(['opened']);
    });

    it('by an acknowledgment of what was never sent, or long ago, is challenged and brings no data (5.2)', () => {
      const peer = establishedConnection();
      peer.say({ ack: 500, payload: Uint8Array.of(1) });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      peer.say({ ack: -100_000, payload: Uint8Array.of(1) });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      expect(peer.ear.octets).toBe(0);
      expect(peer.wire.drops()).toEqual({ 'tcp-bad-ack': 2 });
    });

    it('is not answered more often than every half second (7)', () => {
      const peer = establishedConnection();
      for (let i = 0; i < 50; i++) peer.say({ flags: 'R', seq: 100 + i });
      expect(peer.told()).toHaveLength(1);
      peer.wire.scheduler.advance(500);
      peer.say({ flags: 'R', seq: 100 });
      expect(peer.told()).toHaveLength(1);
    });
  });
});

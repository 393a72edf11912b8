import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../support/families.ts';
import { tcpOver } from '../../support/tcp-peer.ts';

const HELLO = new TextEncoder().encode('hello');

describe.each(FAMILIES)('over $name', (family) => {
  const { connectedConnection, establishedConnection } = tcpOver(family);

  describe('closing', () => {
    it('by the other side first leaves our direction open', () => {
      const peer = establishedConnection();
      peer.say({ flags: 'F.', seq: 1 });
      expect(peer.told()).toEqual(['. 1+0 ack 2']);
      peer.connection!.send(HELLO);
      expect(peer.told()).toEqual(['P. 1+5 ack 2']);
      peer.connection!.finish();
      expect(peer.told()).toEqual(['F. 6+0 ack 2']);
      peer.say({ seq: 2, ack: 7 });
      expect(peer.ear.said).toEqual(['opened', 'ended', 'finished']);
      expect(peer.wire.stack.tcp.size).toBe(0);
    });

    it('by us first still takes what comes, and then waits for old segments', () => {
      const peer = establishedConnection();
      peer.connection!.finish();
      expect(peer.told()).toEqual(['F. 1+0 ack 1']);
      peer.say({ ack: 2 }, { ack: 2, payload: HELLO }, { flags: 'F.', seq: 6, ack: 2 });
      expect(peer.told()).toEqual(['. 2+0 ack 7']);
      expect(peer.ear.bytes).toEqual(HELLO);
      expect(peer.ear.said).toEqual(['opened', 'ended', 'finished']);
      peer.say({ flags: 'F.', seq: 6, ack: 2 });
      expect(peer.told()).toEqual(['. 2+0 ack 7']);
      peer.wire.scheduler.advance(70_000);
      peer.say({ flags: 'F.', seq: 6, ack: 2 });
      expect(peer.told()).toEqual(['R 2+0 ack 0']);
    });

    it('by both at the same time is heard by both', () => {
      const peer = connectedConnection();
      peer.connection!.finish();
      peer.heard();
      peer.say({ flags: 'F.', seq: 1, ack: 1 });
      expect(peer.told()).toEqual(['. 2+0 ack 2']);
      peer.say({ seq: 2, ack: 2 });
      expect(peer.ear.said).toEqual(['opened', 'ended', 'finished']);
    });

    it('sends what was given before it, and repeats the FIN with it', () => {
      const peer = establishedConnection();
      peer.connection!.send(HELLO);
      peer.connection!.finish();
      expect(peer.told()).toEqual(['P. 1+5 ack 1', 'F. 6+0 ack 1']);
      peer.wire.scheduler.advance(1100);
      expect(peer.told()[0]).toBe('FP. 1+5 ack 1');
    });

    it('makes room for a new connection from the same port', () => {
      const peer = establishedConnection();
      peer.connection!.finish();
      peer.say({ flags: 'F.', seq: 1, ack: 2 });
      peer.heard();
      peer.say({ flags: 'S', seq: 5000 });
      expect(peer.told()).toEqual(['S. 0+0 ack 5001']);
    });

    it('at once, by us, sends a reset and no event follows', () => {
      const peer = establishedConnection();
      peer.connection!.send(HELLO);
      peer.heard();
      peer.connection!.reset();
      expect(peer.told()).toEqual(['R. 6+0 ack 1']);
      peer.say({ payload: HELLO });
      expect(peer.ear.said).toEqual(['opened']);
    });
  });

  describe('a reset', () => {
    it('ends the connection behind what came before it', () => {
      const peer = establishedConnection();
      peer.say({ payload: HELLO }, { flags: 'R', seq: 6 });
      expect(peer.ear.bytes).toEqual(HELLO);
      expect(peer.ear.said).toEqual(['opened', 'reset']);
    });
  });
});

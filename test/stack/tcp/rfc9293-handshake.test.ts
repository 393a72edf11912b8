import { describe, expect, it } from 'vitest';
import type { TcpRequest } from '../../../src/stack/tcp-layer.ts';
import { FAMILIES } from '../../support/families.ts';
import { Ear } from '../../support/tcp-link.ts';
import { type TcpPeer, tcpOver } from '../../support/tcp-peer.ts';

describe.each(FAMILIES)('over $name', (family) => {
  const { wire, newPeer, connectedConnection, connecting, establishedConnection } = tcpOver(family);

  /** A peer whose SYN is held by the test. */
  function held(): { peer: TcpPeer; request: TcpRequest; cancelled: () => boolean } {
    const peer = newPeer();
    let request: TcpRequest | undefined;
    let isCancelled = false;
    peer.wire.stack.tcp.listen(80, (asked) => {
      request = asked;
      asked.onCancel(() => {
        isCancelled = true;
      });
    });
    peer.say({ flags: 'S', seq: 0, syn: { mss: 1400 } });
    return { peer, request: request!, cancelled: () => isCancelled };
  }

  describe('a SYN', () => {
    it('is answered with what both sides can do', () => {
      const peer = newPeer();
      peer.listen();
      peer.say({ flags: 'S', seq: 0, syn: { mss: 1400, windowScale: 7, sack: true, timestamp: 5 } });
      expect(peer.heard()).toMatchObject([
        { flags: 'S.', seq: 0, ack: 1, mss: 1460, windowScale: 5, permitsSack: true, echo: 5 },
      ]);
    });

    it('without options gets none but the segment size, which fits the network', () => {
      const peer = newPeer(wire({ mtu: 1280 }));
      peer.listen();
      peer.say({ flags: 'S', seq: 0 });
      expect(peer.heard()).toMatchObject([
        {
          flags: 'S.',
          mss: 1260 - family.headerLength,
          windowScale: undefined,
          permitsSack: false,
          timestamp: undefined,
        },
      ]);
    });

    it('opens the connection when the answer is acknowledged', () => {
      const peer = establishedConnection();
      expect(peer.ear.said).toEqual(['opened']);
      expect(peer.wire.stack.tcp.size).toBe(1);
    });

    it('to a port where nobody listens is refused', () => {
      const peer = newPeer();
      peer.say({ flags: 'S', seq: 0 });
      expect(peer.told()).toEqual(['R. 0+0 ack 1']);
      expect(peer.wire.drops()).toEqual({ 'tcp-no-listener': 1 });
    });

    it('waits with its repetitions until it is accepted', () => {
      const { peer, request } = held();
      peer.say({ flags: 'S', seq: 0, syn: { mss: 1400 } });
      expect(peer.told()).toEqual([]);
      request.accept(new Ear());
      expect(peer.told()).toEqual(['S. 0+0 ack 1']);
    });

    it('may be refused later', () => {
      const { peer, request } = held();
      request.refuse();
      expect(peer.told()).toEqual(['R. 0+0 ack 1']);
      expect(peer.wire.stack.tcp.size).toBe(0);
    });

    it('may be answered with an ICMP error that quotes it', () => {
      const { peer, request } = held();
      request.unreachable('host');
      const [frame] = peer.wire.take();
      const message = 14 + family.headerLength;
      const quotedPorts = message + 8 + family.headerLength;
      expect(frame!.slice(message, message + 2)).toEqual(Uint8Array.of(...family.errors.host));
      expect(frame!.slice(quotedPorts, quotedPorts + 4)).toEqual(Uint8Array.of(3, 232, 0, 80));
    });

    it('that was ignored is a new request when it comes again', () => {
      const { peer, request } = held();
      request.ignore();
      const asked: TcpRequest[] = [];
      peer.wire.stack.tcp.onUnclaimed((again) => asked.push(again));
      peer.say({ flags: 'S', seq: 0 }, { flags: 'S', seq: 0, port: 81 });
      expect(peer.told()).toEqual([]);
      expect(asked.map(({ to }) => to.port)).toEqual([81]);
    });

    it('is forgotten when its sender resets it', () => {
      const { peer, request, cancelled } = held();
      peer.say({ flags: 'R', seq: 1 });
      expect(cancelled()).toBe(true);
      request.refuse();
      expect(peer.told()).toEqual([]);
    });

    it('gets its answer again while that is not acknowledged, and then is given up', () => {
      const peer = newPeer();
      peer.listen();
      peer.say({ flags: 'S', seq: 0 });
      peer.wire.scheduler.advance(3100);
      expect(peer.told()).toEqual(['S. 0+0 ack 1', 'S. 0+0 ack 1']);
      peer.wire.scheduler.advance(120_000);
      expect(peer.ear.said).toEqual(['timeout']);
      expect(peer.wire.stack.tcp.size).toBe(0);
    });
  });

  describe('a connection that we open', () => {
    it('asks, and is open when the answer came', () => {
      const peer = connecting();
      expect(peer.heard()).toMatchObject([{ flags: 'S', seq: 0, mss: 1460, windowScale: 5, permitsSack: true }]);
      peer.say({ flags: 'S.', seq: 0, ack: 1 });
      expect(peer.told()).toEqual(['. 1+0 ack 1']);
      expect(peer.ear.said).toEqual(['opened']);
    });

    it('is refused by a reset that acknowledges it, and by no other', () => {
      const peer = connecting();
      peer.heard();
      peer.say({ flags: 'R', seq: 0 }, { flags: 'R.', seq: 0, ack: 5 });
      expect(peer.ear.said).toEqual([]);
      peer.say({ flags: 'R.', seq: 0, ack: 1 });
      expect(peer.ear.said).toEqual(['refused']);
    });

    it('is given up after three minutes without an answer', () => {
      const peer = connecting();
      peer.wire.scheduler.advance(170_000);
      expect(peer.ear.said).toEqual([]);
      peer.wire.scheduler.advance(80_000);
      expect(peer.ear.said).toEqual(['timeout']);
    });

    it('ends as unreachable where nobody has the address', () => {
      const { stack, scheduler } = wire();
      const ear = new Ear();
      stack.tcp.connect({ address: family.ours, port: 0 }, { address: family.absent, port: 9 }, ear);
      scheduler.advance(5000);
      expect(ear.said).toEqual(['unreachable']);
    });

    it('ends as unreachable where no route leads there, after the call', () => {
      const { stack, scheduler } = wire({ hasRoute: false });
      const ear = new Ear();
      stack.tcp.connect({ address: family.ours, port: 0 }, { address: family.far, port: 9 }, ear);
      expect(ear.said).toEqual([]);
      scheduler.advance(0);
      expect(ear.said).toEqual(['unreachable']);
    });

    it.each(['host', 'port', 'prohibited'] as const)('ends as unreachable where a router says so: %s', (why) => {
      const peer = connecting();
      const [syn] = peer.wire.take();
      peer.wire.deliver(family.errorAbout(syn!, why));
      expect(peer.ear.said).toEqual(['unreachable']);
      expect(peer.wire.drops()).toEqual({});
    });

    it('opens although both sides ask at the same time (RFC 9293, figure 8)', () => {
      const peer = connecting();
      peer.heard();
      peer.say({ flags: 'S', seq: 0 });
      expect(peer.told()).toEqual(['S. 0+0 ack 1']);
      peer.say({ flags: '.', seq: 1, ack: 1 });
      expect(peer.ear.said).toEqual(['opened']);
    });

    it('tells who acknowledges what was never sent that it is not there', () => {
      const peer = connecting();
      peer.heard();
      peer.say({ flags: 'S.', seq: 0, ack: 9 });
      expect(peer.told()).toEqual(['R 9+0 ack 0']);
    });
  });

  describe('a segment of no connection', () => {
    it('is answered with a reset that its sender believes', () => {
      const peer = newPeer();
      peer.say({ flags: '.', seq: 5, ack: 77 }, { flags: 'F', seq: 9, payload: Uint8Array.of(1, 2) });
      expect(peer.told()).toEqual(['R 77+0 ack 0', 'R. 0+0 ack 11']);
    });

    it('is not answered where it is a reset itself', () => {
      const peer = newPeer();
      peer.say({ flags: 'R', seq: 5 });
      expect(peer.told()).toEqual([]);
      expect(peer.wire.drops()).toEqual({ 'tcp-no-connection': 1 });
    });
  });

  it('resets everything when the network goes away, also SYNs that are held', () => {
    const { peer } = held();
    const open = connectedConnection();
    peer.wire.stack.tcp.resetAll();
    open.wire.stack.tcp.resetAll();
    expect(peer.told()).toEqual(['R. 0+0 ack 1']);
    expect(open.told()).toEqual(['R. 1+0 ack 1']);
    expect(open.wire.stack.tcp.size).toBe(0);
  });

  it('gives up the oldest handshakes of a flood of SYNs, and counts them', () => {
    const peer = newPeer();
    let cancelled = 0;
    peer.wire.stack.tcp.listen(80, (request) => request.onCancel(() => cancelled++));
    for (let from = 2000; from < 4000; from++) peer.say({ flags: 'S', seq: 0, from });
    expect(cancelled).toBe(2000 - 1024);
    expect(peer.wire.drops()).toEqual({ 'tcp-half-open-full': 2000 - 1024 });
  });
});

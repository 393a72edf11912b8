import { describe, expect, it } from 'vitest';
import { endpoint, NatWire } from '../support/nat-wire.ts';
import { fragmentsOf, ip, octets, pattern, udpPayload } from '../support/stack-peer.ts';

const TO_B = '(to 52:54:00:00:00:02)';

describe('RFC 4787, REQ-1: a mapping', () => {
  it('is one socket of the host for every destination', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.send('198.51.100.9', 123);
    expect(nat.net.sockets).toHaveLength(1);
    expect(nat.net.lastSocket.sent).toEqual([
      { bytes: pattern(3), to: endpoint('192.0.2.7', 53), options: { ttl: 63, dontFragment: false } },
      { bytes: pattern(3), to: endpoint('198.51.100.9', 123), options: { ttl: 63, dontFragment: false } },
    ]);
  });

  it('is one for each port and each address of guests', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53, { sourcePort: 1000 });
    nat.send('192.0.2.7', 53, { sourcePort: 1001 });
    nat.send('192.0.2.7', 53, { from: '10.0.0.9' });
    expect(nat.net.sockets).toHaveLength(3);
  });

  it('leaves from the address that it is told', () => {
    const nat = new NatWire({}, { source: octets('203.0.113.5') });
    nat.send('192.0.2.7', 53);
    expect(nat.net.lastSocket.local?.address).toEqual(octets('203.0.113.5'));
  });

  it('is a flow while it lasts', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.net.lastSocket.feed(pattern(10), endpoint('192.0.2.7', 5000));
    const [flow] = [...nat.flows];
    expect(flow).toMatchObject({ protocol: 'udp', initiator: 'guest', state: 'open', fromGuest: 3, toGuest: 10 });
    expect(flow!.guest).toEqual(endpoint('10.0.0.2', 1000));
    expect(flow!.peer).toEqual(endpoint('192.0.2.7', 5000));
    nat.send('192.0.2.8', 5000);
    expect(flow!.peer).toBeUndefined();
    nat.flows.closeAll();
    expect(nat.flows.size).toBe(0);
    expect(nat.net.lastSocket.isClosed).toBe(true);
    expect(nat.wire.scheduler.pending).toBe(0);
  });
});

describe('RFC 4787, REQ-8: filtering is independent of the endpoint', () => {
  it('so that who was never asked reaches the guest, as who was', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.net.lastSocket.feed(pattern(4), endpoint('192.0.2.7', 53));
    nat.net.lastSocket.feed(pattern(5), endpoint('198.51.100.1', 7777));
    expect(nat.wire.said()).toEqual([
      `192.0.2.7 > 10.0.0.2 udp 53 > 1000 4 octets ${TO_B}`,
      `198.51.100.1 > 10.0.0.2 udp 7777 > 1000 5 octets ${TO_B}`,
    ]);
  });

  it('but for an address that the guest takes for a neighbour’s', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.net.lastSocket.feed(pattern(4), endpoint('10.0.0.9', 53));
    expect(nat.wire.said()).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'udp-ambiguous-source': 1 });
  });
});

describe('RFC 4787, REQ-9: hairpinning', () => {
  it('takes a guest’s datagram to another mapping, and the answer back', () => {
    const nat = new NatWire({}, { source: octets('203.0.113.5') });
    nat.introduce('10.0.0.9');
    nat.send('192.0.2.7', 53, { from: '10.0.0.9' });
    nat.send('192.0.2.7', 53);
    const [far, near] = nat.net.sockets.map(({ local }) => local!.port);
    nat.send('203.0.113.5', far!, { payload: pattern(8) });
    nat.net.turn();
    expect(nat.wire.said()).toEqual([`203.0.113.5 > 10.0.0.9 udp ${near} > 1000 8 octets ${TO_B}`]);
    nat.send('203.0.113.5', near!, { from: '10.0.0.9', payload: pattern(9) });
    nat.net.turn();
    expect(nat.wire.said()).toEqual([`203.0.113.5 > 10.0.0.2 udp ${far} > 1000 9 octets ${TO_B}`]);
  });
});

describe('RFC 4787, REQ-13 and REQ-14: datagrams longer than the network’s MTU', () => {
  it.each([1473, 9000, 65_507])('leave whole with %i octets, though their fragments come in any order', (length) => {
    const nat = new NatWire();
    const addresses = { source: ip('10.0.0.2'), destination: ip('192.0.2.7') };
    const fragments = fragmentsOf(udpPayload(1000, 5000, pattern(length), addresses), 1480, addresses);
    nat.wire.deliver(...fragments.reverse());
    expect(nat.net.lastSocket.sent.map(({ bytes }) => bytes)).toEqual([pattern(length)]);
  });

  it.each([1472, 1473, 65_507])('come in fragments with %i octets', (length) => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.net.lastSocket.feed(pattern(length), endpoint('192.0.2.7', 5000));
    const frames = nat.wire.take();
    expect(frames).toHaveLength(Math.ceil((length + 8) / 1480));
    const payload = frames.flatMap((frame) => [...frame.slice(34, 14 + (frame[16]! << 8) + frame[17]!)]);
    expect(Uint8Array.from(payload.slice(8))).toEqual(pattern(length));
  });

  it('are not cut by the host where the guest says so', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000, { dontFragment: true });
    expect(nat.net.lastSocket.sent[0]!.options).toEqual({ ttl: 63, dontFragment: true });
  });
});

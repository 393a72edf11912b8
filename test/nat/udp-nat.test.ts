import { describe, expect, it } from 'vitest';
import { endpoint, NatWire } from '../support/nat-wire.ts';
import { ip, octets, pattern, udpFrame } from '../support/stack-peer.ts';

const TO_B = '(to 52:54:00:00:00:02)';

describe('the gateway’s address', () => {
  const hostAccess = [{ protocol: 'udp', first: 8000, last: 8000 }] as const;

  it('stands for the host’s loopback where a port is open, both ways', () => {
    const nat = new NatWire({ hostAccess });
    nat.send('10.0.0.1', 8000, { ttl: 1 });
    const { lastSocket } = nat.net;
    expect(lastSocket.sent).toEqual([
      { bytes: pattern(3), to: endpoint('127.0.0.1', 8000), options: { ttl: 1, dontFragment: false } },
    ]);
    lastSocket.feed(pattern(5), endpoint('127.0.0.1', 8000));
    expect(nat.wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 udp 8000 > 1000 5 octets ${TO_B}`]);
  });

  it('has nobody at a port that is closed', () => {
    const nat = new NatWire({ hostAccess });
    nat.send('10.0.0.1', 8001);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/3 31 octets ${TO_B}`]);
    expect(nat.counters.toRecord()).toEqual({ 'egress-host-closed': 1 });
  });

  it('is not the router’s other addresses, where nobody is either', () => {
    const nat = new NatWire({ hostAccess: 'all' });
    nat.send('10.0.0.3', 8000);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([`10.0.0.3 > 10.0.0.2 icmp 3/3 31 octets ${TO_B}`]);
  });
});

describe('what the policy refuses', () => {
  it.each([
    { to: '169.254.169.254', config: {}, counter: 'egress-metadata' },
    { to: '192.0.2.7', config: { isRestricted: true }, counter: 'egress-restricted' },
  ])('is prohibited and counted as $counter', ({ to, config, counter }) => {
    const nat = new NatWire(config);
    nat.send(to, 80);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/13 31 octets ${TO_B}`]);
    expect(nat.counters.toRecord()).toEqual({ [counter]: 1 });
  });

  it('is refused to a guest that has a mapping, too', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.send('169.254.169.254', 80);
    nat.send('192.0.2.7', 53);
    expect(nat.net.lastSocket.sent.map(({ to }) => to.address)).toEqual([octets('192.0.2.7'), octets('192.0.2.7')]);
  });
});

describe('never leaves', () => {
  it.each([
    { what: 'a broadcast', destination: '255.255.255.255', toMac: 0xffffffffffff },
    { what: 'a directed broadcast', destination: '10.0.0.255', toMac: 0xffffffffffff },
    { what: 'a group', destination: '239.1.2.3', toMac: 0x01005e010203 },
    { what: 'a group, in a frame to the gateway', destination: '239.1.2.3', toMac: undefined },
  ])('$what', ({ destination, toMac }) => {
    const nat = new NatWire({ hostAccess: 'all' });
    nat.wire.deliver(udpFrame(53, pattern(1), { destination: ip(destination), ...(toMac && { toMac }) }));
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([]);
  });

  it('what comes from an address that no answer would reach', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53, { from: '198.51.100.66' });
    expect(nat.net.sockets).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'udp-foreign-source': 1 });
  });

  it('what goes to port 0', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 0);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.drops()).toEqual({ 'udp-no-listener': 1 });
  });
});

it('a datagram that the host cannot send is counted', () => {
  const nat = new NatWire();
  nat.send('192.0.2.7', 53);
  nat.net.lastSocket.send = () => false;
  nat.send('192.0.2.7', 53);
  expect(nat.counters.toRecord()).toEqual({ 'udp-too-long': 1 });
});

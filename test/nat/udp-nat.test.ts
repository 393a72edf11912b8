import { describe, expect, it } from 'vitest';
import { parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import { datagramOver, FAMILIES, IPV4, IPV6 } from '../support/families.ts';
import { endpoint, NatWire } from '../support/nat-wire.ts';
import { ip, pattern, udpFrame } from '../support/stack-peer.ts';

const TO_B = '(to 52:54:00:00:00:02)';
const HOST_ACCESS = [{ protocol: 'udp', first: 8000, last: 8000 }] as const;
const METADATA = { IPv4: '169.254.169.254', IPv6: 'fd00:ec2::254' };
const STRANGER = { IPv4: '198.51.100.66', IPv6: '2001:db8:7::66' };

describe.each(FAMILIES)('over $name', (family) => {
  const [ours, peer, extra, far] = [family.ours, family.peer, family.extra, family.far].map(family.text) as [
    string,
    string,
    string,
    string,
  ];
  /** An ICMP error about three octets in a datagram. */
  const error = (from: string, kind: 'port' | 'prohibited'): string =>
    `${from} > ${peer} icmp ${family.errors[kind].join('/')} ${family.headerLength + 11} octets ${TO_B}`;

  it('the gateway’s address stands for the host’s loopback where a port is open, both ways', () => {
    const nat = new NatWire({ hostAccess: HOST_ACCESS }, { family });
    const loopback = { address: family.loopback, port: 8000 };
    nat.send(ours, 8000, { ttl: 1 });
    const { lastSocket } = nat.net;
    expect(lastSocket.sent).toEqual([{ bytes: pattern(3), to: loopback, options: { ttl: 1, dontFragment: false } }]);
    lastSocket.feed(pattern(5), loopback);
    expect(nat.wire.said()).toEqual([`${ours} > ${peer} udp 8000 > 1000 5 octets ${TO_B}`]);
  });

  it('the gateway’s address has nobody at a port that is closed', () => {
    const nat = new NatWire({ hostAccess: HOST_ACCESS }, { family });
    nat.send(ours, 8001);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([error(ours, 'port')]);
    expect(nat.counters.toRecord()).toEqual({ 'egress-host-closed': 1 });
  });

  it('the router’s other addresses are not the gateway’s, and nobody is there', () => {
    const nat = new NatWire({ hostAccess: 'all' }, { family });
    nat.send(extra, 8000);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([error(extra, 'port')]);
  });

  it.each([
    { to: METADATA[family.name], config: {}, counter: 'egress-metadata' },
    { to: far, config: { isRestricted: true }, counter: 'egress-restricted' },
  ])('what the policy refuses is prohibited and counted as $counter', ({ to, config, counter }) => {
    const nat = new NatWire(config, { family });
    nat.send(to, 80);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([error(ours, 'prohibited')]);
    expect(nat.counters.toRecord()).toEqual({ [counter]: 1 });
  });

  it('what the policy refuses is refused to a guest that has a mapping, too', () => {
    const nat = new NatWire({}, { family });
    nat.send(far, 53);
    nat.send(METADATA[family.name], 80);
    nat.send(far, 53);
    expect(nat.net.lastSocket.sent.map(({ to }) => to.address)).toEqual([family.far, family.far]);
  });

  it('what goes to everybody never leaves', () => {
    const nat = new NatWire({ hostAccess: 'all' }, { family });
    const { everybody: destination, everybodyMac: toMac } = family;
    nat.wire.deliver(datagramOver(family, 53, pattern(1), { destination, toMac }));
    nat.wire.deliver(datagramOver(family, 53, pattern(1), { destination }));
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.said()).toEqual([]);
  });

  it('what comes from an address that no answer would reach never leaves', () => {
    const nat = new NatWire({}, { family });
    nat.send(far, 53, { from: STRANGER[family.name] });
    expect(nat.net.sockets).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'udp-foreign-source': 1 });
  });

  it('what goes to port 0 never leaves', () => {
    const nat = new NatWire({}, { family });
    nat.send(far, 0);
    expect(nat.net.sockets).toEqual([]);
    expect(nat.wire.drops()).toEqual({ 'udp-no-listener': 1 });
  });

  it('a datagram that the host cannot send is counted', () => {
    const nat = new NatWire({}, { family });
    nat.send(far, 53);
    nat.net.lastSocket.send = () => false;
    nat.send(far, 53);
    expect(nat.counters.toRecord()).toEqual({ 'udp-too-long': 1 });
  });
});

it.each([
  { what: 'a directed broadcast', destination: '10.0.0.255', toMac: 0xffffffffffff },
  { what: 'a group', destination: '239.1.2.3', toMac: 0x01005e010203 },
  { what: 'a group, in a frame to the gateway', destination: '239.1.2.3', toMac: undefined },
])('$what never leaves', ({ destination, toMac }) => {
  const nat = new NatWire({ hostAccess: 'all' });
  nat.wire.deliver(udpFrame(53, pattern(1), { destination: ip(destination), ...(toMac && { toMac }) }));
  expect(nat.net.sockets).toEqual([]);
  expect(nat.wire.said()).toEqual([]);
});

it.each([
  { what: 'the host’s loopback', asked: '64:ff9b::7f00:1' },
  { what: 'the gateway’s address of IPv4', asked: '64:ff9b::a00:1' },
])('behind NAT64, $what answers from where it was asked', ({ asked }) => {
  const gateway = { address: ip('10.0.0.1'), prefixLength: 24 };
  const nat64 = parseIpv6Prefix('64:ff9b::/96')!;
  const nat = new NatWire({ hostAccess: HOST_ACCESS, gateway }, { family: IPV6, nat64 });
  const loopback = { address: IPV4.loopback, port: 8000 };
  nat.send(asked, 8000);
  expect(nat.net.lastSocket.sent[0]!.to).toEqual(loopback);
  nat.net.lastSocket.feed(pattern(5), loopback);
  nat.net.lastSocket.feed(pattern(6), endpoint('192.0.2.7', 8000));
  expect(nat.wire.said()).toEqual([
    `${asked} > fd00::2 udp 8000 > 1000 5 octets ${TO_B}`,
    `64:ff9b::c000:207 > fd00::2 udp 8000 > 1000 6 octets ${TO_B}`,
  ]);
});

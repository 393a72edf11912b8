import { describe, expect, it } from 'vitest';
import { B, C } from '../support/frames.ts';
import {
  arpFrame,
  echoRequest,
  ip,
  ipv4Frame,
  octets,
  pattern,
  ROUTER,
  replyFrom,
  requestFrom,
  udpFrame,
  udpPayload,
  Wire,
} from '../support/stack-peer.ts';

/** The ports whose datagrams reached a listener. */
function listeningWire(options = {}): { wire: Wire; received: number[] } {
  const wire = new Wire(options);
  const received: number[] = [];
  wire.stack.udp.open(7, ({ from }) => received.push(from.port));
  return { wire, received };
}

describe('an IPv4 packet is taken', () => {
  it.each([
    { to: 'the first address', fields: {} },
    { to: 'another address of the station', fields: { destination: ip('10.0.0.3') } },
    { to: 'everybody', fields: { destination: ip('255.255.255.255'), toMac: 0xffffffffffff } },
    { to: 'everybody on the network', fields: { destination: ip('10.0.0.255'), toMac: 0xffffffffffff } },
    { to: 'everybody, from a station without an address', fields: { destination: ip('255.255.255.255'), source: 0 } },
  ])('to $to', ({ fields }) => {
    const { wire, received } = listeningWire();
    wire.deliver(udpFrame(7, pattern(3), fields));
    expect(received).toEqual([1000]);
    expect(wire.drops()).toEqual({});
  });

  it('to any address in a frame for us, while we have none', () => {
    const { wire, received } = listeningWire({ isConfigured: false });
    wire.deliver(udpFrame(7, pattern(3), { destination: ip('10.0.0.77') }));
    expect(received).toEqual([1000]);
  });

  it('with options, which are skipped', () => {
    const { wire, received } = listeningWire();
    const plain = udpFrame(7, pattern(3));
    const frame = new Uint8Array(plain.length + 4);
    frame.set(plain.slice(0, 34));
    frame.set([1, 1, 1, 0], 34);
    frame.set(plain.slice(34), 38);
    frame.set([0x46, 0, 0, 35, 0, 1, 0, 0, 64, 17, 0, 0], 14);
    frame.set(checksumOf(frame.slice(14, 38)), 24);
    wire.deliver(frame);
    expect(received).toEqual([1000]);
  });
});

describe('an IPv4 packet is dropped by name', () => {
  it.each([
    {
      reason: 'ipv4-not-local',
      what: 'for another station',
      frame: udpFrame(7, pattern(1), { destination: ip('10.0.0.9') }),
    },
    {
      reason: 'ipv4-not-local',
      what: 'for a multicast group',
      frame: udpFrame(7, pattern(1), { destination: ip('224.0.0.1') }),
    },
    {
      reason: 'ipv4-bad-source',
      what: 'from a multicast group',
      frame: udpFrame(7, pattern(1), { source: ip('224.0.0.1') }),
    },
    { reason: 'ipv4-bad-source', what: 'from loopback', frame: udpFrame(7, pattern(1), { source: ip('127.0.0.1') }) },
    {
      reason: 'ipv4-bad-source',
      what: 'from everybody',
      frame: udpFrame(7, pattern(1), { source: ip('255.255.255.255') }),
    },
    {
      reason: 'ipv4-bad-source',
      what: 'from the network',
      frame: udpFrame(7, pattern(1), { source: ip('10.0.0.255') }),
    },
    { reason: 'ipv4-bad-source', what: 'from ourselves', frame: udpFrame(7, pattern(1), { source: ip('10.0.0.1') }) },
    { reason: 'ipv4-bad-source', what: 'from nobody to us', frame: udpFrame(7, pattern(1), { source: 0 }) },
    { reason: 'ipv4-bad-checksum', what: 'with a changed header', frame: udpFrame(7).fill(9, 22, 23) },
    { reason: 'ipv4-malformed', what: 'cut short', frame: udpFrame(7, pattern(9)).slice(0, -1) },
    { reason: 'ipv4-malformed', what: 'without a header', frame: udpFrame(7).slice(0, 14) },
    { reason: 'udp-malformed', what: 'without a UDP header', frame: ipv4Frame(pattern(7)) },
    { reason: 'icmp-malformed', what: 'without an ICMP header', frame: ipv4Frame(pattern(7), { protocol: 1 }) },
    {
      reason: 'ipv4-unknown-protocol',
      what: 'of a protocol that we do not speak',
      frame: ipv4Frame(pattern(7), { protocol: 132 }),
    },
  ])('$reason: $what', ({ reason, frame }) => {
    const { wire, received } = listeningWire();
    wire.deliver(frame);
    expect(received).toEqual([]);
    expect(wire.drops()).toEqual({ [reason]: 1 });
  });
});

describe('an IPv4 packet is sent', () => {
  function send(wire: Wire, to: string, length = 0, options = {}): string[] {
    const socket = wire.stack.udp.open(5000, () => undefined);
    socket.send({ address: octets(to), port: 9 }, pattern(length), options);
    socket.close();
    return wire.said();
  }

  it('to the default route when its destination is on another network', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(C, ROUTER, ip('10.0.0.1'))));
    wire.take();
    expect(send(wire, '192.0.2.1')).toEqual(['10.0.0.1 > 192.0.2.1 udp 5000 > 9 0 octets (to 52:54:00:00:00:03)']);
  });

  it('nowhere when no route leads to its destination, and counted', () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: ip('10.0.0.1'), prefixLength: 24 } });
    expect(send(wire, '192.0.2.1')).toEqual([]);
    expect(wire.drops()).toEqual({ 'ipv4-no-route': 1 });
  });

  it.each([
    { to: '255.255.255.255', mac: 'ff:ff:ff:ff:ff:ff' },
    { to: '10.0.0.255', mac: 'ff:ff:ff:ff:ff:ff' },
    { to: '224.128.0.251', mac: '01:00:5e:00:00:fb' },
  ])('to $to without asking anybody', ({ to, mac }) => {
    expect(send(new Wire(), to)).toEqual([`10.0.0.1 > ${to} udp 5000 > 9 0 octets (to ${mac})`]);
  });

  it('to a given MAC without asking anybody', () => {
    expect(send(new Wire(), '10.0.0.77', 0, { mac: B })).toEqual([
      '10.0.0.1 > 10.0.0.77 udp 5000 > 9 0 octets (to 52:54:00:00:00:02)',
    ]);
  });

  it('from 0.0.0.0 while there is no address', () => {
    const wire = new Wire({ isConfigured: false });
    expect(send(wire, '255.255.255.255')).toEqual([
      '0.0.0.0 > 255.255.255.255 udp 5000 > 9 0 octets (to ff:ff:ff:ff:ff:ff)',
    ]);
  });

  it.each([
    { wanted: '10.0.0.3', source: '10.0.0.3' },
    { wanted: '10.0.0.255', source: '10.0.0.1' },
  ])('from $source where $wanted is wanted', ({ wanted, source }) => {
    const said = send(new Wire(), '10.0.0.2', 0, { mac: B, source: octets(wanted) });
    expect(said).toEqual([expect.stringContaining(`${source} >`)]);
  });

  it('in fragments of eight-octet units when it is longer than the MTU', () => {
    const wire = new Wire({ mtu: 68 });
    expect(send(wire, '10.0.0.2', 92, { mac: B }).map((line) => line.replace(/ \(to .*/, ''))).toEqual([
      '10.0.0.1 > 10.0.0.2 fragment 0+48 more',
      '10.0.0.1 > 10.0.0.2 fragment 48+48 more',
      '10.0.0.1 > 10.0.0.2 fragment 96+4',
    ]);
  });

  it('whole when it just fits', () => {
    expect(send(new Wire(), '10.0.0.2', 1472, { mac: B })).toHaveLength(1);
    expect(send(new Wire(), '10.0.0.2', 1473, { mac: B })).toHaveLength(2);
  });

  it('with an identification that differs from the one before', () => {
    const wire = new Wire();
    wire.introducePeer();
    wire.deliver(echoRequest(), echoRequest());
    const [first, second] = wire.take().map((frame) => (frame[18]! << 8) | frame[19]!);
    expect(second).toBe((first! + 1) & 0xffff);
  });
});

it('sends what a batch causes as one push', () => {
  const wire = new Wire();
  wire.introducePeer();
  wire.deliver(
    echoRequest(),
    arpFrame(replyFrom(B, ip('10.0.0.2'))),
    echoRequest(),
    ipv4Frame(udpPayload(1, 2, pattern(1))),
  );
  expect(wire.pushes).toEqual([1, 3]);
});

function checksumOf(header: Uint8Array): number[] {
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += (header[i]! << 8) | header[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return [(~sum >>> 8) & 0xff, ~sum & 0xff];
}

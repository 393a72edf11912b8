import { describe, expect, it } from 'vitest';
import { formatMac, readMac } from '../../src/wire/mac.ts';
import type { NdpMessage } from '../../src/wire/ndp.ts';
import {
  formatIp6,
  icmpv6Frame,
  ip6,
  ipv6Frame,
  ndpFrame,
  ONE,
  type Packet6Fields,
  TWO,
  Wire6,
} from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';
import { pattern } from '../support/stack-peer.ts';

const ALL_NODES: Packet6Fields = { destination: ip6('ff02::1'), toMac: 0x333300000001 };
const ALL_ROUTERS: Packet6Fields = { destination: ip6('ff02::2'), toMac: 0x333300000002 };
const SOLICITATION: NdpMessage = { kind: 'neighbour-solicitation', target: TWO.address, sourceMac: undefined };

function echoRequest(length: number): Uint8Array {
  return Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9, ...pattern(length));
}

describe('a stack is asked for its link-local address', () => {
  it('and answers as Linux does, octet by octet', () => {
    const wire = new Wire6();
    wire.deliver(packet('ndp-neighbour-solicitation'));
    expect(wire.take()).toEqual([packet('ndp-neighbour-advertisement')]);
    expect(wire.drops()).toEqual({});
  });

  it('and tells everybody where a new node probes for it (RFC 4862, 5.4.3)', () => {
    const wire = new Wire6();
    wire.deliver(packet('ndp-duplicate-probe'));
    expect(wire.said()).toEqual([
      'fe80::5054:ff:fe0a:2 > ff02::1 fe80::5054:ff:fe0a:2 is at 52:54:00:0a:00:02 O (to 33:33:00:00:00:01)',
    ]);
  });

  it('and answers to where the solicitation says, else to where it came from', () => {
    const wire = new Wire6();
    wire.deliver(ndpFrame({ ...SOLICITATION, sourceMac: 0x525400000009 }), ndpFrame(SOLICITATION));
    expect(wire.take().map((frame) => readMac(frame, 0))).toEqual([0x525400000009, ONE.mac]);
  });

  it('and is silent where another one is meant', () => {
    const wire = new Wire6();
    wire.deliver(ndpFrame({ ...SOLICITATION, target: ip6('fe80::1:ff0a:2') }));
    expect(wire.take()).toEqual([]);
    expect(wire.drops()).toEqual({ 'ndp-not-local': 1 });
  });
});

describe('a stack is pinged at its link-local address', () => {
  it('and answers as Linux does, but for the flow label', () => {
    const wire = new Wire6();
    wire.deliver(packet('icmpv6-echo-request'));
    const reply = packet('icmpv6-echo-reply');
    expect(wire.take()).toEqual([reply.fill(0, 15, 18)]);
  });

  it('and answers with an odd number of octets, and with as many as a packet carries', () => {
    const wire = new Wire6();
    wire.deliver(packet('icmpv6-echo-request-odd'), icmpv6Frame(echoRequest(1452)));
    expect(wire.said()).toEqual(
      [5, 1452].map(
        (octets) => `fe80::5054:ff:fe0a:2 > fe80::5054:ff:fe0a:1 icmpv6 129 ${octets} octets (to 52:54:00:0a:00:01)`,
      ),
    );
  });

  it('and answers from its own address who pings all nodes (RFC 4443, 4.2)', () => {
    const wire = new Wire6();
    wire.deliver(icmpv6Frame(echoRequest(4), ALL_NODES));
    expect(wire.said()).toEqual([
      'fe80::5054:ff:fe0a:2 > fe80::5054:ff:fe0a:1 icmpv6 129 4 octets (to 52:54:00:0a:00:01)',
    ]);
  });
});

describe('a stack does not take', () => {
  const changed = (name: string, at: number, octet: number) => {
    const frame = packet(name);
    frame[at] = octet;
    return frame;
  };

  it.each([
    { what: 'a truncated packet', frame: packet('icmpv6-echo-request').slice(0, -1), reason: 'ipv6-malformed' },
    {
      what: 'a packet from a group',
      frame: icmpv6Frame(echoRequest(1), { source: ip6('ff02::1') }),
      reason: 'ipv6-bad-source',
    },
    { what: 'its own packet', frame: icmpv6Frame(echoRequest(1), { source: TWO.address }), reason: 'ipv6-bad-source' },
    {
      what: 'a packet from a group MAC',
      frame: icmpv6Frame(echoRequest(1), { fromMac: 0x333300000001 }),
      reason: 'ipv6-bad-source',
    },
    {
      what: 'a ping from nobody',
      frame: icmpv6Frame(echoRequest(1), { source: ip6('::') }),
      reason: 'ipv6-bad-source',
    },
    {
      what: 'a packet for another address',
      frame: icmpv6Frame(echoRequest(1), { destination: ip6('2001:db8::1') }),
      reason: 'ipv6-not-local',
    },
    { what: 'a changed message', frame: changed('icmpv6-echo-request', 100, 0xff), reason: 'icmpv6-bad-checksum' },
    { what: 'too short a message', frame: ipv6Frame(pattern(3)), reason: 'icmpv6-malformed' },
    { what: 'a redirect', frame: icmpv6Frame(Uint8Array.of(137, 0, 0, 0, 0, 0, 0, 0)), reason: 'icmpv6-unknown-type' },
    {
      what: 'an echo reply to it',
      frame: icmpv6Frame(Uint8Array.of(129, 0, 0, 0, 0, 0, 0, 0)),
      reason: 'icmpv6-unmatched',
    },
    { what: 'an error', frame: icmpv6Frame(Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0)), reason: 'icmpv6-unmatched' },
    {
      what: 'a solicitation from beyond the link',
      frame: ndpFrame(SOLICITATION, { hopLimit: 64 }),
      reason: 'ndp-malformed',
    },
    { what: 'an advertisement', frame: packet('ndp-neighbour-advertisement-unicast'), reason: 'ndp-unused' },
    { what: 'a frame for a group of others', frame: packet('mld-report'), reason: 'not-for-us' },
  ])('$what', ({ frame, reason }) => {
    const wire = new Wire6();
    wire.deliver(frame);
    expect(wire.take()).toEqual([]);
    expect(wire.drops()).toEqual({ [reason]: 1 });
  });

  it('a hop-by-hop option that it must not skip, though it skips others', () => {
    const wire = new Wire6();
    const options = (type: number) => ipv6Frame(Uint8Array.of(59, 0, type, 4, 0, 0, 0, 0), { nextHeader: 0 });
    wire.deliver(options(0x1e), options(0xc2));
    expect(wire.drops()).toEqual({ 'ipv6-unknown-next-header': 1, 'ipv6-unknown-option': 1 });
  });
});

describe('a solicitation for routers', () => {
  it('does not concern a stack that does not advertise', () => {
    const wire = new Wire6();
    const solicitation: NdpMessage = { kind: 'router-solicitation', sourceMac: ONE.mac };
    wire.deliver(ndpFrame(solicitation, ALL_ROUTERS), ndpFrame(solicitation));
    expect(wire.drops()).toEqual({ 'not-for-us': 1, 'ndp-unused': 1 });
  });

  it('reaches the one advertiser of a stack until it closes', () => {
    const wire = new Wire6();
    const heard: unknown[] = [];
    const advertiser = wire.stack.ndp.advertise((solicitor) => heard.push(solicitor));
    expect(() => wire.stack.ndp.advertise(() => undefined)).toThrow('already');
    const solicit = () => wire.deliver(packet('ndp-router-solicitation-ipxe'));
    solicit();
    advertiser.close();
    solicit();
    expect(heard).toEqual([{ address: ip6('fe80::5054:ff:fe12:3456'), mac: 0x525400123456 }]);
    expect(wire.drops()).toEqual({ 'not-for-us': 1 });
  });
});

const ADVERTISEMENT: NdpMessage = {
  kind: 'neighbour-advertisement',
  isRouter: false,
  isSolicited: true,
  isOverride: true,
  target: ONE.global,
  targetMac: ONE.mac,
};
const OTHER_MAC = 0x5254000a0009;
const TO_ONE = '(to 52:54:00:0a:00:01)';
const TO_OTHER = '(to 52:54:00:0a:00:09)';
const ASK = 'fd00::2 > ff02::1:ff00:1 who has fd00::1 (to 33:33:ff:00:00:01)';

describe('a neighbour is asked for', () => {
  /** A datagram leaves for `ONE`, or waits. */
  const send = (wire: Wire6) => {
    const socket = wire.stack.udp.open(0, () => undefined);
    socket.send({ address: ONE.global, port: 9 }, pattern(1));
    socket.close();
  };
  const datagram = (to: string) => `fd00::2 > fd00::1 next header 17 9 octets ${to}`;
  const known = () => {
    const wire = new Wire6({ isConfigured: true });
    send(wire);
    wire.deliver(ndpFrame(ADVERTISEMENT));
    expect(wire.said()).toEqual([ASK, datagram(TO_ONE)]);
    return wire;
  };

  it('once, and what waits leaves when it answers', () => {
    known();
  });

  it('three times, then what waits is dropped', () => {
    const wire = new Wire6({ isConfigured: true });
    send(wire);
    wire.scheduler.advance(3000);
    expect(wire.said()).toEqual([ASK, ASK, ASK]);
    expect(wire.drops()).toEqual({ 'neighbour-unresolved': 1 });
    expect(wire.scheduler.pending).toBe(0);
  });

  it('again directly, five seconds after the first use of what is stale, and is forgotten where it is silent', () => {
    const wire = known();
    wire.scheduler.advance(30_001);
    send(wire);
    wire.scheduler.advance(4999);
    expect(wire.said()).toEqual([datagram(TO_ONE)]);
    wire.scheduler.advance(1);
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 who has fd00::1 ${TO_ONE}`]);
    wire.scheduler.advance(3000);
    expect(wire.stack.ndp.owner(ONE.global)).toBeUndefined();
  });

  it('not at all where it confirms itself in these five seconds', () => {
    const wire = known();
    wire.scheduler.advance(30_001);
    send(wire);
    wire.take();
    wire.deliver(ndpFrame(ADVERTISEMENT));
    wire.scheduler.advance(20_000);
    expect(wire.said()).toEqual([]);
  });

  it('where it is known only from its solicitation, after a delay', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.deliver(ndpFrame({ ...SOLICITATION, sourceMac: ONE.mac }, { source: ONE.global }));
    wire.take();
    send(wire);
    wire.scheduler.advance(5000);
    expect(wire.said()).toEqual([datagram(TO_ONE), `fd00::2 > fd00::1 who has fd00::1 ${TO_ONE}`]);
  });

  it.each([
    { what: 'overrides: believed', flags: { isOverride: true }, mac: TO_OTHER, isProbed: false },
    { what: 'overrides unasked: believed, and asked', flags: { isSolicited: false }, mac: TO_OTHER, isProbed: true },
    { what: 'does not override: doubted, and asked', flags: { isOverride: false }, mac: TO_ONE, isProbed: true },
  ])('where another MAC is advertised, which $what (RFC 4861, 7.2.5)', ({ flags, mac, isProbed }) => {
    const wire = known();
    wire.deliver(ndpFrame({ ...ADVERTISEMENT, targetMac: OTHER_MAC, ...flags }));
    send(wire);
    wire.scheduler.advance(5000);
    expect(wire.said()).toEqual([datagram(mac), ...(isProbed ? [`fd00::2 > fd00::1 who has fd00::1 ${mac}`] : [])]);
  });
});

describe('what a stack believes of neighbours', () => {
  it.each([
    { what: 'an advertisement that nobody asked for', message: ADVERTISEMENT },
    { what: 'an address beyond the link', message: { ...SOLICITATION, sourceMac: ONE.mac }, source: '2001:db8::1' },
    { what: 'its own MAC', message: { ...SOLICITATION, sourceMac: TWO.mac }, source: 'fd00::1' },
    { what: 'no link address', message: SOLICITATION, source: 'fd00::1' },
  ])('is not $what', ({ message, source = 'fd00::1' }) => {
    const wire = new Wire6({ isConfigured: true });
    wire.deliver(ndpFrame(message, { source: ip6(source) }));
    expect(wire.stack.ndp.owner(ip6(source))).toBeUndefined();
  });

  it('is bounded', () => {
    const wire = new Wire6({ isConfigured: true });
    for (let i = 0; i < 2000; i++)
      wire.deliver(ndpFrame({ ...SOLICITATION, sourceMac: ONE.mac }, { source: ip6(`fd00::1:${i.toString(16)}`) }));
    const owners = Array.from({ length: 2000 }, (_, i) => wire.stack.ndp.owner(ip6(`fd00::1:${i.toString(16)}`)));
    expect(owners.filter((mac) => mac !== undefined)).toHaveLength(1024);
  });
});

describe('an address of the stack', () => {
  it('is defended against who claims it, not more than once in ten seconds, and each claim is counted', () => {
    const wire = new Wire6({ isConfigured: true });
    const claim = ndpFrame({ ...ADVERTISEMENT, target: TWO.global }, ALL_NODES);
    wire.deliver(claim, claim);
    const defence = 'fd00::2 > ff02::1 fd00::2 is at 52:54:00:0a:00:02 O (to 33:33:00:00:00:01)';
    expect(wire.said()).toEqual([]);
    const unsolicited = ndpFrame({ ...ADVERTISEMENT, target: TWO.global, isSolicited: false }, ALL_NODES);
    wire.deliver(unsolicited, unsolicited);
    expect(wire.said()).toEqual([defence]);
    wire.scheduler.advance(10_000);
    wire.deliver(unsolicited);
    expect(wire.said()).toEqual([defence]);
    expect(wire.stack.ndp.conflicts).toBe(3);
  });

  it('is announced', () => {
    const wire = new Wire6({ isConfigured: true });
    wire.stack.ndp.announce();
    expect(wire.said()).toEqual(
      ['fd00::2', 'fe80::5054:ff:fe0a:2'].map(
        (own) => `${own} > ff02::1 ${own} is at 52:54:00:0a:00:02 O (to 33:33:00:00:00:01)`,
      ),
    );
  });
});

describe('who listens for neighbours', () => {
  it('hears of addresses that are asked with, advertised and probed for, to whatever group', () => {
    const wire = new Wire6({ isConfigured: true });
    const heard: string[] = [];
    wire.stack.ndp.onNeighbour((address, mac) => heard.push(`${formatIp6(address)} ${formatMac(mac)}`));
    const group = (low: number) => ({ destination: ip6(`ff02::1:ff00:${low}`), toMac: 0x3333ff000000 + low });
    wire.deliver(ndpFrame({ ...SOLICITATION, target: ip6('fd00::7') }, { ...group(7), source: ip6('::') }));
    wire.deliver(ndpFrame({ ...SOLICITATION, target: ip6('fd00::8') }, { ...group(8), source: ONE.global }));
    wire.deliver(ndpFrame({ ...ADVERTISEMENT, isSolicited: false, targetMac: OTHER_MAC }, ALL_NODES));
    wire.deliver(ndpFrame({ ...SOLICITATION, target: ip6('fd00::8') }, { ...group(8), source: ip6('2001:db8::1') }));
    wire.stack.ndp.onNeighbour(undefined);
    wire.deliver(ndpFrame({ ...SOLICITATION, target: ip6('fd00::7') }, { ...group(7), source: ip6('::') }));
    expect(heard).toEqual(['fd00::7 52:54:00:0a:00:01', 'fd00::1 52:54:00:0a:00:01', 'fd00::1 52:54:00:0a:00:09']);
    expect(wire.drops()).toEqual({ 'ndp-not-local': 3, 'not-for-us': 1 });
  });
});

describe('an advertisement of a router', () => {
  it('is heard by who listens, and tells where the router is', () => {
    const wire = new Wire6();
    const heard: unknown[] = [];
    wire.stack.ndp.solicitRouters();
    expect(wire.said()).toEqual(['fe80::5054:ff:fe0a:2 > ff02::2 router-solicitation (to 33:33:00:00:00:02)']);
    wire.stack.ndp.onAdvertisement(({ routerLifetime }, { address, mac }) =>
      heard.push([routerLifetime, formatIp6(address), formatMac(mac)]),
    );
    wire.deliver(packet('ndp-router-advertisement-libslirp'));
    expect(heard).toEqual([[1800, 'fe80::2', '52:56:00:00:00:02']]);
    expect(wire.stack.ndp.owner(ip6('fe80::2'))).toBe(0x525600000002);
  });
});

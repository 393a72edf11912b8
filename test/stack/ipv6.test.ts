import { describe, expect, it } from 'vitest';
import type { PingResult } from '../../src/stack/pings.ts';
import {
  fragment6,
  fragments6,
  icmpv6Frame,
  ip6,
  ipv6Frame,
  ndpFrame,
  ONE,
  type Packet6Fields,
  TWO,
  udp6Payload,
  Wire6,
} from '../support/ipv6-peer.ts';
import { pattern } from '../support/stack-peer.ts';

const FAR = ip6('2001:db8::9');
const GLOBAL: Packet6Fields = { source: ONE.global, destination: TWO.global, hopLimit: 64 };
const TO_ONE = '(to 52:54:00:0a:00:01)';

function configured(options: { readonly takesTransit?: boolean; readonly mtu?: number } = {}): Wire6 {
  const wire = new Wire6({ isConfigured: true, ...options });
  introduce(wire, ONE.global);
  introduce(wire, ONE.address);
  return wire;
}

/** `ONE` asks for the station, which then knows where the asker is. */
function introduce(wire: Wire6, source: Uint8Array): void {
  wire.deliver(ndpFrame({ kind: 'neighbour-solicitation', target: TWO.address, sourceMac: ONE.mac }, { source }));
  wire.take();
}

function echo(type: number, length: number): Uint8Array {
  return Uint8Array.of(type, 0, 0, 0, 0, 7, 0, 9, ...pattern(length));
}

/** An ICMPv6 error about the packet of a frame. */
function errorAbout(frame: Uint8Array, type: number, code: number, parameter = 0): Uint8Array {
  const head = [type, code, 0, 0, parameter >>> 24, (parameter >>> 16) & 255, (parameter >>> 8) & 255, parameter & 255];
  return icmpv6Frame(Uint8Array.of(...head, ...frame.subarray(14, 14 + 1232)), GLOBAL);
}

describe('a configured stack', () => {
  it('answers at each of its addresses from that address', () => {
    const wire = configured();
    wire.stack.configure({
      ipv6: {
        interface: { address: TWO.global, prefixLength: 64 },
        extra: [ip6('fd00::53')],
        linkLocal: ip6('fe80::2'),
      },
    });
    wire.take();
    for (const destination of ['fd00::2', 'fd00::53', 'fe80::2', 'fe80::5054:ff:fe0a:2'])
      wire.deliver(icmpv6Frame(echo(128, 4), { source: ONE.global, destination: ip6(destination) }));
    expect(wire.said()).toEqual(
      ['fd00::2', 'fd00::53', 'fe80::2'].map((own) => `${own} > fd00::1 icmpv6 129 4 octets ${TO_ONE}`),
    );
    expect(wire.drops()).toEqual({ 'ipv6-not-local': 1 });
  });

  it('answers a ping that needs fragments, which Linux would put together', () => {
    const wire = configured();
    wire.deliver(...fragments6(icmpv6Frame(echo(128, 2992), GLOBAL).slice(54), 1448, 58));
    expect(wire.said()).toEqual([
      `fd00::2 > fd00::1 fragment of 58 at 0+ 1448 octets ${TO_ONE}`,
      `fd00::2 > fd00::1 fragment of 58 at 1448+ 1448 octets ${TO_ONE}`,
      `fd00::2 > fd00::1 fragment of 58 at 2896 104 octets ${TO_ONE}`,
    ]);
  });

  it('reaches others through its router, whom it asks for first', () => {
    const wire = new Wire6({ isConfigured: true });
    const results: PingResult[] = [];
    wire.stack.ping(FAR, { timeout: 9000, payloadLength: 3 }, (result) => results.push(result));
    expect(wire.said()).toEqual([
      'fe80::5054:ff:fe0a:2 > ff02::1:ff0a:1 who has fe80::5054:ff:fe0a:1 (to 33:33:ff:0a:00:01)',
    ]);
    const advertisement = {
      kind: 'neighbour-advertisement',
      isRouter: true,
      isSolicited: true,
      isOverride: true,
    } as const;
    wire.deliver(ndpFrame({ ...advertisement, target: ONE.address, targetMac: ONE.mac }));
    const [request] = wire.take();
    const message = request!.slice(54);
    message[0] = 129;
    wire.deliver(icmpv6Frame(message, { source: FAR, destination: TWO.global, hopLimit: 60 }));
    expect(results).toEqual([{ kind: 'reply', rtt: 0 }]);
  });

  it('hears that nobody has an address', () => {
    const wire = configured();
    const results: PingResult[] = [];
    wire.stack.ping(ip6('fd00::77'), { timeout: 9000 }, (result) => results.push(result));
    wire.scheduler.advance(3000);
    expect(results).toEqual([{ kind: 'unreachable', code: 3 }]);
    expect(wire.drops()).toEqual({ 'neighbour-unresolved': 1 });
  });

  it('knows no way without a router', () => {
    const wire = new Wire6();
    const results: PingResult[] = [];
    wire.stack.ping(FAR, { timeout: 9000 }, (result) => results.push(result));
    expect(results).toEqual([{ kind: 'unreachable', code: 0 }]);
    expect(wire.drops()).toEqual({ 'ipv6-no-route': 1 });
  });
});

describe('UDP over IPv6', () => {
  it('comes in, whole or in any order of fragments, and is answered', () => {
    const wire = configured();
    const got: number[] = [];
    const socket = wire.stack.udp.open(7, ({ payload, from }) => {
      got.push(payload.length);
      socket.send(from, payload.slice(0, 1));
    });
    wire.deliver(ipv6Frame(udp6Payload(7, pattern(5)), { ...GLOBAL, nextHeader: 17 }));
    wire.deliver(...fragments6(udp6Payload(7, pattern(3000)), 1232).reverse());
    expect(got).toEqual([5, 3000]);
    expect(wire.said()).toEqual(new Array(2).fill(`fd00::2 > fd00::1 next header 17 9 octets ${TO_ONE}`));
  });

  it('is port unreachable where nobody listens, and says so with a quote of 1232 octets at most', () => {
    const wire = configured();
    wire.deliver(ipv6Frame(udp6Payload(9, pattern(1400)), { ...GLOBAL, nextHeader: 17 }));
    const [frame] = wire.take();
    expect(frame).toHaveLength(14 + 1280);
    expect([frame![54], frame![55]]).toEqual([1, 4]);
  });

  it('is cut to what the path takes, once a router said so, for ten minutes', () => {
    const wire = configured();
    const socket = wire.stack.udp.open(7, () => undefined);
    const send = () => {
      socket.send({ address: FAR, port: 9 }, pattern(1400));
      return wire.take().map((frame) => frame.length - 14);
    };
    socket.send({ address: FAR, port: 9 }, pattern(1400));
    const [sent] = wire.take();
    wire.deliver(errorAbout(sent!, 2, 0, 1300));
    expect(send()).toEqual([1296, 208]);
    wire.deliver(errorAbout(sent!, 2, 0, 1279));
    expect(send()).toEqual([1296, 208]);
    wire.scheduler.advance(600_000);
    introduce(wire, ONE.address);
    expect(send()).toEqual([1448]);
  });

  it('reaches a joined group, and no other', () => {
    const wire = configured();
    const heard: Uint8Array[] = [];
    wire.stack.udp.open(547, ({ to }) => heard.push(to.address));
    const group = ip6('ff02::1:2');
    const fields = { source: ONE.global, destination: group, toMac: 0x333300010002, nextHeader: 17 };
    const datagram = ipv6Frame(udp6Payload(547, pattern(4), group), fields);
    wire.deliver(datagram);
    wire.stack.joinGroup(group);
    wire.deliver(datagram);
    wire.stack.leaveGroup(group);
    wire.deliver(datagram);
    expect(heard).toEqual([group]);
    expect(wire.drops()).toEqual({ 'not-for-us': 2 });
  });
});

describe('a fragment', () => {
  const first = { nextHeader: 17, fragmentOffset: 0, moreFragments: true, identification: 7 };

  it('alone is given up after a minute, and its sender hears of it', () => {
    const wire = configured();
    wire.deliver(fragments6(udp6Payload(7, pattern(100)), 64)[0]!);
    wire.scheduler.advance(59_999);
    expect(wire.take()).toEqual([]);
    wire.scheduler.advance(1);
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 icmpv6 3/1 0 ${TO_ONE}`]);
    expect(wire.drops()).toEqual({ 'fragment-timeout': 1 });
  });

  it('that overlaps another refuses the whole datagram, silently (RFC 5722)', () => {
    const wire = configured();
    const [one, two] = fragments6(udp6Payload(7, pattern(100)), 64);
    const overlap = fragment6(pattern(16), { ...first, fragmentOffset: 56 });
    wire.deliver(one!, overlap, two!);
    expect(wire.take()).toEqual([]);
    expect(wire.drops()).toEqual({ 'fragment-malformed': 3 });
  });

  it.each([
    { what: 'that is no multiple of eight', frame: fragment6(pattern(20), first), says: '4/0 4' },
    {
      what: 'that ends beyond 65 535 octets',
      frame: fragment6(pattern(16), { ...first, fragmentOffset: 65_528, moreFragments: false }),
      says: '4/0 42',
    },
    {
      what: 'whose headers go on in the next',
      frame: fragment6(Uint8Array.of(17, 1, 0, 0, 0, 0, 0, 0), { ...first, nextHeader: 60 }),
      says: '4/3 0',
    },
    { what: 'without the ports', frame: fragment6(pattern(8), { ...first, nextHeader: 6 }), says: '4/3 0' },
  ])('$what is refused, and its sender hears of it', ({ frame, says }) => {
    const wire = configured();
    wire.deliver(frame);
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 icmpv6 ${says} ${TO_ONE}`]);
    expect(wire.drops()).toEqual({ 'fragment-malformed': 1 });
  });

  it('of a fragment is refused', () => {
    const wire = configured();
    const inner = Uint8Array.of(17, 0, 0, 1, 0, 0, 0, 9, ...pattern(16));
    wire.deliver(...fragments6(inner, 16, 44));
    expect(wire.drops()).toEqual({ 'fragment-malformed': 1 });
  });
});

describe('a sender hears by ICMPv6', () => {
  const options = (type: number) => Uint8Array.of(17, 0, type, 4, 0, 0, 0, 0);
  it.each([
    { what: 'of an unknown protocol', payload: pattern(8), nextHeader: 200, says: '4/1 6' },
    {
      what: 'of a protocol behind options',
      payload: Uint8Array.of(201, 0, 1, 4, 0, 0, 0, 0),
      nextHeader: 60,
      says: '4/1 40',
    },
    { what: 'of an unknown option', payload: options(0x80), nextHeader: 60, says: '4/2 42' },
    { what: 'of a routing header', payload: Uint8Array.of(17, 0, 0, 1, 0, 0, 0, 0), nextHeader: 43, says: '4/0 42' },
  ])('$what', ({ payload, nextHeader, says }) => {
    const wire = configured();
    wire.deliver(ipv6Frame(payload, { ...GLOBAL, nextHeader }));
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 icmpv6 ${says} ${TO_ONE}`]);
  });

  it('nothing about what went to a group, but of an option that says so (RFC 4443, 2.4 (e))', () => {
    const wire = configured();
    const everybody = { source: ONE.global, destination: ip6('ff02::1'), toMac: 0x333300000001, nextHeader: 60 };
    wire.deliver(ipv6Frame(pattern(8), { ...everybody, nextHeader: 200 }), ipv6Frame(options(0xc0), everybody));
    expect(wire.take()).toEqual([]);
    wire.deliver(ipv6Frame(options(0x80), everybody));
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 icmpv6 4/2 42 ${TO_ONE}`]);
  });

  it('nothing about an error, from nobody, and not at any rate', () => {
    const wire = configured();
    const bad = Uint8Array.of(58, 0, 0x80, 4, 0, 0, 0, 0, ...echo(1, 40));
    wire.deliver(ipv6Frame(bad.slice(0, 16), { ...GLOBAL, nextHeader: 200, source: ip6('::') }));
    wire.deliver(ipv6Frame(bad, { ...GLOBAL, nextHeader: 60 }));
    expect(wire.said()).toEqual([`fd00::2 > fd00::1 icmpv6 4/2 42 ${TO_ONE}`]);
    for (let i = 0; i < 200; i++) wire.deliver(ipv6Frame(pattern(8), { ...GLOBAL, nextHeader: 200 }));
    expect(wire.take().length).toBeLessThan(60);
  });
});

describe('a stack that takes transit', () => {
  const TRANSIT: Packet6Fields = { source: ONE.global, destination: FAR, hopLimit: 64 };

  it('hands on pings for hosts off the link, and answers in their name', () => {
    const wire = configured({ takesTransit: true });
    wire.stack.icmp.onTransitEcho(({ from, to, ttl, ...rest }) => {
      wire.stack.icmp.replyEcho({ from: to, to: from, ttl: 7, ...rest });
      return ttl === 64 ? 'taken' : 'prohibited';
    });
    wire.deliver(icmpv6Frame(echo(128, 4), TRANSIT));
    expect(wire.said()).toEqual([`2001:db8::9 > fd00::1 icmpv6 129 4 octets ${TO_ONE}`]);
    wire.deliver(icmpv6Frame(echo(128, 4), { ...TRANSIT, hopLimit: 63 }));
    expect(wire.said()[1]).toBe(`fd00::2 > fd00::1 icmpv6 1/1 0 ${TO_ONE}`);
  });

  it.each([
    { what: 'whose hops end here', fields: { hopLimit: 1 }, says: '3/0 0', reason: 'ipv6-hop-limit-exceeded' },
    { what: 'from a link-local address', fields: { source: ONE.address }, says: '1/2 0', reason: 'ipv6-link-local' },
  ])('tells the sender of a packet $what', ({ fields, says, reason }) => {
    const wire = configured({ takesTransit: true });
    wire.deliver(icmpv6Frame(echo(128, 4), { ...TRANSIT, ...fields }));
    expect(wire.said()).toEqual([expect.stringContaining(`icmpv6 ${says} ${TO_ONE}`)]);
    expect(wire.drops()).toEqual({ [reason]: 1 });
  });

  it.each([
    { what: 'another host of the link', destination: ip6('fd00::77') },
    { what: 'a link-local address', destination: ip6('fe80::77') },
    { what: 'a group', destination: ip6('ff0e::1') },
    { what: 'the loopback', destination: ip6('::1') },
  ])('takes nothing for $what', ({ destination }) => {
    const wire = configured({ takesTransit: true });
    wire.deliver(icmpv6Frame(echo(128, 4), { ...TRANSIT, destination }));
    expect(wire.take()).toEqual([]);
    expect(wire.drops()).toEqual({ 'ipv6-not-local': 1 });
  });
});

import { describe, expect, it } from 'vitest';
import { readMac } from '../../src/wire/mac.ts';
import type { NdpMessage } from '../../src/wire/ndp.ts';
import { icmpv6Frame, ip6, ipv6Frame, ndpFrame, ONE, type Packet6Fields, TWO, Wire6 } from '../support/ipv6-peer.ts';
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

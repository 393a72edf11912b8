import { describe, expect, it } from 'vitest';

import { batchOf } from '../../src/link/frame-batch.ts';
import { IPV4_FRAGMENTS } from '../../src/stack/ipv4-fragments.ts';
import { Reassembly } from '../../src/stack/reassembly.ts';
import { Ipv4View } from '../../src/wire/ipv4.ts';
import { FakeDrops } from '../support/fake-port.ts';
import { packet } from '../support/packets.ts';
import {
  arpFrame,
  fragmentsOf,
  icmpBody,
  ip,
  ipv4Frame,
  pattern,
  requestFrom,
  udpPayload,
  Wire,
} from '../support/stack-peer.ts';

/** 40 octets of UDP payload on port 7: 48 octets, three fragments of 16. */
const DATAGRAM = udpPayload(1000, 7, pattern(40));

function listeningWire(): { wire: Wire; received: Uint8Array[] } {
  const wire = new Wire();
  const received: Uint8Array[] = [];
  wire.stack.udp.open(7, ({ payload }) => received.push(payload.slice()));
  return { wire, received };
}

/** A fragment of the datagram: octets [from, to), the last one where `more` is false. */
function piece(from: number, to: number, more = to < 48, change = 0): Uint8Array {
  const bytes = DATAGRAM.slice(from, to);
  if (change !== 0) bytes[0] = bytes[0]! ^ change;
  return ipv4Frame(bytes, { fragmentOffset: from, moreFragments: more });
}

describe('fragments become a datagram', () => {
  it.each([
    { order: 'in order', frames: [piece(0, 16), piece(16, 32), piece(32, 48)] },
    { order: 'in reverse', frames: [piece(32, 48), piece(16, 32), piece(0, 16)] },
    { order: 'the middle last', frames: [piece(0, 16), piece(32, 48), piece(16, 32)] },
    { order: 'of unequal size', frames: [piece(40, 48), piece(0, 8), piece(8, 40)] },
  ])('$order', ({ frames }) => {
    const { wire, received } = listeningWire();
    wire.deliver(...frames);
    expect(received).toEqual([pattern(40)]);
    expect(wire.drops()).toEqual({});
    wire.scheduler.advance(60_000);
    expect(wire.drops()).toEqual({});
  });

  it('when one of them comes twice', () => {
    const { wire, received } = listeningWire();
    wire.deliver(piece(0, 16), piece(32, 48), piece(0, 16), piece(32, 48), piece(16, 32));
    expect(received).toEqual([pattern(40)]);
    expect(wire.drops()).toEqual({ 'fragment-duplicate': 2 });
  });

  it('each for itself when two datagrams arrive mixed', () => {
    const { wire, received } = listeningWire();
    const other = fragmentsOf(udpPayload(1000, 7, pattern(25)), 16, { identification: 2 });
    wire.deliver(piece(0, 16), other[0]!, piece(32, 48), other[2]!, other[1]!, piece(16, 32));
    expect(received.map(({ length }) => length)).toEqual([25, 40]);
  });

  it('of the largest size', () => {
    const { wire, received } = listeningWire();
    wire.deliver(...fragmentsOf(udpPayload(1000, 7, pattern(65_507)), 1480));
    expect(received).toEqual([pattern(65_507)]);
  });

  it("as the kernel's ping cut them", () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: ip('10.9.0.2'), prefixLength: 24 } });
    wire.deliver(arpFrame(requestFrom(0x5254000a0001, ip('10.9.0.1'), ip('10.9.0.2'))));
    wire.take();
    const frames = [1, 2, 3].map((i) => packet(`icmp-echo-request-fragment-${i}`));
    for (const frame of frames) frame.set([0x52, 0x54, 0, 0, 0, 1]);
    wire.deliver(...frames);
    expect(wire.said().map((line) => line.replace(/ \(to .*/, ''))).toEqual([
      '10.9.0.2 > 10.9.0.1 fragment 0+1480 more',
      '10.9.0.2 > 10.9.0.1 fragment 1480+1480 more',
      '10.9.0.2 > 10.9.0.1 fragment 2960+48',
    ]);
  });
});

describe('a datagram is refused, and what still comes of it', () => {
  it.each([
    {
      why: 'a fragment lies inside another (teardrop)',
      frames: [piece(0, 40, true), piece(8, 16, true), piece(40, 48)],
    },
    {
      why: 'the last fragment lies inside another',
      frames: [piece(0, 40, true), ipv4Frame(DATAGRAM.slice(24, 30), { fragmentOffset: 24 })],
    },
    { why: 'two fragments overlap by eight octets', frames: [piece(0, 24, true), piece(16, 32), piece(32, 48)] },
    {
      why: 'a duplicate says something else',
      frames: [piece(0, 16), piece(0, 16, true, 1), piece(16, 32), piece(32, 48)],
    },
    { why: 'it ends at two places', frames: [piece(32, 48), piece(16, 24, false), piece(0, 16)] },
    { why: 'more follows behind its end', frames: [piece(16, 32, false), piece(32, 48, true), piece(0, 16)] },
    { why: 'its end lies before what is there', frames: [piece(32, 40, true), piece(16, 24, false), piece(0, 16)] },
    {
      why: 'a fragment but the last is no multiple of eight',
      frames: [piece(0, 15, true), piece(16, 32), piece(32, 48)],
    },
    { why: 'a fragment is empty', frames: [piece(16, 16, true), piece(0, 16), piece(16, 32), piece(32, 48)] },
    {
      why: 'it would be longer than 65 535 octets',
      frames: [ipv4Frame(pattern(1480), { fragmentOffset: 65_528, moreFragments: false }), piece(0, 16)],
    },
  ])('because $why', ({ frames }) => {
    const { wire, received } = listeningWire();
    wire.deliver(...frames);
    expect(received).toEqual([]);
    expect(wire.drops()).toEqual({ 'fragment-malformed': frames.length });
    wire.scheduler.advance(30_000);
    expect(wire.scheduler.pending).toBe(0);
    wire.deliver(piece(0, 16), piece(16, 32), piece(32, 48));
    expect(received).toHaveLength(1);
  });

  it('because it has more than 128 fragments', () => {
    const { wire, received } = listeningWire();
    wire.deliver(...fragmentsOf(udpPayload(1000, 7, pattern(8 * 129)), 8));
    expect(received).toEqual([]);
    expect(wire.drops()).toEqual({ 'fragment-limit': 129, 'fragment-malformed': 1 });
  });
});

describe('an incomplete datagram', () => {
  it('is given up after thirty seconds, and its sender hears of it', () => {
    const { wire } = listeningWire();
    wire.introducePeer();
    wire.deliver(piece(0, 16), piece(32, 48));
    wire.scheduler.advance(29_999);
    expect(wire.drops()).toEqual({});
    wire.scheduler.advance(1);
    expect(wire.drops()).toEqual({ 'fragment-timeout': 2 });
    const [error] = wire.take();
    expect([...error!.slice(34, 36)]).toEqual([11, 1]);
    expect(icmpBody(error!)).toEqual(piece(0, 16).slice(14));
  });

  it('is given up in silence when its first fragment never came', () => {
    const { wire } = listeningWire();
    wire.introducePeer();
    wire.deliver(piece(16, 32), piece(32, 48));
    wire.scheduler.advance(30_000);
    expect(wire.drops()).toEqual({ 'fragment-timeout': 2 });
    expect(wire.take()).toEqual([]);
  });

  it('makes room for later ones when many wait', () => {
    const { wire, received } = listeningWire();
    const frames = Array.from({ length: 4000 }, (_, i) =>
      ipv4Frame(pattern(1480), { identification: 100 + i, moreFragments: true }),
    );
    wire.deliver(...frames);
    const { 'fragment-limit': evicted } = wire.drops();
    expect(evicted).toBeGreaterThan(1500);
    wire.deliver(piece(0, 16), piece(16, 32), piece(32, 48));
    expect(received).toHaveLength(1);
    wire.scheduler.advance(30_000);
    expect(wire.drops()).toMatchObject({ 'fragment-timeout': 4000 - wire.drops()['fragment-limit']! });
  });
});

it('remembers refused datagrams within the same limit', () => {
  const { wire } = listeningWire();
  const reassembly = new Reassembly(IPV4_FRAGMENTS, wire.scheduler, new FakeDrops(), () => undefined);
  const ip4 = new Ipv4View();
  for (let i = 0; i < 40_000; i++) {
    const bytes = ipv4Frame(pattern(4), { identification: i & 0xffff, moreFragments: true, protocol: i >> 16 });
    expect(ip4.bind(bytes, 14, bytes.length)).toBeUndefined();
    reassembly.add(batchOf([bytes]), 0, ip4);
  }
  expect(reassembly.octets).toBeLessThanOrEqual(4 * 1024 * 1024);
});

it('is never begun for a packet that is not ours', () => {
  const { wire } = listeningWire();
  wire.deliver(ipv4Frame(DATAGRAM.slice(0, 16), { moreFragments: true, destination: ip('10.0.0.9') }));
  expect(wire.drops()).toEqual({ 'ipv4-not-local': 1 });
  expect(wire.scheduler.pending).toBe(0);
});

import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { solicitedNodeGroup } from '../../src/wire/ipv6-address.ts';
import type { NdpMessage } from '../../src/wire/ndp.ts';
import {
  fragments6,
  icmpv6Frame,
  ip6,
  ipv6Frame,
  ndpFrame,
  ONE,
  type Packet6Fields,
  resealIcmpv6,
  TWO,
  udp6Payload,
  Wire6,
} from '../support/ipv6-peer.ts';
import { below } from '../support/noise.ts';
import { packet } from '../support/packets.ts';
import { pattern } from '../support/stack-peer.ts';

const FAR = ip6('2001:db8::9');
const GLOBAL: Packet6Fields = { source: ONE.global, destination: TWO.global };
const target = TWO.global;
const flags = { isRouter: false, isSolicited: true, isOverride: true };
const NDP: readonly NdpMessage[] = [
  { kind: 'neighbour-solicitation', target, sourceMac: ONE.mac },
  { kind: 'neighbour-advertisement', ...flags, target: ONE.global, targetMac: ONE.mac },
  { kind: 'neighbour-advertisement', ...flags, isSolicited: false, target, targetMac: ONE.mac },
  { kind: 'router-solicitation', sourceMac: ONE.mac },
];
const echo = (length: number) => Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9, ...pattern(length));
/** Hop-by-hop, destination, routing and fragment headers before an echo request. */
const chain = [60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 5, 2, 0, 0, 1, 0, 44, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 0, 0, 0, 0, 7];

/** A good frame of each kind that the stack looks into. */
const seeds: readonly Uint8Array[] = [
  ...NDP.map((message) => ndpFrame(message)),
  ndpFrame(
    { kind: 'neighbour-solicitation', target, sourceMac: undefined },
    { source: ip6('::'), destination: solicitedNodeGroup(target), toMac: 0x3333ff000002 },
  ),
  packet('ndp-router-advertisement-libslirp'),
  icmpv6Frame(echo(40), GLOBAL),
  icmpv6Frame(echo(4), { ...GLOBAL, destination: FAR, hopLimit: 9 }),
  icmpv6Frame(Uint8Array.of(1, 4, 0, 0, 0, 0, 0, 0, ...ipv6Frame(udp6Payload(1, pattern(9))).subarray(14)), GLOBAL),
  icmpv6Frame(Uint8Array.of(130, 0, 0, 0, 0, 9, 0, 0, ...ip6('::'), 2, 125, 0, 0), { hopLimit: 1 }),
  ipv6Frame(Uint8Array.of(...chain, ...icmpv6Frame(echo(8), GLOBAL).subarray(54)), { ...GLOBAL, nextHeader: 0 }),
  ipv6Frame(udp6Payload(7, pattern(30)), { ...GLOBAL, nextHeader: 17 }),
  ipv6Frame(pattern(40), { ...GLOBAL, nextHeader: 6 }),
  ...fragments6(udp6Payload(7, pattern(100)), 40),
];

function noisyWire(): Wire6 {
  const wire = new Wire6({ isConfigured: true, takesTransit: true });
  wire.stack.udp.open(7, () => undefined);
  wire.stack.icmp.onTransitEcho(() => 'taken');
  wire.stack.ndp.onNeighbour(() => undefined);
  wire.stack.ndp.onAdvertisement(() => undefined);
  wire.deliver(ndpFrame(NDP[0]!, { source: ONE.global }), ndpFrame(NDP[0]!));
  wire.take();
  return wire;
}

/** Changed, cut or lengthened; the checksum of a message behind a plain header is often put right again. */
function mutated(random: Random): Uint8Array {
  const seed = seeds[below(random, seeds.length)]!;
  const length = random.next() < 0.3 ? 14 + below(random, seed.length) : seed.length;
  const bytes = new Uint8Array(length);
  bytes.set(seed.subarray(0, length));
  for (let i = below(random, 4); i > 0; i--) bytes[14 + below(random, length - 14)] = below(random, 256);
  if (bytes[20] === 58 && random.next() < 0.7) resealIcmpv6(bytes);
  return bytes;
}

/** Extension headers in any order with any options, and the end of the packet anywhere. */
function chained(random: Random): Uint8Array {
  const kinds = [0, 43, 44, 60, 58, 17, 59, 135];
  const octets: number[] = [];
  const first = kinds[below(random, 4)]!;
  for (let i = below(random, 12); i >= 0; i--) {
    octets.push(kinds[below(random, i === 0 ? kinds.length : 4)]!, random.next() < 0.9 ? 0 : below(random, 3));
    for (let j = 0; j < 6; j++) octets.push(random.next() < 0.5 ? below(random, 3) : below(random, 256));
  }
  octets.push(...pattern(below(random, 40)));
  return ipv6Frame(Uint8Array.from(octets), { ...GLOBAL, nextHeader: first });
}

function random(random: Random): Uint8Array {
  return ipv6Frame(
    Uint8Array.from({ length: below(random, 80) }, () => below(random, 256)),
    {
      ...GLOBAL,
      nextHeader: below(random, 256),
      hopLimit: below(random, 256),
      destination: random.next() < 0.5 ? TWO.global : FAR,
    },
  );
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0);

describe('a stack among IPv6 frames', () => {
  it.each([
    { kind: 'mutated', make: mutated, frames: 60_000 },
    { kind: 'chained', make: chained, frames: 20_000 },
    { kind: 'random', make: random, frames: 20_000 },
  ])('takes or counts each of $frames $kind ones, and nothing stays behind', ({ make, frames }) => {
    const wire = noisyWire();
    const chance = new SeededRandom(2026);
    for (let i = 0; i < frames; i += 500) {
      wire.deliver(...Array.from({ length: 500 }, () => make(chance)));
      wire.scheduler.advance(100);
      wire.take();
    }
    // The longest time that a querier of groups can give is a little less than 2 h 20 min.
    wire.scheduler.advance(8_400_000);
    expect(total(wire.drops())).toBeGreaterThan(frames / 3);
    expect(wire.scheduler.pending).toBe(0);
    wire.take();
    wire.deliver(ndpFrame(NDP[0]!), icmpv6Frame(echo(40), GLOBAL));
    expect(wire.said().at(-1)).toBe('fd00::2 > fd00::1 icmpv6 129 40 octets (to 52:54:00:0a:00:01)');
  });

  it('takes none that is cut at any octet, and counts each', () => {
    for (const seed of seeds) {
      const wire = noisyWire();
      for (let length = 14; length < seed.length; length++) wire.deliver(seed.subarray(0, length));
      expect(wire.drops()).toEqual({ 'ipv6-malformed': seed.length - 14 });
      expect(wire.take()).toEqual([]);
    }
  });

  it('takes none whose payload is cut at any octet, though the headers say so', () => {
    for (const seed of seeds) {
      const wire = noisyWire();
      const payload = seed.length - 54;
      for (let length = 0; length < payload; length++) {
        const bytes = seed.slice(0, 54 + length);
        bytes.set([length >> 8, length & 255], 18);
        wire.deliver(bytes);
      }
      // A first fragment is refused without its headers; what is longer waits, as does a cut last one.
      wire.scheduler.advance(120_000);
      expect(total(wire.drops())).toBe(payload);
    }
  });

  it('answers for an address of its own in no words but its own', () => {
    const wire = noisyWire();
    const spoofed = { kind: 'neighbour-solicitation', target, sourceMac: TWO.mac } as const;
    wire.deliver(ndpFrame(spoofed), ndpFrame(NDP[0]!, { source: TWO.global }), ndpFrame(NDP[0]!, { fromMac: TWO.mac }));
    expect(wire.drops()).toEqual({ 'ndp-spoofed': 1, 'ipv6-bad-source': 1 });
  });
});

import { expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { linkLocalOf, solicitedNodeGroup } from '../../src/wire/ipv6-address.ts';
import { writeUint16 } from '../../src/wire/octets.ts';
import { A, B, frame } from '../support/frames.ts';
import { icmpv6Frame, ip6, ipv6Frame, ndpFrame, resealIcmpv6 } from '../support/ipv6-peer.ts';
import {
  arpFrame,
  echoRequest,
  fragmentsOf,
  icmpPayload,
  ip,
  ipv4Frame,
  OURS,
  PEER,
  pattern,
  requestFrom,
  udpFrame,
  udpPayload,
  Wire,
} from '../support/stack-peer.ts';

const FRAMES = 10_000;
const BATCH = 50;

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** A good frame of each kind that the stack looks into. */
const seeds = [
  arpFrame(requestFrom(B, PEER, OURS)),
  arpFrame(requestFrom(B, 0, OURS)),
  echoRequest(pattern(40)),
  udpFrame(7, pattern(30)),
  udpFrame(9, pattern(30)),
  udpFrame(7, pattern(30), { destination: ip('10.0.0.255'), toMac: 0xffffffffffff }),
  ipv4Frame(icmpPayload(3, 1, echoRequest().slice(14)), { protocol: 1 }),
  ipv4Frame(pattern(30), { protocol: 6 }),
  ...fragmentsOf(udpPayload(1000, 7, pattern(100)), 40),
  ...ipv6Seeds(),
];

function ipv6Seeds(): Uint8Array[] {
  const target = linkLocalOf(A);
  const fields = { destination: target, toMac: A, fromMac: B };
  const solicitation = { kind: 'neighbour-solicitation', target, sourceMac: B } as const;
  const flags = { isRouter: true, isSolicited: true, isOverride: true };
  return [
    icmpv6Frame(Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9, ...pattern(40)), fields),
    ndpFrame(solicitation, fields),
    ndpFrame(
      { ...solicitation, sourceMac: undefined },
      { ...fields, source: ip6('::'), destination: solicitedNodeGroup(target) },
    ),
    ndpFrame({ kind: 'router-solicitation', sourceMac: B }, fields),
    ndpFrame({ kind: 'neighbour-advertisement', ...flags, target, targetMac: B }, fields),
    ipv6Frame(Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0, 128, 0, 0, 0, 0, 0, 0, 0), { ...fields, nextHeader: 0 }),
  ];
}

/** Changed, cut or lengthened; its checksum is often put right again, so that the change is seen further up. */
function mutated(random: Random): Uint8Array {
  const seed = seeds[below(random, seeds.length)]!;
  const length = random.next() < 0.3 ? 14 + below(random, seed.length) : seed.length;
  const bytes = new Uint8Array(length);
  bytes.set(seed.subarray(0, length));
  for (let i = below(random, 4); i > 0; i--) bytes[12 + below(random, length - 12)] = below(random, 256);
  if (length >= 34 && random.next() < 0.7) repair(bytes);
  return bytes;
}

/** Of IPv6 it is the message's checksum that is put right. */
function repair(bytes: Uint8Array): void {
  if (isIpv6(bytes)) resealIcmpv6(bytes);
  else repairHeader(bytes);
}

function repairHeader(bytes: Uint8Array): void {
  const end = Math.min(bytes.length, 14 + (bytes[14]! & 15) * 4);
  bytes[24] = bytes[25] = 0;
  let sum = 0;
  for (let at = 14; at + 1 < end; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes[24] = ~sum >>> 8;
  bytes[25] = ~sum;
}

/** EtherTypes, and how a good packet of each begins. */
const KINDS = [
  [0x0800, 0x45],
  [0x0806, 0x45],
  [0x86dd, 0x60],
] as const;

function random(random: Random): Uint8Array {
  const bytes = frame(A, B, 14 + below(random, 100));
  for (let i = 14; i < bytes.length; i++) bytes[i] = below(random, 256);
  const [etherType, first] = KINDS[below(random, KINDS.length)]!;
  writeUint16(bytes, 12, etherType);
  if (random.next() < 0.8) bytes[14] = first;
  return bytes;
}

const isArp = (bytes: Uint8Array): boolean => bytes[12] === 8 && bytes[13] === 6;
const isIpv6 = (bytes: Uint8Array): boolean => bytes[12] === 0x86 && bytes[13] === 0xdd;
const isEchoReply = (bytes: Uint8Array): boolean =>
  bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 1 && bytes[34] === 0;
/** An echo reply or a neighbour advertisement; nothing else is sent by IPv6. */
const isIpv6Answer = (bytes: Uint8Array): boolean => isIpv6(bytes) && (bytes[54] === 129 || bytes[54] === 136);
const isAnswer = (bytes: Uint8Array): boolean => isEchoReply(bytes) || isIpv6Answer(bytes);

it.each([
  { kind: 'random', make: random },
  { kind: 'mutated', make: mutated },
])('takes or counts each of 10 000 $kind frames, and nothing stays behind', ({ make }) => {
  const wire = new Wire();
  const chance = new SeededRandom(2026);
  let packets = 0;
  let taken = 0;
  // The only datagram of 100 octets is the one that came in three fragments.
  wire.stack.udp.open(7, ({ payload }) => {
    taken += payload.length === 100 ? 3 : 1;
  });
  for (let i = 0; i < FRAMES; i += BATCH) {
    const batch = Array.from({ length: BATCH }, () => make(chance));
    packets += batch.filter((bytes) => !isArp(bytes)).length;
    wire.deliver(...batch);
    wire.scheduler.advance(100);
    taken += wire.take().filter(isAnswer).length;
  }
  wire.scheduler.advance(60_000);
  taken += wire.take().filter(isAnswer).length;
  const dropped = Object.values(wire.drops()).reduce((sum, count) => sum + count, 0);
  expect(packets).toBeGreaterThan(FRAMES / 3);
  expect(taken + dropped).toBeGreaterThanOrEqual(packets);
  expect(wire.scheduler.pending).toBe(0);
});

import { expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { A, B, frame } from '../support/frames.ts';
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
];

/** Changed, cut or lengthened; the checksum of its IPv4 header is often put right again, so that the change is seen further up. */
function mutated(random: Random): Uint8Array {
  const seed = seeds[below(random, seeds.length)]!;
  const length = random.next() < 0.3 ? 14 + below(random, seed.length) : seed.length;
  const bytes = new Uint8Array(length);
  bytes.set(seed.subarray(0, length));
  for (let i = below(random, 4); i > 0; i--) bytes[12 + below(random, length - 12)] = below(random, 256);
  if (length >= 34 && random.next() < 0.7) repairHeader(bytes);
  return bytes;
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

function random(random: Random): Uint8Array {
  const bytes = frame(A, B, 14 + below(random, 100));
  for (let i = 14; i < bytes.length; i++) bytes[i] = below(random, 256);
  bytes[12] = 8;
  bytes[13] = random.next() < 0.5 ? 0 : 6;
  if (random.next() < 0.8) bytes[14] = 0x45;
  return bytes;
}

const isArp = (bytes: Uint8Array): boolean => bytes[12] === 8 && bytes[13] === 6;
const isEchoReply = (bytes: Uint8Array): boolean => !isArp(bytes) && bytes[23] === 1 && bytes[34] === 0;

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
    taken += wire.take().filter(isEchoReply).length;
  }
  wire.scheduler.advance(60_000);
  taken += wire.take().filter(isEchoReply).length;
  const dropped = Object.values(wire.drops()).reduce((sum, count) => sum + count, 0);
  expect(packets).toBeGreaterThan(FRAMES / 3);
  expect(taken + dropped).toBeGreaterThanOrEqual(packets);
  expect(wire.scheduler.pending).toBe(0);
});

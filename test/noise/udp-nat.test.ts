import { expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { writeUint16 } from '../../src/wire/octets.ts';
import { datagramFrame, endpoint, hostError, NatWire } from '../support/nat-wire.ts';
import {
  echoRequest,
  fragmentsOf,
  icmpPayload,
  ip,
  ipv4Frame,
  octets,
  pattern,
  udpPayload,
} from '../support/stack-peer.ts';

const FRAMES = 10_000;
const BATCH = 50;
const FAR = ip('192.0.2.7');

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

const seeds = [
  datagramFrame('192.0.2.7', 53),
  datagramFrame('10.0.0.1', 53),
  datagramFrame('192.0.2.7', 5000, { ttl: 1 }),
  datagramFrame('169.254.169.254', 80),
  datagramFrame('192.0.2.7', 53, { dontFragment: true, payload: pattern(900) }),
  ...fragmentsOf(udpPayload(1000, 53, pattern(100), { destination: FAR }), 40, { destination: FAR }),
  echoRequest(pattern(20), { destination: FAR }),
  ipv4Frame(icmpPayload(3, 3, datagramFrame('10.0.0.2', 1000, { from: '192.0.2.7', sourcePort: 53 }).slice(14)), {
    protocol: 1,
    destination: FAR,
  }),
];

/** Changed, cut or lengthened; the checksum of its header is mostly right, and a datagram mostly has none. */
function mutated(random: Random): Uint8Array {
  const seed = seeds[below(random, seeds.length)]!;
  const length = random.next() < 0.2 ? 34 + below(random, seed.length - 33) : seed.length;
  const bytes = new Uint8Array(length);
  bytes.set(seed.subarray(0, length));
  for (let i = below(random, 4); i > 0; i--) bytes[14 + below(random, length - 14)] = below(random, 256);
  if (bytes[23] === 17 && length >= 42 && random.next() < 0.9) writeUint16(bytes, 40, 0);
  if (random.next() < 0.9) repairHeader(bytes);
  return bytes;
}

function repairHeader(bytes: Uint8Array): void {
  bytes[24] = bytes[25] = 0;
  let sum = 0;
  for (let at = 14; at + 1 < Math.min(bytes.length, 14 + (bytes[14]! & 15) * 4); at += 2)
    sum += (bytes[at]! << 8) | bytes[at + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  writeUint16(bytes, 24, ~sum & 0xffff);
}

function randomError(random: Random): HostIcmpError {
  const byte = (): number => below(random, 256);
  return hostError({
    type: below(random, 20),
    code: below(random, 20),
    mtu: below(random, 0x1_0000),
    reporter: random.next() < 0.3 ? undefined : Uint8Array.of(byte(), byte(), byte(), byte()),
    to: endpoint('192.0.2.7', below(random, 0x1_0000)),
    quote: pattern(below(random, 65_508)),
  });
}

it('the NAT takes or counts each of 10 000 mutated frames and whatever the host says, and nothing stays behind', () => {
  const nat = new NatWire({ hostAccess: 'all' });
  const random = new SeededRandom(2026);
  let errors = 0;
  for (let i = 0; i < FRAMES; i += BATCH) {
    nat.wire.deliver(...Array.from({ length: BATCH }, () => mutated(random)));
    const from = endpoint(random.next() < 0.5 ? '192.0.2.7' : '127.0.0.1', below(random, 0x1_0000));
    nat.net.lastSocket.feed(pattern(below(random, 65_508)), from);
    nat.net.lastSocket.refuse(randomError(random));
    nat.net.echoes.at(-1)?.refuse(9, randomError(random));
    nat.net.echoes.at(-1)?.reply(octets('192.0.2.7'), below(random, 0x1_0000), pattern(below(random, 65_508)));
    nat.advance(100);
    errors += nat.wire.take().filter((frame) => frame[23] === 1 && frame[34] === 3).length;
  }
  expect(nat.flows.size).toBeGreaterThan(10);
  expect(nat.flows.size).toBeLessThanOrEqual(4096 + 512);
  expect(errors).toBeGreaterThan(50);
  expect(nat.counters.get('egress-metadata')).toBeGreaterThan(100);
  nat.advance(400_000);
  nat.advance(1000);
  expect(nat.flows.size).toBe(0);
  expect(nat.net.sockets.every(({ isClosed }) => isClosed)).toBe(true);
  expect(nat.net.echoes.every(({ isClosed }) => isClosed)).toBe(true);
  expect(nat.wire.scheduler.pending).toBe(0);
});

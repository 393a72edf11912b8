import { expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { finishChecksum, sumWords } from '../../src/base/checksum.ts';
import { PROTOCOL_UDP } from '../../src/wire/ipv4.ts';
import { writeUint16 } from '../../src/wire/octets.ts';
import type { Family } from '../support/families.ts';
import { datagramOver, FAMILIES, pseudoHeader } from '../support/families.ts';
import { pattern, Wire } from '../support/stack-peer.ts';

const DATAGRAMS = 4000;
const BATCH = 50;

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** Cut or lengthened, with octets changed and mostly a checksum that fits, from one of several ports to one of several. */
function mutated(family: Family, random: Random): Uint8Array {
  const udp = datagramOver(family, 7 + below(random, 3), pattern(below(random, 60))).slice(14 + family.headerLength);
  const bytes = new Uint8Array(random.next() < 0.3 ? below(random, udp.length + 20) : udp.length);
  bytes.set(udp.subarray(0, bytes.length));
  for (let i = below(random, 4); i > 0 && bytes.length > 0; i--)
    bytes[below(random, bytes.length)] = below(random, 256);
  if (bytes.length >= 8 && random.next() < 0.8) {
    if (random.next() < 0.8) writeUint16(bytes, 4, bytes.length);
    writeUint16(bytes, 6, 0);
    const sum = pseudoHeader(family.peer, family.ours, PROTOCOL_UDP, bytes.length);
    if (random.next() < 0.9) writeUint16(bytes, 6, finishChecksum(sumWords(bytes, 0, bytes.length, sum)));
  }
  return family.frame(bytes, PROTOCOL_UDP);
}

it.each(FAMILIES)('hears or counts each of 4000 broken datagrams over $name, and keeps nothing', (family) => {
  const wire = new Wire({ family });
  const random = new SeededRandom(2026);
  wire.introducePeer();
  let heard = 0;
  wire.stack.udp.open(7, () => heard++);
  wire.stack.udp.connect(
    { address: family.ours, port: 8 },
    { address: family.peer, port: 1000 },
    {
      received: () => heard++,
      refused: () => undefined,
    },
  );
  for (let i = 0; i < DATAGRAMS; i += BATCH) {
    wire.deliver(...Array.from({ length: BATCH }, () => mutated(family, random)));
    wire.take();
  }
  const counts = wire.drops();
  const dropped = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(heard + dropped).toBe(DATAGRAMS);
  for (const reason of ['udp-malformed', 'udp-bad-checksum', 'udp-no-listener'])
    expect(counts[reason], reason).toBeGreaterThan(50);
  wire.scheduler.advance(60_000);
  expect(wire.scheduler.pending).toBe(0);
});

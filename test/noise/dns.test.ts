import { expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { decodeAnswers } from '../../src/wire/dns.ts';
import { parseDnsAnswer, parseDnsQuery } from '../../src/wire/dns-message.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { DnsBench, RESOLVER } from '../support/dns-peer.ts';
import { packet } from '../support/packets.ts';
import { pattern } from '../support/stack-peer.ts';

const MESSAGES = 10_000;

const queries = ['a', 'https', 'nxdomain'].map((name) => packet(`dns-query-${name}-dig`));
const answers = ['a', 'https', 'mx', 'nxdomain', 'soa', 'srv', 'txt'].map((name) =>
  packet(`dns-answer-${name}-dnsmasq`),
);

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

/** One of the seeds, changed in a few places and perhaps cut or lengthened; now and then nothing but noise. */
function mutated(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.next() < 0.1) return Uint8Array.from({ length: below(random, 700) }, () => below(random, 256));
  const seed = seeds[below(random, seeds.length)]!;
  const bytes = seed.slice(0, random.next() < 0.3 ? below(random, seed.length + 1) : seed.length);
  for (let i = below(random, 6); i > 0 && bytes.length > 0; i--)
    bytes[below(random, bytes.length)] = random.next() < 0.3 ? 0xc0 : below(random, 256);
  return random.next() < 0.1 ? Uint8Array.of(...bytes, ...pattern(below(random, 300))) : bytes;
}

it('parsers give a value for any octets, and stay inside them', () => {
  const random = new SeededRandom(21);
  let good = 0;
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = mutated([...queries, ...answers], random);
    const guarded = Uint8Array.of(...bytes, ...pattern(64));
    const query = parseDnsQuery(bytes, 0, bytes.length);
    expect(parseDnsQuery(guarded, 0, bytes.length)).toEqual(query);
    if (typeof query === 'string') continue;
    good++;
    const answer = parseDnsAnswer(bytes, query.question);
    if (typeof answer !== 'string') decodeAnswers(answer.bytes, 1);
    decodeAnswers(bytes, 1);
  }
  expect(good).toBeGreaterThan(1000);
});

it('a server takes any query, and what it says can be read', async () => {
  const random = new SeededRandom(22);
  const bench = new DnsBench();
  await bench.upstream(RESOLVER, (_query, bytes) => mutated([bytes], random));
  let heard = 0;
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = mutated(queries, random);
    bench.sendOctets(bytes);
    for (const answer of bench.octets()) {
      heard++;
      expect(answer.length).toBeLessThanOrEqual(1472);
      expect(answer[2]! & 0x80).toBe(0x80);
    }
    if (i % 100 === 0) bench.advance(2000, 1000);
  }
  expect(heard).toBeGreaterThan(1000);
  expect(bench.counters.get('dns-malformed')).toBeGreaterThan(100);
  bench.advance(60_000, 1000);
  expect(bench.server.statistics()).toMatchObject({ questions: 0, waiters: 0, sockets: 0 });
});

it('a server takes any answer from upstream, and answers its machines', async () => {
  const random = new SeededRandom(23);
  const bench = new DnsBench({ records: [{ name: 'out', type: 'CNAME', target: 'www.example.com' }] });
  await bench.upstream(RESOLVER, (query) => {
    const said = mutated(answers, random);
    if (said.length >= 2) said.set([query.id! >> 8, query.id!], 0);
    return said;
  });
  const names = ['www.example.com', 'out', 'example.com', 'no.example.com'];
  for (let i = 0; i < 1000; i++) {
    bench.send(names[i % names.length]!, 'A');
    bench.advance(20_000, 1000);
    const said = bench.octets();
    expect(said).toHaveLength(1);
    expect(readUint16(said[0]!, 0)).toBe(100 + i);
  }
  expect(bench.counters.get('dns-unexpected-response')).toBeGreaterThan(100);
});

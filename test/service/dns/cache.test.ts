import { describe, expect, it } from 'vitest';
import { CACHE_ENTRIES, CACHE_OCTETS } from '../../../src/service/dns/cache.ts';
import type { Packet, Script, Upstream } from '../../support/dns-peer.ts';
import { a, DnsBench, edns, RESOLVER, soa } from '../../support/dns-peer.ts';

async function benchWith(script: Script): Promise<[DnsBench, Upstream]> {
  const bench = new DnsBench();
  return [bench, await bench.upstream(RESOLVER, script)];
}

describe('an answer', () => {
  it('is kept for the least time to live among its records, which grow older', async () => {
    const [bench, upstream] = await benchWith(() => ({
      answers: [
        { type: 'CNAME', name: 'example.com', ttl: 500, data: 'b.example.com' },
        a('b.example.com', '198.51.100.1', 100),
      ],
    }));
    bench.ask('example.com');
    bench.scheduler.advance(60_000);
    expect(bench.ask('Example.COM')).toBe(
      'NOERROR example.com CNAME 440 b.example.com b.example.com A 40 198.51.100.1',
    );
    expect(bench.counters.get('dns-cache-hits')).toBe(1);
    bench.scheduler.advance(40_000);
    bench.ask('example.com');
    expect(upstream.asked).toHaveLength(2);
  });

  it('with time to live 0 is not kept, and one whose highest bit is set is 0', async () => {
    const [bench, upstream] = await benchWith(({ questions }) => ({
      answers: [a(questions![0]!.name, '198.51.100.1', 0x8000_0001)],
    }));
    bench.ask('example.com');
    expect(bench.ask('example.com')).toBe('NOERROR example.com A 0 198.51.100.1');
    expect(upstream.asked).toHaveLength(2);
  });

  it('to another type, or with DNSSEC, is another', async () => {
    const [bench, upstream] = await benchWith(() => ({ answers: [a('example.com', '198.51.100.1')] }));
    bench.ask('example.com', 'A');
    bench.ask('example.com', 'AAAA');
    bench.ask('example.com', 'A', edns(4096, true));
    bench.ask('example.com', 'A', edns(4096, false));
    expect(upstream.asked).toHaveLength(3);
  });
});

describe('"there is none"', () => {
  const NXDOMAIN = (minimum: number, ttl: number): Packet => ({
    flags: 3,
    authorities: [soa('example.com', minimum, ttl)],
  });
  const NODATA: Packet = { authorities: [soa('example.com', 30)] };

  it.each([
    ['the name', NXDOMAIN(30, 3600), 'NXDOMAIN / SOA example.com'],
    ['the name, where the SOA lives shorter', NXDOMAIN(3600, 30), 'NXDOMAIN / SOA example.com'],
    ['the type', NODATA, 'NOERROR / SOA example.com'],
  ])('of %s is kept for what the SOA says', async (_what, said, answer) => {
    const [bench, upstream] = await benchWith(() => said);
    expect(bench.ask('no.example.com')).toBe(`${answer} 30`);
    bench.scheduler.advance(10_000);
    expect(bench.ask('no.example.com')).toBe(`${answer} 20`);
    expect(upstream.asked).toHaveLength(1);
    bench.scheduler.advance(20_000);
    bench.ask('no.example.com');
    expect(upstream.asked).toHaveLength(2);
  });

  it('is not kept for days', async () => {
    const [bench, upstream] = await benchWith(() => NXDOMAIN(900_000, 900_000));
    bench.ask('no.example.com');
    bench.scheduler.advance(3_600_000);
    bench.ask('no.example.com');
    expect(upstream.asked).toHaveLength(2);
  });

  it('without a SOA is not kept', async () => {
    const [bench, upstream] = await benchWith(() => ({ flags: 3 }));
    bench.ask('no.example.com');
    bench.ask('no.example.com');
    expect(upstream.asked).toHaveLength(2);
  });
});

describe('an answer that is over', () => {
  it('serves for up to an hour when no server answers, and is asked for again', async () => {
    const [bench, upstream] = await benchWith(() => ({ answers: [a('example.com', '198.51.100.1', 60)] }));
    bench.ask('example.com');
    bench.scheduler.advance(60_000);
    upstream.script = () => undefined;
    bench.send('example.com', 'A');
    bench.advance(10_000);
    expect(bench.heard()).toBe('NOERROR example.com A 30 198.51.100.1');
    expect(bench.ask('example.com')).toContain('198.51.100.1');
    expect(bench.counters.get('dns-stale')).toBe(1);
    bench.scheduler.advance(30_000);
    upstream.script = () => ({ answers: [a('example.com', '198.51.100.2', 60)] });
    expect(bench.ask('example.com')).toBe('NOERROR example.com A 60 198.51.100.2');
  });

  it('is gone after that', async () => {
    const [bench, upstream] = await benchWith(() => ({ answers: [a('example.com', '198.51.100.1', 60)] }));
    bench.ask('example.com');
    bench.scheduler.advance(3_660_000);
    upstream.script = () => undefined;
    bench.send('example.com', 'A');
    bench.advance(10_000);
    expect(bench.heard()).toBe('SERVFAIL');
  });
});

it('the oldest answers make room', async () => {
  const [bench, upstream] = await benchWith(({ questions }) => ({ answers: [a(questions![0]!.name, '198.51.100.1')] }));
  for (let i = 0; i < CACHE_ENTRIES + 10; i++) bench.ask(`n${i}.example.com`);
  expect(bench.server.statistics().cacheEntries).toBeLessThanOrEqual(CACHE_ENTRIES);
  expect(bench.server.statistics().cacheOctets).toBeLessThanOrEqual(CACHE_OCTETS);
  const before = upstream.asked.length;
  bench.ask(`n${CACHE_ENTRIES + 9}.example.com`);
  expect(upstream.asked).toHaveLength(before);
  bench.ask('n0.example.com');
  expect(upstream.asked).toHaveLength(before + 1);
});

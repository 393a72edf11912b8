import { renameSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import { nodeScheduler } from '../../../src/host/clock.ts';
import { FileResolvers } from '../../../src/host/host-resolvers.ts';
import { describeWith } from '../../support/describe-with.ts';
import { RealDns } from '../../support/dig.ts';
import { waitFor } from '../../support/wait-for.ts';

describeWith(['/usr/sbin/dnsmasq', 'dig'], 'dnsmasq upstream, dig as a machine', () => {
  it('an answer, and its alias', async () => {
    const real = new RealDns();
    const upstream = await real.dnsmasq(
      '--local-ttl=100',
      '--host-record=web.example.com,192.0.2.80',
      '--cname=www.example.com,web.example.com',
    );
    await real.serve({ upstream: [upstream] });
    expect(await real.dig('www.example.com', 'A')).toBe('web.example.com.\n192.0.2.80');
    expect(await real.dig('www.example.com', 'A', '+noedns')).toBe('web.example.com.\n192.0.2.80');
    expect(real.counters.get('dns-cache-hits')).toBe(1);
  });

  it('the first server is dead', async () => {
    const real = new RealDns();
    const dead = await real.dnsmasq();
    const upstream = await real.dnsmasq(
      '--host-record=web.example.com,192.0.2.80',
      '--host-record=db.example.com,192.0.2.81',
    );
    await real.serve({ upstream: [{ ...dead, port: 9 }, upstream] });
    expect(await real.dig('web.example.com')).toBe('192.0.2.80');
    expect(await real.dig('db.example.com')).toBe('192.0.2.81');
    // Once for two questions; refused where the host hears ICMP errors.
    expect(real.counters.get('dns-upstream-timeout') + real.counters.get('dns-upstream-refused')).toBe(1);
  });

  it('an answer that fits into no datagram is asked for over TCP', async () => {
    const real = new RealDns();
    const hosts = Array.from({ length: 100 }, (_, i) => `--host-record=many.example.com,192.0.2.${i + 1}`);
    await real.serve({ upstream: [await real.dnsmasq(...hosts)] });
    const answer = await real.dig('many.example.com', '+bufsize=8192', '+ignore');
    expect(answer.split('\n')).toHaveLength(100);
    expect(real.counters.get('dns-forwarded-over-tcp')).toBe(1);
  });

  it('dig comes again over TCP when it is told to, and at once when it is asked to', async () => {
    const real = new RealDns();
    const hosts = Array.from({ length: 100 }, (_, i) => `--host-record=many.example.com,192.0.2.${i + 1}`);
    await real.serve({ upstream: [await real.dnsmasq(...hosts)] });
    expect((await real.dig('many.example.com', '+noedns')).split('\n')).toHaveLength(100);
    expect((await real.dig('many.example.com', '+tcp')).split('\n')).toHaveLength(100);
    expect([real.counters.get('dns-truncated'), real.counters.get('dns-tcp-queries')]).toEqual([1, 2]);
  });

  it('"there is none" is kept for as long as the zone says', async () => {
    const real = new RealDns();
    const zone = ['--auth-zone=example.com', '--auth-server=ns.example.com,127.0.0.1', '--auth-ttl=1'];
    await real.serve({ upstream: [await real.dnsmasq(...zone, '--auth-soa=1,root.example.com,1200,300,86400')] });
    const answer = await real.dig('no.example.com', '+noshort', '+noall', '+comments', '+authority');
    expect(answer).toContain('NXDOMAIN');
    expect(answer).toMatch(/example\.com\.\s+1\s+IN\s+SOA/);
    expect(await real.dig('no.example.com', '+noshort', '+noall', '+comments')).toContain('NXDOMAIN');
    expect(real.counters.get('dns-forwarded')).toBe(1);
    while (real.counters.get('dns-forwarded') === 1) await real.dig('no.example.com');
    expect(real.counters.get('dns-cache-hits')).toBeGreaterThanOrEqual(1);
  });

  it('a split domain and a wildcard', async () => {
    const real = new RealDns();
    const corporate = await real.dnsmasq('--address=/corp.example/192.0.2.10');
    const other = await real.dnsmasq('--address=/#/192.0.2.20');
    const records = [{ name: '*.apps.lab.internal', type: 'A' as const, address: '10.0.2.9' }];
    await real.serve({ routes: [{ domain: 'corp.example', servers: [corporate] }], upstream: [other], records });
    expect(await real.dig('www.corp.example')).toBe('192.0.2.10');
    expect(await real.dig('www.example')).toBe('192.0.2.20');
    expect(await real.dig('x.apps.lab.internal')).toBe('10.0.2.9');
    expect(await real.dig('y.lab.internal', '+noshort', '+noall', '+comments')).toContain('NXDOMAIN');
  });

  it('resolv.conf changes while it runs', async () => {
    const real = new RealDns();
    const first = await real.dnsmasq('--address=/#/192.0.2.1');
    const second = await real.dnsmasq('--address=/#/192.0.2.2');
    const path = real.bench.path('resolv.conf');
    writeFileSync(path, 'nameserver 127.0.0.1\n');
    const file = new FileResolvers(nodeScheduler, path);
    // The file has no ports: the last octet says which server is meant.
    const servers = (): Endpoint[] => file.servers().map(({ address }) => (address[3] === 1 ? first : second));
    await real.serve({}, { servers });
    expect(await real.dig('a.example')).toBe('192.0.2.1');
    writeFileSync(`${path}.new`, 'nameserver 127.0.0.2\n');
    renameSync(`${path}.new`, path);
    await waitFor(() => servers()[0] === second);
    expect(await real.dig('b.example')).toBe('192.0.2.2');
  });
});

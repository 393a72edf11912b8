import { describe, expect, it } from 'vitest';
import type { DnsRecord } from '../../../src/service/dns/dns-config.ts';
import { a, DnsBench, edns, RESOLVER } from '../../support/dns-peer.ts';

const RECORDS: readonly DnsRecord[] = [
  { name: 'api.lab.internal', type: 'CNAME', target: 'web.lab.internal' },
  { name: 'out.lab.internal', type: 'CNAME', target: 'www.example.com' },
  { name: 'loop.lab.internal', type: 'CNAME', target: 'pool.lab.internal' },
  { name: 'pool.lab.internal', type: 'CNAME', target: 'loop.lab.internal' },
  { name: 'nas', type: 'A', address: '10.0.2.200', ttl: 5 },
  { name: 'nas', type: 'AAAA', address: 'fd00::200' },
  { name: '*.apps.lab.internal', type: 'A', address: '10.0.2.201' },
  { name: 'own.apps.lab.internal', type: 'A', address: '10.0.2.202' },
  { name: 'lab.internal', type: 'MX', preference: 10, exchange: 'mail.lab.internal' },
  { name: '_ldap._tcp.lab.internal', type: 'SRV', priority: 1, weight: 2, port: 389, target: 'db.lab.internal' },
  { name: 'note.lab.internal', type: 'TXT', texts: ['one', 'two words'] },
  { name: 'pinned.example.com', type: 'A', address: '203.0.113.9' },
  { name: '7.2.0.10.in-addr.arpa', type: 'PTR', target: 'printer.lab.internal' },
];

describe('the machines of the network', () => {
  const NODATA = 'NOERROR aa / SOA lab.internal 10';

  it.each([
    ['web.lab.internal', 'A', 'NOERROR aa web.lab.internal A 60 10.0.2.15'],
    ['WEB.Lab.Internal', 'A', 'NOERROR aa WEB.Lab.Internal A 60 10.0.2.15'],
    ['web', 'A', 'NOERROR aa web A 60 10.0.2.15'],
    ['web.lab.internal', 'AAAA', NODATA],
    ['web.lab.internal', 'UNKNOWN_65', NODATA],
    ['web', 'AAAA', NODATA],
    ['gateway.lab.internal', 'A', 'NOERROR aa gateway.lab.internal A 60 10.0.2.2'],
    ['absent.lab.internal', 'A', 'NXDOMAIN aa / SOA lab.internal 10'],
    ['x.web.lab.internal', 'A', 'NXDOMAIN aa / SOA lab.internal 10'],
    ['absent', 'A', 'NXDOMAIN aa / SOA lab.internal 10'],
    ['15.2.0.10.in-addr.arpa', 'PTR', 'NOERROR aa 15.2.0.10.in-addr.arpa PTR 60 web.lab.internal'],
    ['2.2.0.10.in-addr.arpa', 'PTR', 'NOERROR aa 2.2.0.10.in-addr.arpa PTR 60 gateway.lab.internal'],
    ['99.2.0.10.in-addr.arpa', 'PTR', 'NXDOMAIN aa / SOA 2.0.10.in-addr.arpa 10'],
    ['2.0.10.in-addr.arpa', 'SOA', 'NOERROR aa / SOA 2.0.10.in-addr.arpa 10'],
  ])('%s %s is %s', (name, type, answer) => {
    expect(new DnsBench().ask(name, type)).toBe(answer);
  });

  it('come and go with their leases', () => {
    const bench = new DnsBench();
    expect(bench.ask('late')).toContain('NXDOMAIN');
    bench.machines['late'] = '10.0.2.30';
    expect(bench.ask('late')).toContain('10.0.2.30');
  });

  it('the domain has a server and a SOA record', () => {
    const bench = new DnsBench();
    expect(bench.ask('lab.internal', 'NS')).toBe('NOERROR aa lab.internal NS 60 gateway.lab.internal');
    expect(bench.ask('lab.internal', 'SOA')).toMatch(/^NOERROR aa lab.internal SOA 60 gateway.lab.internal hostmaster/);
    expect(bench.ask('lab.internal', 'A')).toBe(NODATA);
  });

  it('without a domain are known by their bare names', () => {
    const bench = new DnsBench({ domain: undefined as never });
    expect(bench.ask('web')).toBe('NOERROR aa web A 60 10.0.2.15');
    expect(bench.ask('15.2.0.10.in-addr.arpa', 'PTR')).toContain('PTR 60 web');
  });
});

describe('records of the lab file', () => {
  it.each([
    ['nas.lab.internal', 'A', 'NOERROR aa nas.lab.internal A 5 10.0.2.200'],
    ['nas', 'AAAA', 'NOERROR aa nas AAAA 60 fd00::200'],
    ['api.lab.internal', 'A', 'NOERROR aa api.lab.internal CNAME 60 web.lab.internal web.lab.internal A 60 10.0.2.15'],
    ['api.lab.internal', 'CNAME', 'NOERROR aa api.lab.internal CNAME 60 web.lab.internal'],
    ['api.lab.internal', 'AAAA', 'NOERROR aa api.lab.internal CNAME 60 web.lab.internal / SOA lab.internal 10'],
    ['loop.lab.internal', 'A', 'SERVFAIL'],
    ['x.apps.lab.internal', 'A', 'NOERROR aa x.apps.lab.internal A 60 10.0.2.201'],
    ['y.x.apps.lab.internal', 'A', 'NOERROR aa y.x.apps.lab.internal A 60 10.0.2.201'],
    ['x.apps.lab.internal', 'TXT', 'NOERROR aa / SOA lab.internal 10'],
    ['own.apps.lab.internal', 'A', 'NOERROR aa own.apps.lab.internal A 60 10.0.2.202'],
    ['apps.lab.internal', 'A', 'NOERROR aa / SOA lab.internal 10'],
    ['lab.internal', 'MX', 'NOERROR aa lab.internal MX 60 10 mail.lab.internal'],
    ['_ldap._tcp.lab.internal', 'SRV', 'NOERROR aa _ldap._tcp.lab.internal SRV 60 1 2 389 db.lab.internal'],
    ['note.lab.internal', 'TXT', 'NOERROR aa note.lab.internal TXT 60 "one" "two words"'],
    ['7.2.0.10.in-addr.arpa', 'PTR', 'NOERROR 7.2.0.10.in-addr.arpa PTR 60 printer.lab.internal'],
    ['pinned.example.com', 'A', 'NOERROR pinned.example.com A 60 203.0.113.9'],
    ['pinned.example.com', 'AAAA', 'NOERROR'],
  ])('%s %s is %s', (name, type, answer) => {
    expect(new DnsBench({ records: RECORDS }).ask(name, type)).toBe(answer);
  });

  it('ANY of a local name is all its records', () => {
    const answer = new DnsBench({ records: RECORDS }).ask('nas.lab.internal', 'ANY');
    expect(answer).toBe('NOERROR aa nas.lab.internal A 5 10.0.2.200 nas.lab.internal AAAA 60 fd00::200');
  });

  it('an alias that leads out of the lab is followed upstream', async () => {
    const bench = new DnsBench({ records: RECORDS });
    const upstream = await bench.upstream(RESOLVER, () => ({ answers: [a('www.example.com', '198.51.100.7')] }));
    expect(bench.ask('out.lab.internal')).toBe(
      'NOERROR out.lab.internal CNAME 60 www.example.com www.example.com A 300 198.51.100.7',
    );
    expect(upstream.names).toEqual(['www.example.com A']);
  });

  it('one that cannot be written is left out, and said', () => {
    const bench = new DnsBench({ records: [{ name: 'bad', type: 'A', address: 'not an address' }] });
    expect(bench.entries.map(({ event }) => event)).toEqual(['dns-record-unusable']);
    expect(bench.ask('bad')).toContain('NXDOMAIN');
  });
});

describe('names that mean something here only', () => {
  it.each([
    ['localhost', 'A', 'NOERROR aa localhost A 60 127.0.0.1'],
    ['a.localhost', 'AAAA', 'NOERROR aa a.localhost AAAA 60 ::1'],
    ['localhost', 'MX', 'NOERROR aa / SOA localhost 10'],
    ['1.0.0.127.in-addr.arpa', 'PTR', 'NOERROR aa 1.0.0.127.in-addr.arpa PTR 60 localhost'],
    ['other.internal', 'A', 'NXDOMAIN aa / SOA internal 10'],
    ['printer.local', 'A', 'NXDOMAIN aa / SOA local 10'],
    ['x.invalid', 'A', 'NXDOMAIN aa / SOA invalid 10'],
    ['1.1.168.192.in-addr.arpa', 'PTR', 'NXDOMAIN aa / SOA 168.192.in-addr.arpa 10'],
    ['1.0.20.172.in-addr.arpa', 'PTR', 'NXDOMAIN aa / SOA 20.172.in-addr.arpa 10'],
    ['8.b.d.0.1.0.0.2.ip6.arpa', 'PTR', 'NOERROR aa / SOA 8.b.d.0.1.0.0.2.ip6.arpa 10'],
  ])('%s %s is %s, and nobody is asked', async (name, type, answer) => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, () => ({}));
    expect(bench.ask(name, type)).toBe(answer);
    expect(upstream.asked).toEqual([]);
  });

  it.each(['32.172.in-addr.arpa', '8.8.8.8.in-addr.arpa', 'example.com', 'internal.example.com'])(
    '%s is asked upstream',
    async (name) => {
      const bench = new DnsBench();
      const upstream = await bench.upstream(RESOLVER, () => ({}));
      bench.ask(name, 'PTR');
      expect(upstream.names).toEqual([`${name} PTR`]);
    },
  );

  it('validators may ask about the domains of the world, whose names are bare', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, () => ({}));
    bench.ask('com', 'DS', edns());
    bench.ask('com', 'A');
    expect(upstream.names).toEqual(['com DS']);
  });

  it('but for a route: who names servers for them has them asked', async () => {
    const routes = [
      { domain: 'corp.internal', servers: [RESOLVER] },
      { domain: 'k8s.lab.internal', servers: [RESOLVER] },
    ];
    const bench = new DnsBench({ routes, upstream: [] });
    const upstream = await bench.upstream(RESOLVER, ({ questions }) => ({
      answers: [a(questions![0]!.name, '192.0.2.1')],
    }));
    expect(bench.ask('x.corp.internal')).toContain('192.0.2.1');
    expect(bench.ask('x.k8s.lab.internal')).toContain('192.0.2.1');
    expect(bench.ask('x.lab.internal')).toContain('NXDOMAIN');
    expect(upstream.names).toEqual(['x.corp.internal A', 'x.k8s.lab.internal A']);
  });
});

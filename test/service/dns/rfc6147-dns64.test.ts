import { CHECKING_DISABLED } from '@leichtgewicht/dns-packet';
import { describe, expect, it } from 'vitest';
import { parseIpv6Interface, parseIpv6Prefix } from '../../../src/wire/ipv6-text.ts';
import { type a, DnsBench, edns, type Packet, RESOLVER, soa } from '../../support/dns-peer.ts';
import { ip6 } from '../../support/ipv6-peer.ts';

const AT = { address: ip6('fd00::1'), interface: parseIpv6Interface('fd00::1/64')! };
const NAT64 = { ipv6: { ...AT, nat64: parseIpv6Prefix('64:ff9b::/96')! } };

/** A world in which a name has addresses by type. */
const world =
  (addresses: Readonly<Record<string, string>>, other: Packet = { authorities: [soa('example.com', 30)] }) =>
  (query: Packet): Packet => {
    const { name, type } = query.questions![0]!;
    const data = addresses[type];
    return data === undefined ? other : { answers: [{ type, name, ttl: 3000, data } as ReturnType<typeof a>] };
  };

async function asked(script: (query: Packet) => Packet, config = NAT64, fields: Packet = {}) {
  const bench = new DnsBench(config);
  const upstream = await bench.upstream(RESOLVER, script);
  const answer = bench.ask('www.example.com', 'AAAA', fields);
  return { answer, names: upstream.names.map((name) => name.split(' ')[1]) };
}

describe('the name server of a network with NAT64', () => {
  it('makes IPv6 addresses of IPv4 addresses, for no longer than 600 s (5.1.7)', async () => {
    expect(await asked(world({ A: '198.51.100.1' }))).toEqual({
      answer: 'NOERROR www.example.com AAAA 600 64:ff9b::c633:6401',
      names: ['AAAA', 'A'],
    });
  });

  it('leaves names alone that have IPv6 addresses (5.1.1)', async () => {
    const both = world({ A: '198.51.100.1', AAAA: '2001:db8::7' });
    expect(await asked(both)).toEqual({ answer: 'NOERROR www.example.com AAAA 3000 2001:db8::7', names: ['AAAA'] });
  });

  it('counts ::ffff:0:0/96 as none (5.1.4)', async () => {
    const { answer } = await asked(world({ A: '198.51.100.1', AAAA: '::ffff:10.0.0.1' }));
    expect(answer).toBe('NOERROR www.example.com AAAA 600 64:ff9b::c633:6401');
  });

  it('says that there is no name, and asks no more, where there is none (5.1.2)', async () => {
    const { answer, names } = await asked(world({}, { flags: 3, authorities: [soa('example.com', 30)] }));
    expect([answer.split(' ')[0], names]).toEqual(['NXDOMAIN', ['AAAA']]);
  });

  it('tries IPv4 where the question for IPv6 fails (5.1.2), and says what that said where neither helps', async () => {
    expect((await asked(world({ A: '198.51.100.1' }, { flags: 2 }))).answer).toContain('64:ff9b::c633:6401');
    expect((await asked(world({}, { flags: 2 }))).answer).toBe('SERVFAIL');
  });

  it('makes nothing for who validates himself (5.5), nor without NAT64', async () => {
    const validating = { ...edns(1232, true), flags: CHECKING_DISABLED };
    expect((await asked(world({ A: '198.51.100.1' }), NAT64, validating)).names).toEqual(['AAAA']);
    expect((await asked(world({ A: '198.51.100.1' }), { ipv6: AT } as typeof NAT64)).names).toEqual(['AAAA']);
  });

  it('follows an alias of the lab out of it', async () => {
    const records = [{ type: 'CNAME', name: 'cdn', target: 'www.example.com' }] as const;
    const bench = new DnsBench({ ...NAT64, records });
    await bench.upstream(RESOLVER, world({ A: '198.51.100.1' }));
    expect(bench.ask('cdn.lab.internal', 'AAAA')).toContain('www.example.com AAAA 600 64:ff9b::c633:6401');
  });
});

import { describe, expect, it } from 'vitest';
import { formatLeases, parseLeases } from '../../../src/service/dhcp/lease-document.ts';
import type { AddressPlan } from '../../../src/service/dhcp/leases.ts';
import { LeaseTable, OFFER_TIME, RECORD_LIMIT } from '../../../src/service/dhcp/leases.ts';
import { formatIpv4, parseIpv4 } from '../../../src/wire/ipv4-address.ts';
import { A, B, C, D } from '../../support/frames.ts';
import { ip } from '../../support/stack-peer.ts';

const NOW = 1_800_000_000;
const TEXT = { format: formatIpv4, parse: parseIpv4 };
const plan: AddressPlan = { first: ip('10.0.0.10'), last: ip('10.0.0.12'), reservations: [], excluded: [] };

function table(changes: Partial<AddressPlan> = {}) {
  const leases = new LeaseTable({ ...plan, ...changes });
  return {
    leases,
    choose(
      mac: number,
      { requested, now = NOW, avoided = [] }: { requested?: string; now?: number; avoided?: string[] } = {},
    ) {
      const wish = requested === undefined ? undefined : ip(requested);
      const address = leases.choose(mac, wish, now, (candidate) => avoided.includes(formatIpv4(candidate)));
      return address === undefined ? undefined : formatIpv4(address);
    },
    bind(mac: number, address: string, expires = NOW + 100) {
      leases.bind({ mac, address: ip(address), expires });
    },
  };
}

describe('the choice of an address', () => {
  it('a reservation comes first, also outside the pool', () => {
    const { choose, bind } = table({ reservations: [{ mac: B, address: ip('10.0.0.80') }] });
    bind(B, '10.0.0.11');
    expect(choose(B, { requested: '10.0.0.12' })).toBe('10.0.0.80');
  });

  it('then the address that the client had, also when its lease ended', () => {
    const { choose, bind } = table();
    bind(B, '10.0.0.12', NOW - 1000);
    expect(choose(B, { requested: '10.0.0.11' })).toBe('10.0.0.12');
  });

  it('then the one that it asks for, if nobody ever had it', () => {
    const { choose, bind } = table();
    bind(C, '10.0.0.11', NOW - 1);
    expect(choose(B, { requested: '10.0.0.12' })).toBe('10.0.0.12');
    expect(choose(B, { requested: '10.0.0.11' })).not.toBe('10.0.0.11');
    expect(choose(B, { requested: '10.0.9.9' })).toMatch(/^10\.0\.0\./);
  });

  it('then one that nobody ever had', () => {
    const { choose, bind } = table();
    bind(C, '10.0.0.10', NOW - 1000);
    expect(choose(B)).toBe('10.0.0.11');
  });

  it('then the one whose lease ended longest ago', () => {
    const { choose, bind } = table();
    bind(A, '10.0.0.10', NOW - 10);
    bind(B, '10.0.0.11', NOW - 20);
    bind(C, '10.0.0.12', NOW + 10);
    expect(choose(D)).toBe('10.0.0.11');
  });

  it('then none', () => {
    const { choose, bind } = table();
    bind(A, '10.0.0.10');
    bind(B, '10.0.0.11');
    bind(C, '10.0.0.12');
    expect(choose(D)).toBeUndefined();
  });

  it('is never what the server avoids, what is excluded or what is another client’s reservation', () => {
    const { choose } = table({ excluded: [ip('10.0.0.10')], reservations: [{ mac: C, address: ip('10.0.0.12') }] });
    expect(choose(B, { requested: '10.0.0.12' })).toBe('10.0.0.11');
    expect(choose(B, { avoided: ['10.0.0.11'] })).toBeUndefined();
  });

  it('falls back to the pool while the reservation is in quarantine', () => {
    const { leases, choose } = table({ reservations: [{ mac: B, address: ip('10.0.0.80') }] });
    leases.quarantine({ address: ip('10.0.0.80'), mac: D, expires: NOW + 600 }, NOW);
    expect(choose(B)).toBe('10.0.0.10');
    expect(choose(B, { now: NOW + 600 })).toBe('10.0.0.80');
  });
});

it('an offer holds the address for a minute', () => {
  const { leases, choose } = table({ last: plan.first });
  leases.offer(B, plan.first, NOW);
  expect(choose(C, { now: NOW + OFFER_TIME - 1 })).toBeUndefined();
  expect(choose(C, { now: NOW + OFFER_TIME })).toBe('10.0.0.10');
});

it('an offer does not shorten a lease', () => {
  const { leases, bind } = table();
  bind(B, '10.0.0.10', NOW + 5000);
  leases.offer(B, ip('10.0.0.10'), NOW);
  expect(leases.find(B)).toMatchObject({ state: 'bound', expires: NOW + 5000 });
});

it('an address that was given to another client is forgotten by the first', () => {
  const { leases, bind } = table();
  bind(B, '10.0.0.10', NOW - 1);
  bind(C, '10.0.0.10');
  expect(leases.find(B)).toBeUndefined();
});

it('the records are limited, whoever asks', () => {
  const { leases, choose } = table({ first: ip('10.0.0.0'), last: ip('10.255.255.255') });
  for (let mac = 1; mac <= RECORD_LIMIT; mac++) leases.offer(mac, ip('10.0.0.0') + mac, NOW);
  expect(choose(RECORD_LIMIT + 1)).toBeUndefined();
  expect(leases.isAvailable(ip('10.200.0.1'), RECORD_LIMIT + 1, NOW)).toBe(false);
  expect(choose(RECORD_LIMIT + 1, { now: NOW + OFFER_TIME })).toBe('10.0.0.1');
});

describe('what survives the process', () => {
  it('leases and released leases, not offers', () => {
    const { leases, bind } = table();
    leases.bind({ mac: A, address: ip('10.0.0.10'), expires: NOW + 1, hostname: 'web', clientId: '01ff' });
    bind(B, '10.0.0.11');
    leases.release(B, NOW);
    leases.offer(C, ip('10.0.0.12'), NOW);
    const kept = parseLeases(formatLeases(leases.leases, TEXT), TEXT);
    expect(kept).toEqual([leases.find(A), leases.find(B)]);
  });

  it.each([
    ['no JSON', '{"version": 1, "leases": [{'],
    ['another program’s JSON', '{"leases": []}'],
    ['a later version', '{"version": 2, "leases": []}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an entry that is none', '{"version": 1, "leases": [7]}'],
    [
      'a foreign address',
      '{"version": 1, "leases": [{"mac": "52:54:00:00:00:01", "address": "10.0.0", "state": "bound", "expires": 1}]}',
    ],
    [
      'a foreign state',
      '{"version": 1, "leases": [{"mac": "52:54:00:00:00:01", "address": "10.0.0.1", "state": "x", "expires": 1}]}',
    ],
  ])('%s is refused', (_what, document) => {
    expect(parseLeases(document, TEXT)).toBeUndefined();
  });

  it('nothing that the configuration does not allow any more', () => {
    const { leases } = table({ reservations: [{ mac: B, address: ip('10.0.0.80') }], excluded: [ip('10.0.0.12')] });
    const lease = { state: 'bound', expires: NOW + 100 } as const;
    leases.restore({ ...lease, mac: A, address: ip('192.168.0.1') }, NOW);
    leases.restore({ ...lease, mac: B, address: ip('10.0.0.10') }, NOW);
    leases.restore({ ...lease, mac: C, address: ip('10.0.0.12') }, NOW);
    leases.restore({ ...lease, mac: D, address: ip('10.0.0.80') }, NOW);
    expect([...leases.leases]).toEqual([]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultPool,
  deriveMac,
  deriveUuid,
  freeSubnet,
  gatewayAddress,
  gatewayMac,
  holds,
  hostsOf,
  overlap,
} from '../../src/lab/derive.ts';
import { formatIpv4Interface, ipv4Mask, parseIpv4, parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { formatMac } from '../../src/wire/mac.ts';

const anySubnet = fc
  .record({ address: fc.integer({ min: 0, max: 0xffff_ffff }), prefixLength: fc.integer({ min: 8, max: 30 }) })
  .map(({ address, prefixLength }) => ({ address: (address & ipv4Mask(prefixLength)) >>> 0, prefixLength }));

describe('derived link addresses', () => {
  it('are the same each time', () => {
    expect(formatMac(deriveMac('office', 'web', 'lan', new Set()))).toBe(
      formatMac(deriveMac('office', 'web', 'lan', new Set())),
    );
  });

  it('differ by lab, node and card', () => {
    const macs = [
      deriveMac('a', 'b', 'c', new Set()),
      deriveMac('x', 'b', 'c', new Set()),
      deriveMac('a', 'x', 'c', new Set()),
    ];
    expect(new Set([...macs, deriveMac('a', 'b', 'x', new Set())]).size).toBe(4);
  });

  it('never collide inside a lab, and stay in 52:54:00', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 50 }), (nodes) => {
        const taken = new Set<number>();
        for (const node of nodes) deriveMac('lab', node, 'lan', taken);
        expect(taken.size).toBe(nodes.length);
        for (const mac of taken) expect(formatMac(mac)).toMatch(/^52:54:00:/);
      }),
    );
  });

  it('step aside for an address that is taken, always in the same way', () => {
    const first = deriveMac('lab', 'web', 'lan', new Set());
    const second = deriveMac('lab', 'web', 'lan', new Set([first]));
    expect(second).not.toBe(first);
    expect(deriveMac('lab', 'web', 'lan', new Set([first]))).toBe(second);
  });

  it('give the gateway 52:55 and its address', () => {
    expect(formatMac(gatewayMac(parseIpv4('10.0.2.2')!))).toBe('52:55:0a:00:02:02');
  });
});

describe('a subnet without settings', () => {
  it('has a pool of hosts without the gateway, however small it is', () => {
    fc.assert(
      fc.property(anySubnet, (subnet) => {
        const gateway = gatewayAddress(subnet);
        const pool = defaultPool(subnet, gateway);
        const hosts = hostsOf(subnet);
        expect(pool.first).toBeLessThanOrEqual(pool.last);
        expect([
          holds(hosts, gateway),
          holds(hosts, pool.first),
          holds(hosts, pool.last),
          holds(pool, gateway),
        ]).toEqual([true, true, true, false]);
      }),
    );
  });

  it('has a pool beside the gateway, wherever that is', () => {
    fc.assert(
      fc.property(anySubnet, fc.nat(), (subnet, n) => {
        const { first, last } = hostsOf(subnet);
        const gateway = first + (n % (last - first + 1));
        const pool = defaultPool(subnet, gateway);
        expect([pool.first <= pool.last, holds(pool, gateway)]).toEqual([true, false]);
      }),
    );
  });

  it('is the first that is free', () => {
    const taken = [parseIpv4Interface('10.0.2.0/24')!, parseIpv4Interface('10.0.4.0/23')!];
    expect(formatIpv4Interface(freeSubnet(taken)!)).toBe('10.0.3.0/24');
    expect(formatIpv4Interface(freeSubnet([...taken, freeSubnet(taken)!])!)).toBe('10.0.6.0/24');
  });

  it('cannot be had when all are taken', () => {
    expect(freeSubnet([parseIpv4Interface('10.0.0.0/16')!])).toBeUndefined();
  });

  it('overlaps those that share an address', () => {
    const of = (a: string, b: string) => overlap(parseIpv4Interface(a)!, parseIpv4Interface(b)!);
    expect([
      of('10.0.0.0/8', '10.3.0.0/16'),
      of('10.3.0.0/16', '10.0.0.0/8'),
      of('10.0.2.0/24', '10.0.3.0/24'),
    ]).toEqual([true, true, false]);
  });
});

it('the UUID of a machine follows from lab and node, and is one of version 8', () => {
  expect(deriveUuid('office', 'web')).toBe(deriveUuid('office', 'web'));
  expect(deriveUuid('office', 'web')).not.toBe(deriveUuid('office', 'db'));
  expect(deriveUuid('office', 'web')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

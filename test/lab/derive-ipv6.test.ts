import { describe, expect, it } from 'vitest';
import {
  behindIpv6Prefix,
  defaultIpv6Pool,
  derivePrefix,
  gatewayIpv6,
  holdsIpv6,
  prefixesOverlap,
} from '../../src/lab/derive-ipv6.ts';
import { formatIpv6, formatIpv6Interface, parseIpv6Interface, parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import { ip6 } from '../support/ipv6-peer.ts';

describe('the prefix of a network', () => {
  it('is a unique local /64 that is the same each time: the lab chooses the /48, the network the rest', () => {
    const lan = formatIpv6Interface(derivePrefix('office', 'lan', []));
    expect(lan).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    expect(formatIpv6Interface(derivePrefix('office', 'lan', []))).toBe(lan);
    const global = (lab: string, network: string) => derivePrefix(lab, network, []).address.slice(0, 6);
    expect(global('office', 'dmz')).toEqual(global('office', 'lan'));
    expect(global('other', 'lan')).not.toEqual(global('office', 'lan'));
  });

  it('is another one where a network of the lab has it', () => {
    const taken = derivePrefix('office', 'lan', []);
    expect(prefixesOverlap(derivePrefix('office', 'lan', [taken]), taken)).toBe(false);
  });
});

describe('what lies in a prefix', () => {
  it.each([
    ['fd00:1::/64', 'fd00:1::1', 'fd00:1::1000', 'fd00:1::1fff'],
    ['fd00:1::40/122', 'fd00:1::41', 'fd00:1::4f', 'fd00:1::7f'],
    ['fd00:1::/124', 'fd00:1::1', 'fd00:1::e', 'fd00:1::f'],
  ])('has in %s the gateway at %s and a pool from %s to %s', (text, gateway, first, last) => {
    const prefix = parseIpv6Prefix(text)!;
    const pool = defaultIpv6Pool(prefix);
    expect([gatewayIpv6(prefix), pool.first, pool.last].map(formatIpv6)).toEqual([gateway, first, last]);
    expect(holdsIpv6(pool, gatewayIpv6(prefix))).toBe(false);
    expect(holdsIpv6(pool, ip6(last))).toBe(true);
  });

  it('takes as many bits as there is room for', () => {
    expect(formatIpv6(behindIpv6Prefix(parseIpv6Interface('fd00:1::5/126')!, 0xffff))).toBe('fd00:1::7');
  });
});

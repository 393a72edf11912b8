import { describe, expect, it } from 'vitest';
import { ipv6Key, ipv6OfKey, ipv6PrefixOf, isInIpv6Prefix } from '../../src/wire/ipv6-address.ts';
import { formatIpv6, formatIpv6Interface, parseIpv6Interface, parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import { ip6 } from '../support/ipv6-peer.ts';

describe('an IPv6 interface', () => {
  it.each(['fd00::1/64', '::/0', '2001:db8::1/128'])('%s is read and written', (text) => {
    expect(formatIpv6Interface(parseIpv6Interface(text)!)).toBe(text);
  });

  it.each(['fd00::1', 'fd00::1/129', 'fd00::1/064', 'fd00::1/', '10.0.0.1/8', 'fd00::1/64/1'])('%s is none', (text) => {
    expect(parseIpv6Interface(text)).toBeUndefined();
  });

  it.each([
    [0, '::'],
    [10, 'fec0::'],
    [61, 'fedc:ba98:7654:3210::'],
    [127, 'fedc:ba98:7654:3217:ffff:ffff:ffff:fffe'],
  ])('has a network of %i bits', (prefixLength, network) => {
    const of = ipv6PrefixOf({ address: ip6('fedc:ba98:7654:3217:ffff:ffff:ffff:ffff'), prefixLength });
    expect(formatIpv6(of.address)).toBe(network);
  });

  it('has its network for itself', () => {
    const own = { address: ip6('fd00:0:0:7::1'), prefixLength: 62 };
    const others = ['fd00:0:0:4::', 'fd00:0:0:7:ffff::', 'fd00:0:0:8::', 'fd00:0:0:3:ffff::', 'fd01:0:0:7::'];
    expect(others.map((text) => isInIpv6Prefix(own, ip6(text)))).toEqual([true, true, false, false, false]);
  });
});

it('an IPv6 prefix has no bits behind its length', () => {
  expect(parseIpv6Prefix('fd00::/64')).toEqual({ address: ip6('fd00::'), prefixLength: 64 });
  expect(parseIpv6Prefix('fd00::1/64')).toBeUndefined();
});

it('a key stands for one address', () => {
  const address = ip6('fd00:8000:1::ffff:7');
  expect(ipv6OfKey(ipv6Key(Uint8Array.of(9, ...address), 1))).toEqual(address);
});

import { describe, expect, it } from 'vitest';
import { chooseSource } from '../../src/stack/source-choice.ts';
import { formatIpv6 } from '../../src/wire/ipv6-text.ts';
import { ip6 } from '../support/ipv6-peer.ts';

describe('the source for a destination (RFC 6724, 5)', () => {
  const own = ['fe80::2', 'fd00:1::2', '2001:db8:1::2', '2001:db8:2::2', 'fec0::2'];

  it.each([
    { to: 'fd00:1::2', from: 'fd00:1::2', why: 'is the same address (rule 1)' },
    { to: 'fe80::9', from: 'fe80::2', why: 'has the scope (rule 2)' },
    { to: 'ff02::1', from: 'fe80::2', why: 'has the scope of the group (rule 2)' },
    { to: 'ff05::2', from: 'fec0::2', why: 'has the scope of the group (rule 2)' },
    { to: 'fec0::9', from: 'fec0::2', why: 'has the scope (rule 2)' },
    { to: 'fd00:2::9', from: 'fd00:1::2', why: 'has the label (rule 6)' },
    { to: '2600::9', from: '2001:db8:1::2', why: 'has the label (rule 6), and is the first of equals' },
    { to: '2001:db8:2::9', from: '2001:db8:2::2', why: 'has the longest prefix (rule 8)' },
  ])('$to $why', ({ to, from }) => {
    expect(formatIpv6(chooseSource(own.map(ip6), ip6(to)))).toBe(from);
    if (to !== '2600::9') expect(formatIpv6(chooseSource(own.map(ip6).reverse(), ip6(to)))).toBe(from);
  });

  it('is of a smaller scope where there is nothing else', () => {
    expect(formatIpv6(chooseSource([ip6('fe80::2')], ip6('2001:db8::1')))).toBe('fe80::2');
  });
});

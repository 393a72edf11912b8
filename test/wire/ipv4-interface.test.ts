import { describe, expect, it } from 'vitest';
import { formatIpv4Interface, parseIpv4Interface } from '../../src/wire/ipv4-address.ts';

describe('an address with a prefix', () => {
  it.each(['10.0.2.2/24', '0.0.0.0/0', '255.255.255.255/32'])('is read and written as %s', (text) => {
    expect(formatIpv4Interface(parseIpv4Interface(text)!)).toBe(text);
  });

  it.each([
    '',
    '10.0.2.2',
    '10.0.2/24',
    '10.0.2.2/33',
    '10.0.2.2/024',
    '10.0.2.2/',
    '10.0.2.2/24/1',
    ' 10.0.2.2/24',
    'x/8',
  ])('is not %j', (text) => {
    expect(parseIpv4Interface(text)).toBeUndefined();
  });
});

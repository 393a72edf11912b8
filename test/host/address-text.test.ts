import { expect, it } from 'vitest';
import { addressOctets } from '../../src/host/address-text.ts';
import { formatAddress } from '../../src/wire/endpoint-text.ts';

it('reads an address of either family and ignores a scope', () => {
  expect(formatAddress(addressOctets('127.0.0.1')!)).toBe('127.0.0.1');
  expect(formatAddress(addressOctets('fe80::1%eth0')!)).toBe('fe80::1');
});

it('takes no other text for an address', () => {
  expect(['', 'localhost', '1.2.3', '1:2', '1.2.3.4.5'].map(addressOctets)).toEqual(Array(5).fill(undefined));
});

import { expect, it } from 'vitest';
import { addressOctets, addressText, endpointText } from '../../src/host/address-text.ts';

it.each(['127.0.0.1', '::', '::1', '2001:db8::1', 'fe80::1:0:0:2', '1:2:3:4:5:6:7:8', 'ff02::'])(
  'reads and writes %s',
  (text) => {
    expect(addressText(addressOctets(text)!)).toBe(text);
  },
);

it('reads a dotted end and ignores a scope', () => {
  expect(addressOctets('::ffff:192.0.2.1')).toEqual(
    new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]),
  );
  expect(addressText(addressOctets('fe80::1%eth0')!)).toBe('fe80::1');
});

it('takes no other text for an address', () => {
  expect(['', 'localhost', '1.2.3', '1:2', '1.2.3.4.5'].map(addressOctets)).toEqual(Array(5).fill(undefined));
});

it('writes an endpoint with its port', () => {
  expect(endpointText(addressOctets('127.0.0.1')!, 80)).toBe('127.0.0.1:80');
  expect(endpointText(addressOctets('::1')!, 80)).toBe('[::1]:80');
});

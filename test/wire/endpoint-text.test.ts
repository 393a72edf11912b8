import fc from 'fast-check';
import { Address6 } from 'ip-address';
import { describe, expect, it } from 'vitest';
import { formatAddress, formatEndpoint, parseAddress, parseEndpoint } from '../../src/wire/endpoint-text.ts';
import { formatIpv6, parseIpv6 } from '../../src/wire/ipv6-text.ts';

describe('an IPv6 address as text', () => {
  it('is written as RFC 5952 says and read back', () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const address = Uint8Array.from(groups.flatMap((value) => [value >>> 8, value & 0xff]));
        expect(formatIpv6(address)).toBe(
          new Address6(groups.map((value) => value.toString(16)).join(':')).correctForm(),
        );
        expect(parseIpv6(formatIpv6(address))).toEqual(address);
      }),
      { seed: 1 },
    );
  });

  it.each(['::', '::1', '1::', 'FD00::A', '::ffff:10.0.2.9', '1:2:3:4:5:6:10.0.2.9', '1:2:3:4:5:6:7::'])(
    '%s is one',
    (text) => {
      expect(parseIpv6(text)).toEqual(Uint8Array.from(new Address6(text).toUnsignedByteArray().slice(-16), Number));
    },
  );

  it.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    '10.0.2.9::',
    '::10.0.2.256',
    '1:2:3:4:5:6:7:8:web.lab',
  ])('%s is none', (text) => {
    expect(parseIpv6(text)).toBeUndefined();
  });
});

describe('an endpoint as text', () => {
  it.each(['10.0.2.9:53', '[fd00::1]:65535', '0.0.0.0:0'])('%s is read and written', (text) => {
    expect(formatEndpoint(parseEndpoint(text)!)).toBe(text);
  });

  it.each(['10.0.2.9', '10.0.2.9:65536', 'fd00::1:', '[10.0.2.9]:53', 'web:53', ':53', ''])('%s is none', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });

  it('may leave out a port that has a default', () => {
    expect(parseEndpoint('fd00::1', 53)).toEqual({ address: parseAddress('fd00::1'), port: 53 });
    expect(formatAddress(parseEndpoint('10.0.2.9', 53)!.address)).toBe('10.0.2.9');
  });
});

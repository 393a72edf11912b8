import { describe, expect, it } from 'vitest';
import type { RouterOption } from '../../src/wire/ndp-router-options.ts';
import { emitRouterOption, parseRouterOption, routerOptionLength } from '../../src/wire/ndp-router-options.ts';
import { hex } from '../support/frames.ts';
import { ip6 } from '../support/ipv6-peer.ts';

const prefix = (text: string, prefixLength: number) => ({ address: ip6(text), prefixLength });

/** Each option as the drawing of its RFC has it. */
const table: readonly { readonly octets: string; readonly option: RouterOption }[] = [
  {
    octets: '03 04 40 c0 00015180 00003840 00000000 fd000001000200030000000000000000',
    option: {
      kind: 'prefix',
      prefix: prefix('fd00:1:2:3::', 64),
      isOnLink: true,
      isAutonomous: true,
      validLifetime: 86_400,
      preferredLifetime: 14_400,
    },
  },
  {
    octets: '03 04 7f 00 ffffffff 00000000 00000000 20010db8000000000000000000000002',
    option: {
      kind: 'prefix',
      prefix: prefix('2001:db8::2', 127),
      isOnLink: false,
      isAutonomous: false,
      validLifetime: 0xffff_ffff,
      preferredLifetime: 0,
    },
  },
  {
    octets: '18 01 00 08 00000708',
    option: { kind: 'route', prefix: prefix('::', 0), preference: 'high', lifetime: 1800 },
  },
  {
    octets: '18 02 20 18 00000708 20010db800000000',
    option: { kind: 'route', prefix: prefix('2001:db8::', 32), preference: 'low', lifetime: 1800 },
  },
  {
    octets: '18 03 80 00 00000708 20010db8000000000000000000000007',
    option: { kind: 'route', prefix: prefix('2001:db8::7', 128), preference: 'medium', lifetime: 1800 },
  },
  {
    octets: '19 05 0000 00000708 fec00000000000000000000000000003 fe800000000000000000000000000002',
    option: { kind: 'dns-servers', addresses: [ip6('fec0::3'), ip6('fe80::2')], lifetime: 1800 },
  },
  {
    octets: '1f 04 0000 00000708 03 6c6162 08 696e7465726e616c 00 03 736b79 00 00 00000000',
    option: { kind: 'search-domains', names: ['lab.internal', 'sky'], lifetime: 1800 },
  },
  {
    octets: '26 02 0708 0064ff9b0000000000000000',
    option: { kind: 'nat64-prefix', prefix: prefix('64:ff9b::', 96), lifetime: 1800 },
  },
  {
    octets: '26 02 fffd 20010db80000000000000000',
    option: { kind: 'nat64-prefix', prefix: prefix('2001:db8::', 32), lifetime: 65_528 },
  },
];

describe('an option of a router', () => {
  it.each(table)('is read and written: $option.kind $octets', ({ octets, option }) => {
    const bytes = hex(octets);
    expect(parseRouterOption(bytes, 0, bytes.length)).toEqual(option);
    const out = new Uint8Array(100).fill(0xaa);
    expect(out.slice(8, emitRouterOption(option, out, 8))).toEqual(bytes);
    expect(routerOptionLength(option)).toBe(bytes.length);
  });

  it.each([
    { what: 'a prefix of 129 bits', octets: '03 04 81 c0 00015180 00003840 00000000 fd000001000200030000000000000000' },
    { what: 'a prefix without its address', octets: '03 02 40 c0 00015180 00003840 00000000' },
    { what: 'a route of a reserved preference', octets: '18 02 20 10 00000708 20010db800000000' },
    { what: 'a route shorter than its prefix', octets: '18 02 41 00 00000708 20010db800000000' },
    { what: 'no name server', octets: '19 01 0000 00000708' },
    { what: 'half a name server', octets: '19 02 0000 00000708 fec0000000000000' },
    { what: 'no name', octets: '1f 02 0000 00000708 0000000000000000' },
    { what: 'a name beyond its end', octets: '1f 02 0000 00000708 0361626304616263' },
    { what: 'a name that points', octets: '1f 02 0000 00000708 036162 63c00800 00' },
    { what: 'a NAT64 prefix of an unknown length', octets: '26 02 0706 0064ff9b0000000000000000' },
  ])('is passed over: $what', ({ octets }) => {
    const bytes = hex(octets);
    expect(parseRouterOption(bytes, 0, bytes.length)).toBeUndefined();
  });
});

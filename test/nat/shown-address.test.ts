import { expect, it } from 'vitest';
import { shownAddress } from '../../src/nat/shown-address.ts';
import { formatAddress, parseAddress } from '../../src/wire/endpoint-text.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { parseIpv6Interface, parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';

const NAT64 = parseIpv6Prefix('64:ff9b::/96')!;
const INSIDE = ['10.0.2.9', 'fd00::9'];

/** How a guest sees a host, of a gateway with these addresses. */
function shown(host: string, guest: string, ipv4 = '10.0.2.2/24'): string | undefined {
  const gateway = {
    interface: ipv4 === '' ? undefined : parseIpv4Interface(ipv4)!,
    ipv6Interface: parseIpv6Interface('fd00::1/64')!,
    isInside: (address: Uint8Array) => INSIDE.includes(formatAddress(address)),
  };
  const address = shownAddress(parseAddress(host)!, parseAddress(guest)!, gateway, NAT64);
  return address && formatAddress(address);
}

it.each([
  { host: '192.0.2.7', guest: '10.0.2.15', seen: '192.0.2.7' },
  { host: '2001:db8::7', guest: 'fd00::15', seen: '2001:db8::7' },
  { host: '127.0.0.1', guest: '10.0.2.15', seen: '10.0.2.2' },
  { host: '::1', guest: 'fd00::15', seen: 'fd00::1' },
  { host: '192.0.2.7', guest: 'fd00::15', seen: '64:ff9b::c000:207' },
  { host: '10.0.2.9', guest: '10.0.2.15', seen: undefined },
  { host: 'fd00::9', guest: 'fd00::15', seen: undefined },
  { host: '10.0.2.9', guest: 'fd00::15', seen: undefined },
  { host: '2001:db8::7', guest: '10.0.2.15', seen: undefined },
])('$host is $seen to the guest $guest', ({ host, guest, seen }) => {
  expect(shown(host, guest)).toBe(seen);
});

it.each(['10.0.2.2/24', ''])(
  'the host’s loopback answers behind NAT64 from where it was asked (gateway %s)',
  (ipv4) => {
    expect(shown('127.0.0.1', 'fd00::15', ipv4)).toBe('64:ff9b::7f00:1');
  },
);

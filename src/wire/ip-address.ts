/** Addresses of either family in the form of plans and tables: a number for IPv4, octets for IPv6. */
import { formatAddress, parseAddress } from './endpoint-text.ts';
import type { Ipv4 } from './ipv4-address.ts';
import { ipv4Octets, ipv4Of } from './ipv4-address.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { isSameIpv6 } from './ipv6-address.ts';

export type Ip = Ipv4 | Ipv6;

/** The form of `Endpoint`s. */
export function octetsOf(address: Ip): Uint8Array {
  return typeof address === 'number' ? ipv4Octets(address) : address;
}

export function formatIp(address: Ip): string {
  return formatAddress(octetsOf(address));
}

/** Undefined where the text is no address of either family. */
export function parseIp(text: string): Ip | undefined {
  const octets = parseAddress(text);
  return octets?.length === 4 ? ipv4Of(octets) : octets;
}

export function isSameIp(a: Ip, b: Ip): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : isSameIpv6(a, b);
}

/** Which address a host has to guests: its own, but that the gateway stands for the host itself, and that IPv4 lies behind NAT64 for IPv6. */

import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import type { Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from '../wire/ipv6-address.ts';

/** What of a gateway's stack decides it. */
export interface ShowingGateway {
  readonly interface: Ipv4Interface | undefined;
  readonly ipv6Interface: Ipv6Interface | undefined;
  isInside(address: Uint8Array): boolean;
}

/** Octets of a NAT64's prefix, in front of the IPv4 address (RFC 6052, 2.2). */
const NAT64_PREFIX_OCTETS = 12;

/** The address in the family of `guest`; undefined where it has none, or would seem to be another machine of the lab. */
export function shownAddress(
  host: Uint8Array,
  guest: Uint8Array,
  gateway: ShowingGateway,
  nat64: Ipv6Prefix | undefined,
): Uint8Array | undefined {
  // Behind NAT64 the host's loopback has its own address, for there no guest's is meant.
  const isGateway = isLoopback(host) && host.length === guest.length;
  const address = isGateway ? ownAddress(host.length, gateway) : host;
  if (address === undefined || (address === host && gateway.isInside(host))) return undefined;
  if (address.length === guest.length) return address;
  if (guest.length !== IPV6_ADDRESS_LENGTH || nat64 === undefined) return undefined;
  const embedded = nat64.address.slice();
  embedded.set(address, NAT64_PREFIX_OCTETS);
  return embedded;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: Uint8Array): boolean {
  if (address.length !== IPV6_ADDRESS_LENGTH) return address[0] === 127;
  for (let i = 0; i < IPV6_ADDRESS_LENGTH - 1; i++) if (address[i] !== 0) return false;
  return address[IPV6_ADDRESS_LENGTH - 1] === 1;
}

/** The gateway's address of the family whose addresses have `length` octets. */
export function ownAddress(
  length: number,
  gateway: Pick<ShowingGateway, 'interface' | 'ipv6Interface'>,
): Uint8Array | undefined {
  if (length === IPV6_ADDRESS_LENGTH) return gateway.ipv6Interface?.address;
  return gateway.interface && ipv4Octets(gateway.interface.address);
}

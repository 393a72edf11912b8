/** What follows from a lab's names and prefixes when nothing else is said: IPv6 prefixes, the gateway's address and the pool of DHCPv6. */
import { fnv1a } from '../base/fnv1a.ts';
import type { Ipv6, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH, ipv6PrefixOf, isInIpv6Prefix } from '../wire/ipv6-address.ts';
import { writeUint16, writeUint32 } from '../wire/octets.ts';

/** The prefix that SLAAC needs: what is behind it is an interface identifier of 64 bits (RFC 4862, 5.5.3 d; RFC 7136). */
export const SLAAC_PREFIX_LENGTH = 64;

/**
 * A unique local prefix as RFC 4193, 3.1, draws it: fd, the global ID (40 bits, which follow from the lab's name), the subnet ID (16 bits,
 * which follow from the network's). It is the same at every start and on every host; where subnet IDs of a lab would be equal, the later gets another.
 */
export function derivePrefix(lab: string, network: string, taken: readonly Ipv6Prefix[]): Ipv6Prefix {
  const address = new Uint8Array(IPV6_ADDRESS_LENGTH);
  address[0] = 0xfd;
  address[1] = fnv1a(`ula/${lab}`) >>> 24;
  writeUint32(address, 2, fnv1a(lab));
  for (let attempt = 1; ; attempt++) {
    const hash = fnv1a(attempt === 1 ? network : `${network}/${attempt}`);
    writeUint16(address, 6, (hash >>> 16) ^ (hash & 0xffff));
    const prefix = { address, prefixLength: SLAAC_PREFIX_LENGTH };
    if (!taken.some((other) => prefixesOverlap(other, prefix))) return prefix;
  }
}

/** Of the gateway: the first host. */
export function gatewayIpv6(prefix: Ipv6Prefix): Ipv6 {
  return behindIpv6Prefix(prefix, 1);
}

/** The address with these low bits, as many as there is room for behind the prefix. */
export function behindIpv6Prefix(prefix: Ipv6Prefix, bits: number): Ipv6 {
  const low = new Uint8Array(IPV6_ADDRESS_LENGTH);
  writeUint32(low, IPV6_ADDRESS_LENGTH - 4, bits);
  const { address: outside } = ipv6PrefixOf({ ...prefix, address: low });
  return ipv6PrefixOf(prefix).address.map((octet, i) => octet | (low[i]! & ~outside[i]!));
}

export interface Ipv6Range {
  readonly first: Ipv6;
  readonly last: Ipv6;
}

/** 4096 addresses from ::1000 on; where the prefix has no room for that, all behind the first hosts. */
export function defaultIpv6Pool(prefix: Ipv6Prefix): Ipv6Range {
  const bits = 8 * IPV6_ADDRESS_LENGTH - prefix.prefixLength;
  const [first, last] = bits > 13 ? [0x1000, 0x1fff] : [Math.min(15, 2 ** bits - 2), 2 ** bits - 1];
  return { first: behindIpv6Prefix(prefix, first), last: behindIpv6Prefix(prefix, last) };
}

export function holdsIpv6({ first, last }: Ipv6Range, address: Ipv6): boolean {
  return compareIpv6(first, address) <= 0 && compareIpv6(address, last) <= 0;
}

/** Negative where `a` comes before `b`, 0 where they are equal. */
export function compareIpv6(a: Ipv6, b: Ipv6): number {
  const at = a.findIndex((octet, i) => octet !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

export function prefixesOverlap(a: Ipv6Prefix, b: Ipv6Prefix): boolean {
  return a.prefixLength < b.prefixLength ? isInIpv6Prefix(a, b.address) : isInIpv6Prefix(b, a.address);
}

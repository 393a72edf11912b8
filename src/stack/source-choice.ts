/** Which of its IPv6 addresses a station sends from, RFC 6724, 5, as far as configured addresses differ: none is deprecated, temporary or mobile. */
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { isInIpv6Prefix, isLinkLocalIpv6, isMulticastIpv6, isSameIpv6 } from '../wire/ipv6-address.ts';

/** Of `candidates`, which are not empty, the best for `destination`; the first of equals. */
export function chooseSource(candidates: readonly Ipv6[], destination: Ipv6): Ipv6 {
  let best = candidates[0]!;
  for (let i = 1; i < candidates.length; i++) if (isBetter(candidates[i]!, best, destination)) best = candidates[i]!;
  return best;
}

function isBetter(a: Ipv6, b: Ipv6, destination: Ipv6): boolean {
  // Rule 1.
  if (isSameIpv6(a, destination)) return true;
  if (isSameIpv6(b, destination)) return false;
  // Rule 2: the smallest scope that reaches the destination.
  const scope = scopeOf(destination);
  const scopeA = scopeOf(a);
  const scopeB = scopeOf(b);
  if (scopeA !== scopeB) return scopeA < scopeB ? scopeA >= scope : scopeB < scope;
  // Rule 6.
  const label = labelOf(destination);
  const fitsA = labelOf(a) === label;
  if (fitsA !== (labelOf(b) === label)) return fitsA;
  // Rule 8.
  return commonBits(a, destination) > commonBits(b, destination);
}

const LINK_LOCAL = 0x2;
const SITE_LOCAL = 0x5;
const GLOBAL = 0xe;

/** RFC 6724, 3.1; unique local addresses are global (RFC 4193, 3.3). */
function scopeOf(address: Ipv6): number {
  if (isMulticastIpv6(address)) return address[1]! & 0x0f;
  if (isLinkLocalIpv6(address)) return LINK_LOCAL;
  return isSiteLocal(address) ? SITE_LOCAL : GLOBAL;
}

/** fec0::/10, deprecated (RFC 3879). */
function isSiteLocal(address: Ipv6): boolean {
  return address[0] === 0xfe && (address[1]! & 0xc0) === 0xc0;
}

/** RFC 6724, 2.1: the labels of the default policy table that addresses of links can have. */
function labelOf(address: Ipv6): number {
  if ((address[0]! & 0xfe) === 0xfc) return 13;
  if (isSiteLocal(address)) return 11;
  if (address[0] === 0x20 && address[1] === 0x02) return 2;
  return isInIpv6Prefix(TEREDO, address) ? 5 : 1;
}

/** 2001::/32, RFC 4380. */
const TEREDO = { address: Uint8Array.of(0x20, 0x01, 0, 0), prefixLength: 32 };

function commonBits(a: Ipv6, b: Ipv6): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i * 8 + Math.clz32(a[i]! ^ b[i]!) - 24;
  return a.length * 8;
}

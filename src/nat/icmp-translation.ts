/** ICMP errors of IPv4 in the words of ICMPv6, for guests who reach IPv4 hosts by IPv6 (RFC 7915, 4.2). */
import type { HostIcmpError } from '../base/host-net.ts';
import {
  ADMINISTRATIVELY_PROHIBITED,
  FRAGMENTATION_NEEDED,
  HOST_UNREACHABLE,
  ICMPV4_TIME_EXCEEDED,
  ICMPV4_UNREACHABLE,
  NETWORK_UNREACHABLE,
  PORT_UNREACHABLE,
} from '../wire/icmpv4.ts';
import {
  ICMPV6_NO_ROUTE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PORT_UNREACHABLE,
  ICMPV6_PROHIBITED,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from '../wire/icmpv6.ts';
import { IPV4_HEADER_LENGTH } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from '../wire/ipv6.ts';

/** Codes of `ICMPV4_UNREACHABLE`, as ICMPv6 has them; RFC 792 and RFC 1812, 5.2.7.1 name those without a name here. */
const UNREACHABLE: ReadonlyMap<number, number> = new Map([
  ...[NETWORK_UNREACHABLE, HOST_UNREACHABLE, 5, 6, 7, 8, 11, 12].map((code) => [code, ICMPV6_NO_ROUTE] as const),
  ...[9, 10, ADMINISTRATIVELY_PROHIBITED, 15].map((code) => [code, ICMPV6_PROHIBITED] as const),
  [PORT_UNREACHABLE, ICMPV6_PORT_UNREACHABLE],
]);

/**
 * The same error with ICMPv6's type, code and MTU; undefined where ICMPv6 has no word for it, or one for what the host does not tell
 * (pointers). Addresses and the quote stay as they are.
 */
export function translatedError(error: HostIcmpError): HostIcmpError | undefined {
  const { type, code, mtu } = error;
  if (type === ICMPV4_TIME_EXCEEDED) return { ...error, type: ICMPV6_TIME_EXCEEDED, mtu: 0 };
  if (type !== ICMPV4_UNREACHABLE) return undefined;
  if (code === FRAGMENTATION_NEEDED) {
    const longer = Math.max(IPV6_MIN_MTU, mtu + IPV6_HEADER_LENGTH - IPV4_HEADER_LENGTH);
    return { ...error, type: ICMPV6_PACKET_TOO_BIG, code: 0, mtu: longer };
  }
  const translated = UNREACHABLE.get(code);
  return translated === undefined ? undefined : { ...error, type: ICMPV6_UNREACHABLE, code: translated, mtu: 0 };
}

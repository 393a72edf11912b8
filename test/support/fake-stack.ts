import type { TcpLayer } from '../../src/stack/tcp-layer.ts';
import type { Ipv4Interface } from '../../src/wire/ipv4-address.ts';
import { ipv4Of, isOnLink } from '../../src/wire/ipv4-address.ts';
import { isInIpv6Prefix } from '../../src/wire/ipv6-address.ts';
import { parseIpv6Interface } from '../../src/wire/ipv6-text.ts';

const IPV6_GATEWAY = parseIpv6Interface('fd00::1/64')!;

/** What forwards and proxies need of a gateway's stack: a TCP layer on a link. */
export function stackAt(own: Ipv4Interface, tcp: TcpLayer, takesTransit = true) {
  const leadsTo = (address: Uint8Array) =>
    address.length === 4 ? isOnLink(own, ipv4Of(address)) : isInIpv6Prefix(IPV6_GATEWAY, address);
  return { tcp, interface: own, ipv6Interface: IPV6_GATEWAY, takesTransit, leadsTo, isInside: leadsTo };
}

import type { TcpLayer } from '../../src/stack/tcp-layer.ts';
import type { Ipv4Interface } from '../../src/wire/ipv4-address.ts';
import { ipv4Of, isOnLink } from '../../src/wire/ipv4-address.ts';

/** What forwards and proxies need of a gateway's stack: a TCP layer on a link. */
export function stackAt(own: Ipv4Interface, tcp: TcpLayer, takesTransit = true) {
  const leadsTo = (address: Uint8Array) => isOnLink(own, ipv4Of(address));
  return { tcp, interface: own, takesTransit, leadsTo, isInside: leadsTo };
}

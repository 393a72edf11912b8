import type { TcpLayer } from '../../src/stack/tcp-layer.ts';
import type { Ipv4, Ipv4Interface } from '../../src/wire/ipv4-address.ts';
import { isOnLink } from '../../src/wire/ipv4-address.ts';

/** What forwards and proxies need of a gateway's stack: a TCP layer on a link. */
export function stackAt(own: Ipv4Interface, tcp: TcpLayer, takesTransit = true) {
  const leadsTo = (address: Ipv4) => isOnLink(own, address);
  return { tcp, interface: own, takesTransit, leadsTo, isInside: leadsTo };
}

/**
 * A router between LANs, RFC 1812 and RFC 8200: what comes in for others at one interface leaves by another.
 *
 * Theory of operation. Each interface has a stack of its own on its LAN, which answers ARP, neighbour discovery and ping there, resolves
 * next hops, keeps packets that wait for one, and tells senders what became of their packets; this is what joins them. A packet is
 * judged once, on the view that the stack has bound: route by the longest prefix, hops left, length. Neighbouring frames with one next
 * hop are a run (`Runs`), which is copied once, whole, into the buffer of the interface it leaves by (`TransitOutput`); all that a
 * batch sends leaves at its end. The families are apart: an interface has one of them, or both.
 *
 * An address of any interface is the router's own at each (the weak model of RFC 1122, 3.3.4.2), but ARP and neighbour discovery answer
 * for those of the link only. Errors come from the interface where the packet came in; those about a next hop that nobody has, from the
 * one towards the sender.
 *
 * What is left out: redirects are not sent (a packet may leave by the interface it came in by, silently), source routes of IPv4 are
 * refused by name, other options and all extension headers pass untouched, precedence means nothing, and sources are not compared with
 * routes (RFC 1812, 5.3.8): only what can be no host's address is refused.
 */
import type { Stack } from '../stack/stack.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import type { StaticRoute } from './ipv4-forwarding.ts';
import { forwardIpv4 } from './ipv4-forwarding.ts';
import type { StaticIpv6Route } from './ipv6-forwarding.ts';
import { forwardIpv6 } from './ipv6-forwarding.ts';

export type { StaticIpv6Route, StaticRoute };

/** A place of the router on a LAN. The stack has the addresses. */
export interface RouterInterface {
  readonly stack: Stack;
  /** Undefined: IPv4 is not forwarded here. */
  readonly interface?: Ipv4Interface | undefined;
  /** Further addresses of the stack. */
  readonly extra?: readonly Ipv4[];
  /** Undefined: IPv6 is not forwarded here. */
  readonly ipv6?: { readonly interface: Ipv6Interface; readonly extra?: readonly Ipv6[] } | undefined;
}

export class Router {
  #stacks: readonly Stack[] = [];

  /** Joins these interfaces and gives up all others. Routes whose `via` is on none of the links are left out. */
  configure(
    interfaces: readonly RouterInterface[],
    routes: readonly StaticRoute[],
    ipv6Routes: readonly StaticIpv6Route[] = [],
  ): void {
    for (const stack of this.#stacks) stack.forwardBy(undefined, undefined);
    this.#stacks = interfaces.map(({ stack }) => stack);
    const ipv4 = forwardIpv4(
      interfaces.flatMap(({ stack, interface: own, extra = [] }) =>
        own === undefined ? [] : [{ stack, interface: own, extra }],
      ),
      routes,
    );
    const ipv6 = forwardIpv6(
      interfaces.flatMap(({ stack, ipv6: own }) =>
        own === undefined ? [] : [{ stack, interface: own.interface, extra: own.extra ?? [] }],
      ),
      ipv6Routes,
    );
    for (const stack of this.#stacks) stack.forwardBy(ipv4.get(stack), ipv6.get(stack));
  }
}

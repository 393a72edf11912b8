/** Routes of IPv6, found by the longest prefix. */
import type { Ipv6, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6Key, ipv6PrefixOf } from '../wire/ipv6-address.ts';

interface Destined {
  readonly to: Ipv6Prefix;
}

export class Ipv6RouteTable<Route extends Destined> {
  /** By prefix length, the longest first; in each by network, as `ipv6Key`. */
  readonly #lengths: { readonly prefixLength: number; readonly routes: Map<string, Route> }[] = [];

  /** False where there is a route to that network already. */
  add(route: Route): boolean {
    const { prefixLength } = route.to;
    const network = ipv6Key(ipv6PrefixOf(route.to).address);
    let length = this.#lengths.find((other) => other.prefixLength === prefixLength);
    if (length === undefined) {
      length = { prefixLength, routes: new Map() };
      this.#lengths.push(length);
      this.#lengths.sort((a, b) => b.prefixLength - a.prefixLength);
    }
    if (length.routes.has(network)) return false;
    length.routes.set(network, route);
    return true;
  }

  find(destination: Ipv6): Route | undefined {
    for (const { prefixLength, routes } of this.#lengths) {
      const route = routes.get(ipv6Key(ipv6PrefixOf({ address: destination, prefixLength }).address));
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

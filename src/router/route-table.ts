/** Routes of IPv4, found by the longest prefix (RFC 1812, 5.2.4.3). */
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { ipv4Mask } from '../wire/ipv4-address.ts';

interface Destined {
  readonly to: Ipv4Interface;
}

export class Ipv4RouteTable<Route extends Destined> {
  /** By prefix length, the longest first; in each by network. */
  readonly #lengths: { readonly mask: Ipv4; readonly routes: Map<Ipv4, Route> }[] = [];

  /** False where there is a route to that network already. */
  add(route: Route): boolean {
    const mask = ipv4Mask(route.to.prefixLength);
    const network = (route.to.address & mask) >>> 0;
    let length = this.#lengths.find((other) => other.mask === mask);
    if (length === undefined) {
      length = { mask, routes: new Map() };
      this.#lengths.push(length);
      this.#lengths.sort((a, b) => b.mask - a.mask);
    }
    if (length.routes.has(network)) return false;
    length.routes.set(network, route);
    return true;
  }

  find(destination: Ipv4): Route | undefined {
    for (let i = 0; i < this.#lengths.length; i++) {
      const { mask, routes } = this.#lengths[i]!;
      const route = routes.get((destination & mask) >>> 0);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

/** Forwarding of IPv4 between the interfaces of a router, RFC 1812, 5. */
import type { Ipv4Forwarder, Ipv4ForwardingVerdict } from '../stack/forwarder.ts';
import type { IncomingIpv4 } from '../stack/ipv4-input.ts';
import type { Stack } from '../stack/stack.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { IPV4_HEADER_LENGTH, Ipv4View } from '../wire/ipv4.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { broadcastOf, isOnLink, networkOf } from '../wire/ipv4-address.ts';
import { fragmentsOf } from './fragmentation.ts';
import { isSourceRouted } from './ipv4-options.ts';
import { Ipv4RouteTable } from './route-table.ts';
import { Runs } from './runs.ts';

/** An interface and its addresses. */
export interface Ipv4Place {
  readonly stack: Stack;
  readonly interface: Ipv4Interface;
  readonly extra: readonly Ipv4[];
}

/** A network that is reached through a router on one of the links; 0.0.0.0/0 is everything that no other route leads to. */
export interface StaticRoute {
  readonly to: Ipv4Interface;
  readonly via: Ipv4;
}

/** The forwarders of interfaces that are joined. Routes whose `via` is on none of the links are left out. */
export function forwardIpv4(
  places: readonly Ipv4Place[],
  routes: readonly StaticRoute[],
): ReadonlyMap<Stack, Ipv4Forwarder> {
  const routing: Routing = {
    table: new Ipv4RouteTable(),
    own: new Set(places.flatMap(({ interface: own, extra }) => [own.address, ...extra])),
    broadcasts: new Set(places.flatMap(({ interface: own }) => broadcastsOf(own))),
  };
  const arms = places.map(({ stack }) => new Ipv4Arm(routing, stack));
  for (const [i, { interface: own }] of places.entries()) routing.table.add({ to: own, via: undefined, arm: arms[i]! });
  for (const { to, via } of routes) {
    const at = places.findIndex(({ interface: own }) => isOnLink(own, via));
    if (at >= 0) routing.table.add({ to, via, arm: arms[at]! });
  }
  return new Map(arms.map((arm) => [arm.stack, arm]));
}

interface Routing {
  readonly table: Ipv4RouteTable<Route>;
  readonly own: ReadonlySet<Ipv4>;
  /** Addresses that mean everybody on one of the links. */
  readonly broadcasts: ReadonlySet<Ipv4>;
}

interface Route {
  readonly to: Ipv4Interface;
  /** Undefined: the destination itself is on the link. */
  readonly via: Ipv4 | undefined;
  readonly arm: Ipv4Arm;
}

/** RFC 1812, 4.2.3.1 and 5.3.5.2: all ones, and the obsolete all zeros; two addresses (RFC 3021) leave no room for them. */
function broadcastsOf(own: Ipv4Interface): readonly Ipv4[] {
  return own.prefixLength > 30 ? [] : [networkOf(own), broadcastOf(own)];
}

/** One interface: what comes in here is judged, gathered into runs, and handed to the arms it leaves by. */
class Ipv4Arm implements Ipv4Forwarder {
  readonly stack: Stack;
  readonly #routing: Routing;
  readonly #ip = new Ipv4View();
  readonly #runs = new Runs<Ipv4>();
  /** The route that was found last: packets for one host come in rows. */
  #lastDestination: Ipv4 | undefined;
  #lastRoute: Route | undefined;

  constructor(routing: Routing, stack: Stack) {
    this.#routing = routing;
    this.stack = stack;
  }

  forward(packet: IncomingIpv4): Ipv4ForwardingVerdict {
    const { batch, index, ip } = packet;
    const { destination } = ip;
    const { broadcasts } = this.#routing;
    const route = this.#routeTo(destination);
    if (route === undefined || (route.to.prefixLength === 0 && this.stack.takesTransit)) return 'no-route';
    if (broadcasts.has(destination)) return 'directed-broadcast';
    if (broadcasts.has(ip.source)) return 'bad-source';
    if (isLinkLocal(destination) || isLinkLocal(ip.source)) return 'link-local';
    const hasOptions = ip.headerLength > IPV4_HEADER_LENGTH;
    if (hasOptions && isSourceRouted(batch.bytes, ip.start + IPV4_HEADER_LENGTH, ip.payloadStart))
      return 'source-route';
    if (ip.ttl <= 1) return 'ttl-exceeded';
    const { arm, via = destination } = route;
    const { mtu } = arm.stack.transit;
    if (ip.payloadEnd - ip.start > mtu) return ip.dontFragment ? { mtu } : this.#sendFragments(arm, via, packet);
    this.#runs.add(batch, index, arm.stack.transit, via);
    return 'forwarded';
  }

  #routeTo(destination: Ipv4): Route | undefined {
    if (destination !== this.#lastDestination) {
      this.#lastDestination = destination;
      this.#lastRoute = this.#routing.table.find(destination);
    }
    return this.#lastRoute;
  }

  #sendFragments(out: Ipv4Arm, hop: Ipv4, { batch, ip }: IncomingIpv4): 'forwarded' {
    const { transit } = out.stack;
    this.#runs.interrupt(transit);
    for (const fragment of fragmentsOf(batch.bytes, ip, transit.mtu)) transit.send(fragment, hop);
    return 'forwarded';
  }

  endBatch(): void {
    this.#runs.end();
  }

  send(frame: Uint8Array): boolean {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return false;
    const { destination } = this.#ip;
    const route = this.#routing.table.find(destination);
    if (route === undefined || route.arm === this || this.#ip.payloadEnd - this.#ip.start > route.arm.stack.transit.mtu)
      return false;
    route.arm.stack.transit.send(frame, route.via ?? destination);
    return true;
  }

  undeliverable(frame: Uint8Array): void {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return;
    this.#routing.table.find(this.#ip.source)?.arm.stack.hostUnreachable(frame);
  }

  isOwn(address: Ipv4): boolean {
    return this.#routing.own.has(address);
  }

  nextHop(destination: Ipv4): Ipv4 | undefined {
    const route = this.#routing.table.find(destination);
    return route?.arm === this ? (route.via ?? destination) : undefined;
  }

  isBehind(address: Ipv4): boolean {
    const route = this.#routing.table.find(address);
    return route?.arm === this && route.to.prefixLength > 0;
  }

  isInside(address: Ipv4): boolean {
    return (this.#routing.table.find(address)?.to.prefixLength ?? 0) > 0;
  }
}

/** 169.254.0.0/16. */
function isLinkLocal(address: Ipv4): boolean {
  return address >>> 16 === 0xa9fe;
}

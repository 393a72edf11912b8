/** Forwarding of IPv6 between the interfaces of a router, RFC 8200, 3 and 4.5: hop limits, no fragments, extension headers untouched. */
import type { Ipv6Forwarder, Ipv6ForwardingVerdict } from '../stack/forwarder.ts';
import type { IncomingIpv6 } from '../stack/ipv6-input.ts';
import type { Stack } from '../stack/stack.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { Ipv6View } from '../wire/ipv6.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH, ipv6Key, isInIpv6Prefix, isIpv6At } from '../wire/ipv6-address.ts';
import { Ipv6RouteTable } from './ipv6-route-table.ts';
import { Runs } from './runs.ts';

/** An interface and its addresses. */
export interface Ipv6Place {
  readonly stack: Stack;
  readonly interface: Ipv6Interface;
  readonly extra: readonly Ipv6[];
}

/** A network that is reached through a router on one of the links; ::/0 is everything that no other route leads to. */
export interface StaticIpv6Route {
  readonly to: Ipv6Prefix;
  /** Of a link's prefix: a link-local address does not say of which link it is. */
  readonly via: Ipv6;
}

/** The forwarders of interfaces that are joined. Routes whose `via` is on none of the links are left out. */
export function forwardIpv6(
  places: readonly Ipv6Place[],
  routes: readonly StaticIpv6Route[],
): ReadonlyMap<Stack, Ipv6Forwarder> {
  const routing: Routing = {
    table: new Ipv6RouteTable(),
    own: places.flatMap(({ interface: own, extra }) => [own.address, ...extra]),
  };
  const arms = places.map(({ stack }) => new Ipv6Arm(routing, stack));
  for (const [i, { interface: own }] of places.entries()) routing.table.add({ to: own, via: undefined, arm: arms[i]! });
  for (const { to, via } of routes) {
    const at = places.findIndex(({ interface: own }) => isInIpv6Prefix(own, via));
    if (at >= 0) routing.table.add({ to, via, arm: arms[at]! });
  }
  return new Map(arms.map((arm) => [arm.stack, arm]));
}

interface Routing {
  readonly table: Ipv6RouteTable<Route>;
  readonly own: readonly Ipv6[];
}

interface Route {
  readonly to: Ipv6Prefix;
  /** Undefined: the destination itself is on the link. */
  readonly via: Ipv6 | undefined;
  readonly arm: Ipv6Arm;
}

/** One interface: what comes in here is judged, gathered into runs, and handed to the arms it leaves by. */
class Ipv6Arm implements Ipv6Forwarder {
  readonly stack: Stack;
  readonly #routing: Routing;
  readonly #ip = new Ipv6View();
  /** Hops by `ipv6Key`. */
  readonly #runs = new Runs<string>();
  /** The route that was found last, and the hop on it: packets for one host come in rows. */
  readonly #lastDestination = new Uint8Array(IPV6_ADDRESS_LENGTH);
  #lastRoute: Route | undefined;
  #lastHop = '';

  constructor(routing: Routing, stack: Stack) {
    this.#routing = routing;
    this.stack = stack;
    this.#find(this.#lastDestination, 0);
  }

  forward({ batch, index, ip }: IncomingIpv6): Ipv6ForwardingVerdict {
    if (!isIpv6At(batch.bytes, ip.destinationAt, this.#lastDestination)) this.#find(batch.bytes, ip.destinationAt);
    const route = this.#lastRoute;
    if (route === undefined || (route.to.prefixLength === 0 && this.stack.takesTransit)) return 'no-route';
    if (ip.hopLimit <= 1) return 'hop-limit-exceeded';
    const { ipv6Transit } = route.arm.stack;
    if (ip.payloadEnd - ip.start > ipv6Transit.mtu) return { mtu: ipv6Transit.mtu };
    this.#runs.add(batch, index, ipv6Transit, this.#lastHop);
    return 'forwarded';
  }

  #find(bytes: Uint8Array, at: number): void {
    this.#lastDestination.set(bytes.subarray(at, at + IPV6_ADDRESS_LENGTH));
    this.#lastRoute = this.#routing.table.find(this.#lastDestination);
    this.#lastHop = ipv6Key(this.#lastRoute?.via ?? this.#lastDestination);
  }

  endBatch(): void {
    this.#runs.end();
  }

  send(frame: Uint8Array): boolean {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return false;
    const { destination } = this.#ip;
    const route = this.#routing.table.find(destination);
    if (route === undefined || route.arm === this) return false;
    const { ipv6Transit } = route.arm.stack;
    if (this.#ip.payloadEnd - this.#ip.start > ipv6Transit.mtu) return false;
    ipv6Transit.send(frame, ipv6Key(route.via ?? destination));
    return true;
  }

  undeliverable(frame: Uint8Array): void {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return;
    this.#routing.table.find(this.#ip.source)?.arm.stack.hostUnreachable(frame);
  }

  isOwn(bytes: Uint8Array, at = 0): boolean {
    const { own } = this.#routing;
    for (let i = 0; i < own.length; i++) if (isIpv6At(bytes, at, own[i]!)) return true;
    return false;
  }

  nextHop(destination: Ipv6): Ipv6 | undefined {
    const route = this.#routing.table.find(destination);
    return route?.arm === this ? (route.via ?? destination) : undefined;
  }

  isBehind(address: Ipv6): boolean {
    const route = this.#routing.table.find(address);
    return route?.arm === this && route.to.prefixLength > 0;
  }

  isInside(address: Ipv6): boolean {
    return (this.#routing.table.find(address)?.to.prefixLength ?? 0) > 0;
  }
}

/**
 * A router between LANs, RFC 1812: what comes in for others at one interface leaves by another.
 *
 * Theory of operation. Each interface has a stack of its own on its LAN, which answers ARP and ping there, resolves next hops, keeps
 * packets that wait for one, and tells senders what became of their packets; this is what joins them. A packet is judged once, on the
 * view that the stack has bound: route by the longest prefix, time to live, length. Neighbouring frames with one next hop are a run,
 * which is copied once, whole, into the buffer of the interface it leaves by (`TransitOutput`); all that a batch sends leaves at its end.
 *
 * An address of any interface is the router's own at each (the weak model of RFC 1122, 3.3.4.2), but ARP answers for those of the link
 * only. Errors come from the interface where the packet came in; those about a next hop that nobody has, from the one towards the sender.
 *
 * What is left out: redirects are not sent (a packet may leave by the interface it came in by, silently), source routes are refused by
 * name, other options pass untouched, precedence means nothing, and sources are not compared with routes (RFC 1812, 5.3.8): only
 * what can be no host's address is refused.
 */

import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf } from '../link/frame-batch.ts';
import type { Forwarder, ForwardingVerdict } from '../stack/forwarder.ts';
import type { IncomingIpv4 } from '../stack/ipv4-input.ts';
import type { Stack } from '../stack/stack.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { IPV4_HEADER_LENGTH, Ipv4View } from '../wire/ipv4.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { broadcastOf, isOnLink, networkOf } from '../wire/ipv4-address.ts';
import { fragmentsOf } from './fragmentation.ts';
import { isSourceRouted } from './ipv4-options.ts';
import { Ipv4RouteTable } from './route-table.ts';

/** A place of the router on a LAN. The stack has the address. */
export interface RouterInterface {
  readonly stack: Stack;
  readonly interface: Ipv4Interface;
  /** Further addresses of the stack. */
  readonly extra?: readonly Ipv4[];
}

/** A network that is reached through a router on one of the links; 0.0.0.0/0 is everything that no other route leads to. */
export interface StaticRoute {
  readonly to: Ipv4Interface;
  readonly via: Ipv4;
}

export class Router {
  #table = new Ipv4RouteTable<Route>();
  #own: ReadonlySet<Ipv4> = new Set();
  #broadcasts: ReadonlySet<Ipv4> = new Set();
  #arms: readonly Arm[] = [];

  /** Joins these interfaces and gives up all others. Routes whose `via` is on none of the links are left out. */
  configure(interfaces: readonly RouterInterface[], routes: readonly StaticRoute[]): void {
    for (const { stack } of this.#arms) stack.forwardBy(undefined);
    this.#arms = interfaces.map(({ stack }) => new Arm(this, stack));
    this.#own = new Set(interfaces.flatMap(({ interface: own, extra = [] }) => [own.address, ...extra]));
    this.#broadcasts = new Set(interfaces.flatMap(({ interface: own }) => broadcastsOf(own)));
    this.#table = new Ipv4RouteTable();
    for (const [i, { interface: own }] of interfaces.entries())
      this.#table.add({ to: own, via: undefined, arm: this.#arms[i]! });
    for (const { to, via } of routes) {
      const at = interfaces.findIndex(({ interface: own }) => isOnLink(own, via));
      if (at >= 0) this.#table.add({ to, via, arm: this.#arms[at]! });
    }
    for (const arm of this.#arms) arm.stack.forwardBy(arm);
  }

  routeTo(destination: Ipv4): Route | undefined {
    return this.#table.find(destination);
  }

  isOwn(address: Ipv4): boolean {
    return this.#own.has(address);
  }

  /** The address means everybody on one of the links. */
  isBroadcast(address: Ipv4): boolean {
    return this.#broadcasts.has(address);
  }
}

interface Route {
  readonly to: Ipv4Interface;
  /** Undefined: the destination itself is on the link. */
  readonly via: Ipv4 | undefined;
  readonly arm: Arm;
}

/** RFC 1812, 4.2.3.1 and 5.3.5.2: all ones, and the obsolete all zeros; two addresses (RFC 3021) leave no room for them. */
function broadcastsOf(own: Ipv4Interface): readonly Ipv4[] {
  return own.prefixLength > 30 ? [] : [networkOf(own), broadcastOf(own)];
}

/** One interface: what comes in here is judged, gathered into runs, and handed to the arms it leaves by. */
class Arm implements Forwarder {
  readonly stack: Stack;
  readonly #router: Router;
  readonly #ip = new Ipv4View();
  /** Arms that were given something in this batch. */
  readonly #busy: Arm[] = [];
  /** The run that is being gathered: frames [#first, #end) of the batch, which leave by `#out` towards `#hop`. */
  #batch: FrameBatch = batchOf([]);
  #first = 0;
  #end = 0;
  #out: Arm = this;
  #hop: Ipv4 = 0;
  /** The route that was found last: packets for one host come in rows. */
  #lastDestination: Ipv4 | undefined;
  #lastRoute: Route | undefined;

  constructor(router: Router, stack: Stack) {
    this.#router = router;
    this.stack = stack;
  }

  forward(packet: IncomingIpv4): ForwardingVerdict {
    const { batch, index, ip } = packet;
    const { destination } = ip;
    const route = this.#routeTo(destination);
    if (route === undefined || (route.to.prefixLength === 0 && this.stack.takesTransit)) return 'no-route';
    if (this.#router.isBroadcast(destination)) return 'directed-broadcast';
    if (this.#router.isBroadcast(ip.source)) return 'bad-source';
    if (isLinkLocal(destination) || isLinkLocal(ip.source)) return 'link-local';
    const hasOptions = ip.headerLength > IPV4_HEADER_LENGTH;
    if (hasOptions && isSourceRouted(batch.bytes, ip.start + IPV4_HEADER_LENGTH, ip.payloadStart))
      return 'source-route';
    if (ip.ttl <= 1) return 'ttl-exceeded';
    const { arm, via = destination } = route;
    const { mtu } = arm.stack.transit;
    if (ip.payloadEnd - ip.start > mtu) return ip.dontFragment ? { mtu } : this.#sendFragments(arm, via, packet);
    if (
      this.#end !== index ||
      this.#batch !== batch ||
      this.#out !== arm ||
      this.#hop !== via ||
      this.#first === this.#end
    ) {
      this.#flush();
      this.#batch = batch;
      this.#first = index;
      this.#out = arm;
      this.#hop = via;
    }
    this.#end = index + 1;
    return 'forwarded';
  }

  #routeTo(destination: Ipv4): Route | undefined {
    if (destination !== this.#lastDestination) {
      this.#lastDestination = destination;
      this.#lastRoute = this.#router.routeTo(destination);
    }
    return this.#lastRoute;
  }

  #sendFragments(out: Arm, hop: Ipv4, { batch, ip }: IncomingIpv4): 'forwarded' {
    this.#flush();
    this.#begin(out);
    for (const fragment of fragmentsOf(batch.bytes, ip, out.stack.transit.mtu)) out.stack.transit.send(fragment, hop);
    return 'forwarded';
  }

  /** The run is complete. */
  #flush(): void {
    const first = this.#first;
    const end = this.#end;
    if (first === end) return;
    this.#first = end;
    this.#begin(this.#out);
    this.#out.stack.transit.run(this.#batch, first, end, this.#hop);
  }

  #begin(out: Arm): void {
    if (this.#busy.includes(out)) return;
    this.#busy.push(out);
    out.stack.transit.begin();
  }

  endBatch(): void {
    this.#flush();
    for (let out = this.#busy.pop(); out !== undefined; out = this.#busy.pop()) out.stack.transit.end();
  }

  send(frame: Uint8Array): boolean {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return false;
    const { destination } = this.#ip;
    const route = this.#router.routeTo(destination);
    if (route === undefined || route.arm === this || this.#ip.payloadEnd - this.#ip.start > route.arm.stack.transit.mtu)
      return false;
    route.arm.stack.transit.send(frame, route.via ?? destination);
    return true;
  }

  undeliverable(frame: Uint8Array): void {
    if (this.#ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined) return;
    this.#router.routeTo(this.#ip.source)?.arm.stack.hostUnreachable(frame);
  }

  isOwn(address: Ipv4): boolean {
    return this.#router.isOwn(address);
  }

  nextHop(destination: Ipv4): Ipv4 | undefined {
    const route = this.#router.routeTo(destination);
    return route?.arm === this ? (route.via ?? destination) : undefined;
  }

  isBehind(address: Ipv4): boolean {
    const route = this.#router.routeTo(address);
    return route?.arm === this && route.to.prefixLength > 0;
  }

  isInside(address: Ipv4): boolean {
    return (this.#router.routeTo(address)?.to.prefixLength ?? 0) > 0;
  }
}

/** 169.254.0.0/16. */
function isLinkLocal(address: Ipv4): boolean {
  return address >>> 16 === 0xa9fe;
}

/** Checks which networks of a lab file lead to each other, and the routes of their gateways. */
import type { IssuePath } from '../base/issue.ts';
import type { StaticIpv6Route, StaticRoute } from '../router/router.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import type { Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6PrefixOf, isSameIpv6 } from '../wire/ipv6-address.ts';
import { formatIpv6Interface } from '../wire/ipv6-text.ts';
import type { Fault } from './check-addresses.ts';
import { hostBitsFault, hostFault, subnetText } from './check-addresses.ts';
import { leadsOn } from './check-egress.ts';
import { ipv6HostBitsFault, ipv6HostFault } from './check-ipv6.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { AnyRoute } from './schema-values.ts';

/** A prefix that has a route already, as text, and what has it. */
export interface TakenPrefix {
  readonly to: string;
  readonly by: string;
}

/** What a gateway that is an interface of the lab's router reaches by other routers. */
export interface GatewayRoutes {
  readonly routes: readonly StaticRoute[];
  readonly ipv6Routes: readonly StaticIpv6Route[];
}

/** The routes of each gateway that is an interface of the lab's router. There is none where nothing is to be joined. */
export function checkGatewayRoutes(
  networks: readonly CheckedNetwork[],
  report: Report,
): ReadonlyMap<string, GatewayRoutes> {
  const joined = networks.filter(({ entry, gateway }) => gateway !== undefined && leadsOn(entry));
  const taken = joined.flatMap(({ name, gateway, ipv6 }): readonly TakenPrefix[] => [
    ...(gateway?.interface === undefined ? [] : [{ to: subnetText(gateway.interface), by: `the network ${name}` }]),
    ...(ipv6 === undefined ? [] : [{ to: prefixText(ipv6.interface), by: `the network ${name}` }]),
  ]);
  const routes = new Map<string, GatewayRoutes>();
  for (const { name, entry, gateway, ipv6 } of joined) {
    const path = ['networks', name, 'routes'];
    const written = routesByFamily(entry.routes ?? [], path, report);
    const own = gateway?.interface;
    const viaFault = ({ via }: StaticRoute) =>
      own === undefined ? noFamily('IPv4') : (hostFault(via, own) ?? (via === own.address ? ITSELF : undefined));
    const found = checkRoutes(written.ipv4, IPV4_ROUTES, viaFault, taken, path, report);
    const ipv6ViaFault = ({ via }: StaticIpv6Route) => {
      if (ipv6 === undefined) return noFamily('IPv6');
      return ipv6HostFault(via, ipv6.interface) ?? (isSameIpv6(via, ipv6.interface.address) ? ITSELF : undefined);
    };
    const ipv6Found = checkRoutes(written.ipv6, IPV6_ROUTES, ipv6ViaFault, taken, path, report);
    const all = [...found, ...ipv6Found];
    if (entry.gateway !== 'routed') reportDefaultRoutes(all, name, path, report);
    if (entry.gateway === 'routed' || joined.length > 1 || all.length > 0)
      routes.set(name, { routes: found.map(withoutIndex), ipv6Routes: ipv6Found.map(withoutIndex) });
  }
  return routes;
}

const ITSELF = { code: 'address-taken', message: 'that is the gateway itself', hint: 'name a router of the network' };

function noFamily(family: 'IPv4' | 'IPv6'): Fault {
  const hint = 'name a network and a router of the other family';
  return { code: `${family.toLowerCase()}-off`, message: `the network has no ${family}`, hint };
}

/** How the routes of a family are judged and written. */
interface RouteFamily<Network> {
  readonly fault: (to: Network) => Fault | undefined;
  readonly text: (to: Network) => string;
}

export const IPV4_ROUTES: RouteFamily<Ipv4Interface> = { fault: hostBitsFault, text: subnetText };
export const IPV6_ROUTES: RouteFamily<Ipv6Prefix> = { fault: ipv6HostBitsFault, text: prefixText };

export function prefixText(prefix: Ipv6Interface): string {
  return formatIpv6Interface(ipv6PrefixOf(prefix));
}

interface RoutesByFamily {
  readonly ipv4: readonly (StaticRoute | undefined)[];
  readonly ipv6: readonly (StaticIpv6Route | undefined)[];
}

/** Each route in the list of its family, at its place. */
export function routesByFamily(
  entries: readonly (AnyRoute | undefined)[],
  path: IssuePath,
  report: Report,
): RoutesByFamily {
  const ipv4: (StaticRoute | undefined)[] = [];
  const ipv6: (StaticIpv6Route | undefined)[] = [];
  for (const [index, route] of entries.entries()) {
    if (route === undefined) continue;
    const { to, via } = route;
    if (typeof via === 'number' && isIpv4Network(to)) ipv4[index] = { to, via };
    else if (typeof via !== 'number' && !isIpv4Network(to)) ipv6[index] = { to, via };
    else {
      const message = 'one address is of IPv4 and one of IPv6';
      report({ code: 'mixed-families', path: [...path, index], message, hint: 'name a router of the same family' });
    }
  }
  return { ipv4, ipv6 };
}

function isIpv4Network(to: AnyRoute['to']): to is Ipv4Interface {
  return typeof to.address === 'number';
}

interface Written {
  readonly index: number;
}

/** Routes of one family of one router; their prefixes are added to `taken`. */
export function checkRoutes<Network extends { readonly prefixLength: number }, Route extends { readonly to: Network }>(
  entries: readonly (Route | undefined)[],
  { fault: toFaultOf, text }: RouteFamily<Network>,
  viaFault: (route: Route) => Fault | undefined,
  taken: TakenPrefix[],
  path: IssuePath,
  report: Report,
): readonly (Route & Written)[] {
  return [...entries].flatMap((route, index) => {
    if (route === undefined) return [];
    const toFault = toFaultOf(route.to);
    if (toFault !== undefined) report({ ...toFault, path: [...path, index, 'to'] });
    const fault = viaFault(route);
    if (fault !== undefined) report({ ...fault, path: [...path, index, 'via'] });
    const to = text(route.to);
    const owner = taken.find((other) => other.to === to);
    if (owner !== undefined) {
      const message = `${to} is reached by ${owner.by} already`;
      report({ code: 'route-taken', path: [...path, index], message, hint: 'remove one of them' });
    } else taken.push({ to, by: 'another route' });
    return [{ ...route, index }];
  });
}

export function withoutIndex<Route extends { readonly to: unknown; readonly via: unknown }>({ to, via }: Route) {
  return { to, via } as Pick<Route, 'to' | 'via'>;
}

type DefaultRoute = Written & { readonly to: { readonly prefixLength: number } };

/** The way out of the network itself goes before a default route, which then would mean nothing. */
function reportDefaultRoutes(routes: readonly DefaultRoute[], name: string, path: IssuePath, report: Report): void {
  for (const { to, index } of routes) {
    if (to.prefixLength > 0) continue;
    const message = `${name} leads to the world itself, so nothing would take this route`;
    report({ code: 'route-in-vain', path: [...path, index], message, hint: 'remove it, or write gateway: routed' });
  }
}

/** The other networks that each is joined with, by gateways or by `routers`, which name their networks; in the order of the file. */
export function joinedNetworks(
  networks: readonly CheckedNetwork[],
  routers: readonly (readonly string[])[],
): ReadonlyMap<string, readonly string[]> {
  const gateways = networks.filter(({ entry }) => leadsOn(entry)).map(({ name }) => name);
  const groups = new Map(networks.map(({ name }) => [name, new Set([name])]));
  for (const router of [gateways, ...routers]) {
    const group = new Set(router.flatMap((name) => [...(groups.get(name) ?? [])]));
    for (const name of group) groups.set(name, group);
  }
  return new Map(
    [...groups].map(([name, group]) => [
      name,
      networks.map((other) => other.name).filter((other) => other !== name && group.has(other)),
    ]),
  );
}

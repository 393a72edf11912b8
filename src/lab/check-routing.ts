/** Checks which networks of a lab file lead to each other, and the routes of their gateways. */
import type { IssuePath } from '../base/issue.ts';
import type { StaticRoute } from '../router/router.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { networkOf } from '../wire/ipv4-address.ts';
import { hostBitsFault, hostFault, subnetText } from './check-addresses.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { NetworkEntry } from './schema-network.ts';

/** Whether the gateway leads to the lab's other networks: nat and routed do, unless nothing may leave. */
export function leadsOn({ gateway = 'nat', restrict }: NetworkEntry): boolean {
  return (gateway === 'nat' || gateway === 'routed') && restrict !== true;
}

/** A prefix that has a route already, and what has it. */
export interface TakenPrefix {
  readonly to: Ipv4Interface;
  readonly by: string;
}

/** The routes of each gateway that is an interface of the lab's router. There is none where nothing is to be joined. */
export function checkGatewayRoutes(
  networks: readonly CheckedNetwork[],
  report: Report,
): ReadonlyMap<string, readonly StaticRoute[]> {
  const joined = networks.filter(({ entry, gateway }) => gateway !== undefined && leadsOn(entry));
  const taken: TakenPrefix[] = joined.flatMap(({ name, gateway }) =>
    gateway?.interface === undefined ? [] : [{ to: gateway.interface, by: `the network ${name}` }],
  );
  const routes = new Map<string, readonly StaticRoute[]>();
  for (const { name, entry, gateway } of joined) {
    const path = ['networks', name, 'routes'];
    const own = gateway?.interface;
    const viaFault = ({ via }: StaticRoute) =>
      own === undefined
        ? NO_IPV4
        : (hostFault(via, own) ??
          (via === own.address
            ? { code: 'address-taken', message: 'that is the gateway itself', hint: 'name a router of the network' }
            : undefined));
    const found = checkRoutes(entry.routes ?? [], viaFault, taken, path, report);
    if (entry.gateway !== 'routed') reportDefaultRoutes(found, name, path, report);
    if (entry.gateway === 'routed' || joined.length > 1 || found.length > 0)
      routes.set(
        name,
        found.map(({ to, via }) => ({ to, via })),
      );
  }
  return routes;
}

const NO_IPV4 = {
  code: 'ipv4-off',
  message: 'the network has no IPv4',
  hint: 'name a prefix and a router of IPv6',
} as const;

interface WrittenRoute extends StaticRoute {
  readonly index: number;
}

/** Routes of one router; their prefixes are added to `taken`. */
export function checkRoutes(
  entries: readonly (StaticRoute | undefined)[],
  viaFault: (
    route: StaticRoute,
  ) => { readonly code: string; readonly message: string; readonly hint: string } | undefined,
  taken: TakenPrefix[],
  path: IssuePath,
  report: Report,
): readonly WrittenRoute[] {
  return entries.flatMap((route, index) => {
    if (route === undefined) return [];
    const { to, via } = route;
    const toFault = hostBitsFault(to);
    if (toFault !== undefined) report({ ...toFault, path: [...path, index, 'to'] });
    const fault = viaFault(route);
    if (fault !== undefined) report({ ...fault, path: [...path, index, 'via'] });
    const owner = taken.find(
      (other) => other.to.prefixLength === to.prefixLength && networkOf(other.to) === networkOf(to),
    );
    if (owner !== undefined) {
      const message = `${subnetText(to)} is reached by ${owner.by} already`;
      report({ code: 'route-taken', path: [...path, index], message, hint: 'remove one of them' });
    } else taken.push({ to, by: 'another route' });
    return [{ to, via, index }];
  });
}

/** The way out of the network itself goes before a default route, which then would mean nothing. */
function reportDefaultRoutes(routes: readonly WrittenRoute[], name: string, path: IssuePath, report: Report): void {
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

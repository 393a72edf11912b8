/** What machines of a network are told of IPv6: by router advertisements and by DHCPv6. */
import type { Ipv6GatewayConfig } from '../gateway/gateway.ts';
import type { Dhcp6Boot, Dhcp6Config } from '../service/dhcp6/dhcp6-config.ts';
import type { RaConfig } from '../service/router-advertisements.ts';
import { ROUTER_OPTION_LIFETIME } from '../service/router-advertisements.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6PrefixOf } from '../wire/ipv6-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import { leadsOn } from './check-egress.ts';
import type { CheckedIpv6 } from './check-ipv6.ts';
import type { CheckedNic } from './check-nics.ts';
import { SLAAC_PREFIX_LENGTH } from './derive-ipv6.ts';
import { DEFAULT_LEASE_TIME } from './plan.ts';
import type { BootEntry } from './schema-dhcp.ts';
import type { NetworkEntry } from './schema-network.ts';

/** Seconds: of addresses that machines make themselves, as in QEMU's user network. */
const VALID_LIFETIME = 86_400;
const PREFERRED_LIFETIME = 14_400;
/** Seconds; RFC 4861, 6.2.1: AdvDefaultLifetime. */
export const ROUTER_LIFETIME = 1800;

export interface Ipv6Told {
  readonly own: Ipv6Interface;
  /** Machines may make themselves addresses of the prefix. */
  readonly isAutonomous: boolean;
  readonly isManaged: boolean;
  readonly hasDhcp: boolean;
  /** Seconds; 0 where the gateway leads nowhere. */
  readonly routerLifetime: number;
  readonly routes: readonly Ipv6Prefix[];
  readonly dns: readonly Ipv6[];
  readonly search: readonly string[];
  readonly nat64?: Ipv6Prefix | undefined;
}

export function advertisementOf(told: Ipv6Told): RaConfig {
  const { own, isAutonomous, isManaged, hasDhcp, routerLifetime, routes, dns, search, nat64 } = told;
  const lifetime = ROUTER_OPTION_LIFETIME;
  return {
    isManaged,
    hasOtherConfiguration: hasDhcp,
    routerLifetime,
    preference: 'medium',
    options: [
      {
        kind: 'prefix',
        prefix: ipv6PrefixOf(own),
        isOnLink: true,
        isAutonomous: isAutonomous && own.prefixLength === SLAAC_PREFIX_LENGTH,
        validLifetime: VALID_LIFETIME,
        preferredLifetime: PREFERRED_LIFETIME,
      },
      ...routes.map((prefix) => ({ kind: 'route', prefix, preference: 'medium', lifetime }) as const),
      ...(dns.length === 0 ? [] : [{ kind: 'dns-servers', addresses: dns, lifetime } as const]),
      ...(search.length === 0 ? [] : [{ kind: 'search-domains', names: search, lifetime } as const]),
      ...(nat64 === undefined ? [] : [{ kind: 'nat64-prefix', prefix: nat64, lifetime } as const]),
    ],
  };
}

/** What of the network the gateway tells by IPv6 beside its addresses. */
export interface Ipv6Surroundings {
  readonly network: NetworkEntry;
  readonly nics: readonly CheckedNic[];
  /** Addresses of other stations of vmlan. */
  readonly stations: readonly Ipv6[];
  readonly domain: string | undefined;
  readonly search: readonly string[];
  /** Its name server is the one that machines ask. */
  readonly answersNames: boolean;
}

export function ipv6GatewayPlan(checked: CheckedIpv6, around: Ipv6Surroundings): Ipv6GatewayConfig {
  const { entry, interface: own, nat64 } = checked;
  const { network, domain, search, answersNames } = around;
  const dns = answersNames ? [own.address] : [];
  const names = [...new Set([...(domain === undefined ? [] : [domain]), ...search])];
  const leads = leadsOn(network) && entry.router !== 'off';
  return {
    interface: own,
    advertisement: advertisementOf({
      own,
      isAutonomous: entry.dhcp !== 'stateful',
      isManaged: entry.dhcp === 'stateful' || entry.managed === true,
      hasDhcp: entry.dhcp !== 'off',
      routerLifetime: leads ? (entry.lifetime ?? ROUTER_LIFETIME) : 0,
      routes: (entry.routes ?? []).filter((route) => route !== undefined),
      dns,
      search: names,
      nat64,
    }),
    ...(entry.dhcp !== 'off' && { dhcp: dhcpOf(checked, around, dns, names) }),
    ...(nat64 !== undefined && { nat64 }),
    ...(entry.source !== undefined && { source: entry.source }),
  };
}

function dhcpOf(
  { entry, interface: own, pool }: CheckedIpv6,
  { network, nics, stations, domain }: Ipv6Surroundings,
  dns: readonly Ipv6[],
  search: readonly string[],
): Dhcp6Config {
  const boot = bootOf(network.boot ?? {}, own);
  return {
    prefix: ipv6PrefixOf(own),
    ...(pool !== undefined && { pool }),
    leaseTime: (typeof entry.dhcp === 'object' ? entry.dhcp.lease : undefined) ?? DEFAULT_LEASE_TIME,
    reservations: nics.flatMap(({ mac, ipv6, node }) =>
      ipv6 === undefined ? [] : [{ mac, address: ipv6, hostname: node }],
    ),
    ...(stations.length > 0 && { excluded: stations }),
    hostnames: new Map(nics.map(({ mac, node }) => [mac, node])),
    dns,
    ...(domain !== undefined && { domain }),
    search,
    ...(boot !== undefined && { boot }),
  };
}

/** RFC 5970 wants a URL. One that is on a server with an IPv4 address only is nobody's who boots by IPv6. */
function bootOf(
  { tftp, bootfile, server, 'server-name': serverName }: BootEntry,
  own: Ipv6Interface,
): Dhcp6Boot | undefined {
  if (bootfile === undefined) return undefined;
  if (/^[a-z]+:\/\//i.test(bootfile)) return { url: bootfile };
  if (serverName !== undefined) return { url: bootUrl(serverName, bootfile) };
  return server === undefined && tftp !== undefined
    ? { url: bootUrl(`[${formatIpv6(own.address)}]`, bootfile) }
    : undefined;
}

export function bootUrl(server: string, bootfile: string): string {
  return `tftp://${server}/${bootfile.replace(/^\/+/, '')}`;
}

/** What a running lab tells about itself: its state as the plain data that `status-schemas.ts` describes. */
import type { Millis } from '../base/time.ts';
import type { Ipv6GatewayConfig } from '../gateway/gateway.ts';
import type { LearntAddress } from '../gateway/lab-names.ts';
import type { Jack } from '../link/jack.ts';
import type { Port } from '../link/port.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import type { DnsConfig } from '../service/dns/dns-config.ts';
import { formatIpv4, formatIpv4Interface, networkOf } from '../wire/ipv4-address.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ipv6PrefixOf } from '../wire/ipv6-address.ts';
import { formatIpv6, formatIpv6Interface } from '../wire/ipv6-text.ts';
import type { Mac } from '../wire/mac.ts';
import { formatMac } from '../wire/mac.ts';
import { countFlows } from './flow-status.ts';
import type { RunningRouter } from './lab-routing.ts';
import type { GatewayPlan, NatPlan } from './plan.ts';
import type { RunningNetwork } from './running-network.ts';
import { formatHostAccess } from './setting-text.ts';
import type {
  GatewayStatus,
  Ipv6Status,
  LeaseStatus,
  NatStatus,
  NetworkStatus,
  PortStatus,
  RouterStatus,
  RouteStatus,
  StationStatus,
} from './status-schemas.ts';

export function networkStatus(network: RunningNetwork, now: Millis): NetworkStatus {
  const { plan, gateway, drops } = network;
  const learnt = gateway?.learnt() ?? [];
  const nameOf = new Map<Port, string>([...network.jacks].map((jack) => [jack, jack.name]));
  return {
    name: plan.name,
    kind: plan.kind,
    mtu: plan.mtu,
    ...(plan.gateway?.interface && {
      subnet: `${formatIpv4(networkOf(plan.gateway.interface))}/${plan.gateway.interface.prefixLength}`,
    }),
    ...(plan.gateway &&
      gateway && {
        gateway: {
          ...(plan.gateway.interface && { address: formatIpv4(plan.gateway.interface.address) }),
          ...(plan.gateway.ipv6 && { ipv6: ipv6Status(plan.gateway.ipv6) }),
          mac: formatMac(plan.gateway.mac),
          counters: gateway.counters.toRecord(),
          ...(plan.gateway.nat && { nat: natStatus(plan.gateway.nat) }),
          ...(plan.gateway.dns && { dns: dnsStatus(plan.gateway.dns) }),
          flows: countFlows(gateway.flows),
          ...(plan.gateway.routes && { routes: routesStatus(plan.gateway) }),
        },
      }),
    drops: drops.toRecord(),
    stations: [...network.stations].map(({ mac, vlan, port, heard }) => ({
      mac: formatMac(mac),
      vlan,
      port: nameOf.get(port) ?? '',
      idle: Math.floor((now - heard) / 1000),
      ...addressesOf(mac, learnt),
    })),
  };
}

function addressesOf(mac: Mac, learnt: readonly LearntAddress[]): Pick<StationStatus, 'addresses'> {
  const own = learnt.filter((each) => each.mac === mac).map(({ address }) => formatIpv6(address));
  return own.length === 0 ? {} : { addresses: own };
}

function routesStatus({ routes = [], ipv6Routes = [] }: Pick<GatewayPlan, 'routes' | 'ipv6Routes'>): RouteStatus[] {
  return [
    ...routes.map(({ to, via }) => ({ to: formatIpv4Interface(to), via: formatIpv4(via) })),
    ...ipv6Routes.map(({ to, via }) => ({ to: formatIpv6Interface(to), via: formatIpv6(via) })),
  ];
}

function natStatus({ isRestricted, hostAccess, allowsMetadata, source }: NatPlan): NatStatus {
  return {
    restricted: isRestricted,
    hostAccess: isRestricted ? [] : hostAccess === 'all' ? hostAccess : hostAccess.map(formatHostAccess),
    metadata: allowsMetadata,
    ...(source !== undefined && { source: formatIpv4(source) }),
  };
}

function ipv6Status({ interface: own, advertisement, dhcp, nat64, source }: Ipv6GatewayConfig): Ipv6Status {
  return {
    address: formatIpv6(own.address),
    prefix: formatIpv6Interface(ipv6PrefixOf(own)),
    router: advertisement.routerLifetime > 0,
    ...(dhcp !== undefined && { dhcp: dhcp.pool === undefined ? 'stateless' : 'stateful' }),
    ...(nat64 !== undefined && { nat64: formatIpv6Interface(nat64) }),
    ...(source !== undefined && { source: formatIpv6(source) }),
  };
}

function dnsStatus({ address, ipv6, domain }: DnsConfig): NonNullable<GatewayStatus['dns']> {
  return {
    ...(address !== undefined && { address: formatIpv4(address) }),
    ...(ipv6 !== undefined && { ipv6: formatIpv6(ipv6.address) }),
    ...(domain !== undefined && { domain }),
  };
}

export function routerStatus({ plan }: RunningRouter): RouterStatus {
  return {
    name: plan.name,
    interfaces: plan.interfaces.map(({ name, network, mac, interface: own, ipv6 }) => ({
      port: `${plan.name}:${name}`,
      network,
      ...(own !== undefined && { address: formatIpv4Interface(own) }),
      ...(ipv6 !== undefined && { ipv6: formatIpv6Interface(ipv6) }),
      mac: formatMac(mac),
    })),
    routes: routesStatus(plan),
  };
}

export function portStatus(network: RunningNetwork, jack: Jack, isLinkUp: boolean): PortStatus {
  const peer = network.peerOf(jack);
  const nic = network.nicOf(jack);
  return {
    port: jack.name,
    network: network.plan.name,
    ...(nic && { nic: { node: nic.node, name: nic.name } }),
    ...(jack.mac !== undefined && { mac: formatMac(jack.mac) }),
    connected: jack.isConnected,
    linkUp: isLinkUp,
    ...(peer !== undefined && { peer }),
    fromGuest: { ...jack.fromGuest },
    toGuest: { ...jack.toGuest },
    queued: jack.queued,
    drops: jack.drops.toRecord(),
  };
}

export function leaseStatus(network: string, lease: LeaseEntry | LeaseEntry<Ipv6>): LeaseStatus {
  return {
    network,
    mac: formatMac(lease.mac),
    address: typeof lease.address === 'number' ? formatIpv4(lease.address) : formatIpv6(lease.address),
    ...(lease.hostname !== undefined && { hostname: lease.hostname }),
    state: lease.state,
    expires: lease.expires,
  };
}

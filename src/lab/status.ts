/** What a running lab tells about itself: its state as the plain data that `status-schemas.ts` describes. */
import type { Millis } from '../base/time.ts';
import type { Jack } from '../link/jack.ts';
import type { Port } from '../link/port.ts';
import type { StaticRoute } from '../router/router.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import type { DnsConfig } from '../service/dns/dns-config.ts';
import { formatIpv4, formatIpv4Interface, networkOf } from '../wire/ipv4-address.ts';
import { formatMac } from '../wire/mac.ts';
import { countFlows } from './flow-status.ts';
import type { RunningRouter } from './lab-routing.ts';
import type { NatPlan } from './plan.ts';
import type { RunningNetwork } from './running-network.ts';
import { formatHostAccess } from './setting-text.ts';
import type {
  GatewayStatus,
  LeaseStatus,
  NatStatus,
  NetworkStatus,
  PortStatus,
  RouterStatus,
  RouteStatus,
} from './status-schemas.ts';

export function networkStatus(network: RunningNetwork, now: Millis): NetworkStatus {
  const { plan, gateway, drops } = network;
  const nameOf = new Map<Port, string>([...network.jacks].map((jack) => [jack, jack.name]));
  return {
    name: plan.name,
    kind: plan.kind,
    mtu: plan.mtu,
    ...(plan.gateway && {
      subnet: `${formatIpv4(networkOf(plan.gateway.interface))}/${plan.gateway.interface.prefixLength}`,
    }),
    ...(plan.gateway &&
      gateway && {
        gateway: {
          address: formatIpv4(plan.gateway.interface.address),
          mac: formatMac(plan.gateway.mac),
          counters: gateway.counters.toRecord(),
          ...(plan.gateway.nat && { nat: natStatus(plan.gateway.nat) }),
          ...(plan.gateway.dns && { dns: dnsStatus(plan.gateway.dns) }),
          flows: countFlows(gateway.flows),
          ...(plan.gateway.routes && { routes: plan.gateway.routes.map(routeStatus) }),
        },
      }),
    drops: drops.toRecord(),
    stations: [...network.stations].map(({ mac, vlan, port, heard }) => ({
      mac: formatMac(mac),
      vlan,
      port: nameOf.get(port) ?? '',
      idle: Math.floor((now - heard) / 1000),
    })),
  };
}

function routeStatus({ to, via }: StaticRoute): RouteStatus {
  return { to: formatIpv4Interface(to), via: formatIpv4(via) };
}

function natStatus({ isRestricted, hostAccess, allowsMetadata, source }: NatPlan): NatStatus {
  return {
    restricted: isRestricted,
    hostAccess: isRestricted ? [] : hostAccess === 'all' ? hostAccess : hostAccess.map(formatHostAccess),
    metadata: allowsMetadata,
    ...(source !== undefined && { source: formatIpv4(source) }),
  };
}

function dnsStatus({ address, domain }: DnsConfig): NonNullable<GatewayStatus['dns']> {
  return { address: formatIpv4(address), ...(domain !== undefined && { domain }) };
}

export function routerStatus({ plan }: RunningRouter): RouterStatus {
  return {
    name: plan.name,
    interfaces: plan.interfaces.map(({ name, network, mac, interface: own }) => ({
      port: `${plan.name}:${name}`,
      network,
      address: formatIpv4Interface(own),
      mac: formatMac(mac),
    })),
    routes: plan.routes.map(routeStatus),
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

export function leaseStatus(network: string, lease: LeaseEntry): LeaseStatus {
  return {
    network,
    mac: formatMac(lease.mac),
    address: formatIpv4(lease.address),
    ...(lease.hostname !== undefined && { hostname: lease.hostname }),
    state: lease.state,
    expires: lease.expires,
  };
}

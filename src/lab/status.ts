/** What a running lab tells about itself, as plain data for `--json` and for tables. */
import type { Millis } from '../base/time.ts';
import type { Jack, Traffic } from '../link/jack.ts';
import type { Port } from '../link/port.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import type { DnsConfig } from '../service/dns/dns-config.ts';
import { formatIpv4, networkOf } from '../wire/ipv4-address.ts';
import { formatMac } from '../wire/mac.ts';
import type { FlowCounts } from './flow-status.ts';
import { countFlows } from './flow-status.ts';
import type { ForwardEntry } from './lab-forwards.ts';
import type { CaptureTarget, NatPlan } from './plan.ts';
import type { RunningNetwork } from './running-network.ts';
import { formatHostAccess } from './setting-text.ts';

export interface LabStatus {
  readonly name: string;
  readonly networks: readonly NetworkStatus[];
  readonly ports: readonly PortStatus[];
  readonly captures: readonly CaptureStatus[];
  readonly forwards: readonly ForwardEntry[];
}

export interface NetworkStatus {
  readonly name: string;
  readonly kind: 'hub' | 'switch';
  readonly mtu: number;
  /** `10.0.2.0/24`, where there is a gateway. */
  readonly subnet?: string;
  readonly gateway?: GatewayStatus;
  /** Frames that the LAN itself dropped, by reason, and those of machines on a shared socket that have left. */
  readonly drops: Readonly<Record<string, number>>;
  readonly stations: readonly StationStatus[];
}

export interface GatewayStatus {
  readonly address: string;
  readonly mac: string;
  /** What the gateway refused and noted, by name: stack, DHCP, DNS, NAT. */
  readonly counters: Readonly<Record<string, number>>;
  /** The way out, where there is one. */
  readonly nat?: NatStatus;
  readonly dns?: { readonly address: string; readonly domain?: string };
  readonly flows: FlowCounts;
}

export interface NatStatus {
  /** Nothing leaves the network but what a rule forwards. */
  readonly restricted: boolean;
  /** Ports of the host's loopback that guests reach at the gateway's address: `tcp 8000`, `udp 5000-5010`. */
  readonly hostAccess: 'all' | readonly string[];
  readonly metadata: boolean;
  readonly source?: string;
}

export interface StationStatus {
  readonly mac: string;
  /** 0: untagged. */
  readonly vlan: number;
  readonly port: string;
  /** Seconds since it last sent. */
  readonly idle: number;
}

export interface PortStatus {
  readonly port: string;
  readonly network: string;
  /** The machine and its card, for ports of a lab file. */
  readonly nic?: { readonly node: string; readonly name: string };
  readonly mac?: string;
  readonly connected: boolean;
  /** The other end of its socket. */
  readonly peer?: string;
  readonly fromGuest: Traffic;
  readonly toGuest: Traffic;
  /** Octets that wait for the machine. */
  readonly queued: number;
  readonly drops: Readonly<Record<string, number>>;
}

export interface CaptureStatus {
  readonly capture: string;
  readonly of: CaptureTarget;
  readonly frames: number;
  readonly octets: number;
  /** Frames that the capture could not keep up with. */
  readonly lost: number;
}

export interface LeaseStatus {
  readonly network: string;
  readonly mac: string;
  readonly address: string;
  readonly hostname?: string;
  readonly state: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

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

export function portStatus(network: RunningNetwork, jack: Jack): PortStatus {
  const peer = network.peerOf(jack);
  const nic = network.nicOf(jack);
  return {
    port: jack.name,
    network: network.plan.name,
    ...(nic && { nic: { node: nic.node, name: nic.name } }),
    ...(jack.mac !== undefined && { mac: formatMac(jack.mac) }),
    connected: jack.isConnected,
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

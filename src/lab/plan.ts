/** What a lab is made of, fully decided: every name, address and file. Made from a lab file or by `vmlan serve`; run by `RunningLab`. */
import type { SocketAddress } from '../base/socket-address.ts';
import type { Ipv6GatewayConfig } from '../gateway/gateway.ts';
import type { NamedHost } from '../gateway/lab-names.ts';
import type { DoorMode } from '../link/arrival.ts';
import type { ImpairmentSpec } from '../link/impairment.ts';
import type { GuestForward, HostForward } from '../nat/forward-spec.ts';
import type { EgressSettings } from '../policy/egress.ts';
import type { StaticIpv6Route, StaticRoute } from '../router/router.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { DnsConfig } from '../service/dns/dns-config.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import type { Ipv6Interface } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { MachinePlan } from './machine-plan.ts';
import type { SeedPlan } from './seed-plan.ts';

export interface LabPlan {
  readonly name: string;
  readonly networks: readonly NetworkPlan[];
  /** Stations that join networks; none where undefined. */
  readonly routers?: readonly RouterPlan[];
  readonly nics: readonly NicPlan[];
  /** Those that vmlan starts; the others are their owners' to start. */
  readonly machines?: readonly MachinePlan[];
  /** What cloud-init finds. */
  readonly seeds?: readonly SeedPlan[];
  readonly captures: readonly CapturePlan[];
  /** Links that are not perfect. */
  readonly links?: readonly LinkPlan[];
  /** Of the chance of the links; another at every start where it is undefined. */
  readonly seed?: number;
}

export interface NetworkPlan {
  readonly name: string;
  readonly kind: 'hub' | 'switch';
  /** Octets of an IP packet, 68..65521. */
  readonly mtu: number;
  readonly gateway?: GatewayPlan;
}

/** The station that answers ARP, ping, DHCP, DNS and TFTP on a network, and is its way out. */
export interface GatewayPlan {
  readonly mac: Mac;
  /** Undefined without IPv4. */
  readonly interface?: Ipv4Interface;
  readonly ipv6?: Ipv6GatewayConfig;
  readonly dhcp?: DhcpConfig;
  /** A folder of the host that TFTP offers for reading. */
  readonly tftpFolder?: string;
  /** The way out; without it guests reach the gateway and each other only. */
  readonly nat?: NatPlan;
  readonly dns?: DnsConfig;
  /** An SMB share of a folder of the host, at an address of its own. */
  readonly smb?: { readonly folder: string; readonly address: Ipv4 };
  readonly hostForwards: readonly HostForward[];
  readonly guestForwards: readonly GuestForward[];
  /** Set where the gateway is an interface of the router that joins the lab's networks: what it reaches by routers of its network. */
  readonly routes?: readonly StaticRoute[];
  /** The same by IPv6. */
  readonly ipv6Routes?: readonly StaticIpv6Route[];
  /** Other networks of the lab whose machines its name server knows. */
  readonly knows?: readonly string[];
  /** Routers that are found by name here. */
  readonly hosts?: readonly NamedHost[];
}

export interface RouterPlan {
  readonly name: string;
  readonly interfaces: readonly RouterInterfacePlan[];
  readonly routes: readonly StaticRoute[];
  /** Those by IPv6. */
  readonly ipv6Routes?: readonly StaticIpv6Route[];
}

/** A router's card. Its port is `router:name`. */
export interface RouterInterfacePlan {
  readonly name: string;
  readonly network: string;
  readonly mac: Mac;
  /** Undefined without IPv4. */
  readonly interface?: Ipv4Interface;
  /** Undefined without IPv6. */
  readonly ipv6?: Ipv6Interface;
}

export interface NatPlan extends EgressSettings {
  /** The host's address that conversations leave from; the system's choice where undefined. */
  readonly source?: Ipv4;
}

/** A machine's card. Its port is `node:name`. */
export interface NicPlan {
  readonly node: string;
  readonly name: string;
  readonly network: string;
  readonly mac: Mac;
}

/** What the link of a port does to the frames of each direction. */
export interface LinkPlan {
  readonly port: string;
  readonly fromGuest: ImpairmentSpec;
  readonly toGuest: ImpairmentSpec;
}

/** A socket at which machines arrive. */
export interface DoorPlan {
  readonly mode: DoorMode;
  readonly address: SocketAddress;
  readonly network: string;
  /** The port that a machine takes here; without it each takes a port of its own, `vm1`, `vm2`, … by the lowest free number. */
  readonly port?: string;
}

export type CaptureTarget =
  | { readonly kind: 'lab' }
  | { readonly kind: 'network'; readonly network: string }
  | { readonly kind: 'port'; readonly port: string };

export interface CapturePlan {
  readonly file: string;
  readonly format: 'pcap' | 'pcapng';
  /** The whole lab or one network (each frame once, where it came in), or one port (both directions). */
  readonly of: CaptureTarget;
  /** Octets kept of each frame. */
  readonly snapLength?: number;
}

export function portName(nic: NicPlan): string {
  return `${nic.node}:${nic.name}`;
}

/** The port of a network's gateway. */
export function gatewayPort(network: string): string {
  return `${network}:gateway`;
}

/** Octets of an IP packet: RFC 791's least, and the most that QEMU's framing carries. */
export const MIN_MTU = 68;
export const MAX_MTU = 65_521;
/** Ethernet's. */
export const DEFAULT_MTU = 1500;
/** Seconds: a day, as in QEMU's user network. */
export const DEFAULT_LEASE_TIME = 86_400;

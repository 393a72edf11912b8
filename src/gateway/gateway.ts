/**
 * The station that a network of machines finds at its gateway address: it answers ARP, neighbour solicitations and ping, offers DHCP,
 * DHCPv6, DNS and TFTP, is the way to the world and from the host to its machines, and tells who asks for an IPv6 router what it is.
 *
 * Theory of operation. One stack, on it the services, and NAT for what no service listens to: router advertisements and forwards always,
 * the others as the configuration names them. The stack has more addresses than its own where a name server, a share or a `guestfwd`
 * stands at one. The gateway is a `Port` like any machine's, so a LAN, a capture and a test see nothing special in it. Leases are read
 * before the services start and are written by them.
 */
import type { Random } from '../base/chance.ts';
import { Counters } from '../base/counters.ts';
import type { FileTree, StateFile } from '../base/files.ts';
import type { HostNet } from '../base/host-net.ts';
import type { Log } from '../base/log.ts';
import type { HostResolvers } from '../base/resolvers.ts';
import type { Scheduler, WallClock } from '../base/time.ts';
import type { Port } from '../link/port.ts';
import type { Flow, FlowListener } from '../nat/flow.ts';
import type { GuestForward, HostForward } from '../nat/forward-spec.ts';
import type { HostForwards } from '../nat/host-forwards.ts';
import { Nat } from '../nat/nat.ts';
import type { EgressSettings } from '../policy/egress.ts';
import type { RouterInterface } from '../router/router.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import { DhcpServer } from '../service/dhcp/server.ts';
import type { Dhcp6Config } from '../service/dhcp6/dhcp6-config.ts';
import { Dhcp6Server } from '../service/dhcp6/server.ts';
import type { DnsConfig } from '../service/dns/dns-config.ts';
import { DnsServer } from '../service/dns/server.ts';
import type { RaConfig } from '../service/router-advertisements.ts';
import { RouterAdvertisements } from '../service/router-advertisements.ts';
import type { Service } from '../service/service.ts';
import { TftpServer } from '../service/tftp/server.ts';
import type { Ipv6AddressingConfig } from '../stack/ipv6-addressing.ts';
import { Stack } from '../stack/stack.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6Key, isSameIpv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { LearntAddress, NamedHost } from './lab-names.ts';
import { NetworkNames } from './lab-names.ts';
import { LearntAddresses } from './learnt-addresses.ts';

export interface GatewayConfig {
  readonly mac: Mac;
  /** Octets of an IP packet on the network. */
  readonly mtu: number;
  /** Undefined in a network without IPv4. */
  readonly interface?: Ipv4Interface;
  readonly ipv6?: Ipv6GatewayConfig;
  readonly dhcp?: DhcpConfig;
  readonly dns?: DnsConfig;
  /** What TFTP offers; there is no TFTP without it. */
  readonly tftp?: FileTree;
  /** The way out; guests reach the gateway and each other only where undefined. */
  readonly nat?: EgressSettings & { readonly source?: Ipv4 };
  readonly hostForwards: readonly HostForward[];
  readonly guestForwards: readonly GuestForward[];
  /** Stations that its name server knows beside machines with leases. */
  readonly hosts?: readonly NamedHost[];
}

/** What the gateway is to IPv6. */
export interface Ipv6GatewayConfig {
  /** Its own address, which is the name server's, too, unless that has one of its own. */
  readonly interface: Ipv6Interface;
  /** Where its link-local address does not follow from its MAC. */
  readonly linkLocal?: Ipv6;
  /** An address of the name server beside the gateway's own. */
  readonly dns?: Ipv6;
  readonly advertisement: RaConfig;
  readonly dhcp?: Dhcp6Config;
  /** Behind this prefix (/96) guests reach IPv4, and names lead there (DNS64). */
  readonly nat64?: Ipv6Prefix;
  /** The host's address that conversations leave from; the system's choice where undefined. */
  readonly source?: Ipv6;
}

export interface GatewayOutside {
  readonly scheduler: Scheduler;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  readonly net: HostNet;
  readonly resolvers: HostResolvers;
  /** Where leases survive a restart. */
  readonly leases?: StateFile;
  /** The same of DHCPv6's. */
  readonly leases6?: StateFile;
  readonly onFlow?: FlowListener;
}

export class Gateway {
  /** What the stack dropped and the services refused, by name. */
  readonly counters = new Counters();
  readonly names: NetworkNames;
  /** What the gateway is to a router that joins its network with others. */
  readonly routerInterface: RouterInterface;
  readonly #stack: Stack;
  readonly #nat: Nat;
  readonly #dhcp: DhcpServer | undefined;
  readonly #dhcp6: Dhcp6Server | undefined;
  readonly #advertisements: RouterAdvertisements;
  readonly #learnt: LearntAddresses | undefined;
  readonly #dns: DnsServer | undefined;
  readonly #services: Service[];

  constructor(config: GatewayConfig, outside: GatewayOutside) {
    const { mac, mtu, dhcp, dns, tftp, nat } = config;
    const { counters } = this;
    const { scheduler, random } = outside;
    const takesTransit = nat !== undefined;
    this.#stack = new Stack({ mac, mtu, scheduler, random, takesTransit, drops: counters });
    const extra = extraAddresses(config);
    const { interface: own, ipv6 } = config;
    const ipv6Addresses = addressingOf(config);
    this.#stack.configure({ interface: own, extra, ipv6: ipv6Addresses });
    this.routerInterface = {
      stack: this.#stack,
      ...(own !== undefined && { interface: own, extra }),
      ...(ipv6 !== undefined && { ipv6: { interface: ipv6.interface, extra: ipv6Addresses?.extra ?? [] } }),
    };
    this.#dhcp = dhcp && own && new DhcpServer(dhcp, own, mtu, { ...outside, counters });
    const { hosts } = config;
    const { leases6, ...known } = outside;
    this.#dhcp6 =
      ipv6?.dhcp &&
      new Dhcp6Server(ipv6.dhcp, ipv6.interface.address, mac, mtu, {
        ...known,
        ...(leases6 && { leases: leases6 }),
        counters,
      });
    this.#learnt = ipv6 && new LearntAddresses(ipv6.interface, scheduler);
    if (this.#learnt !== undefined) this.#stack.ndp.onNeighbour((address, at) => this.#learnt?.learn(address, at));
    const addresses = [own, ipv6?.interface].flatMap((at) => at?.address ?? []);
    this.names = new NetworkNames(
      { gateway: addresses, dhcp, dhcp6: ipv6?.dhcp, hosts },
      {
        leases: () => [...(this.#dhcp?.bound() ?? []), ...(this.#dhcp6?.bound() ?? [])],
        learnt: () => this.#learnt?.all() ?? [],
        leadsTo: (address) => this.#stack.isInside(address),
      },
    );
    this.#dns = dns && new DnsServer(dns, own, this.names, { ...outside, counters });
    const files = tftp && new TftpServer(tftp, mtu, { ...outside, counters });
    this.#advertisements = new RouterAdvertisements(ipv6?.advertisement, scheduler, random);
    const services = [this.#advertisements, this.#dhcp, this.#dhcp6, this.#dns, files];
    this.#services = services.filter((service) => service !== undefined);
    const { hostForwards, guestForwards } = config;
    const egress = nat && { ...nat, gateway: own, ipv6Gateway: ipv6?.interface, nat64: ipv6?.nat64 };
    const resolve = (name: string) => {
      const addresses = this.names.addressesHere(name);
      return addresses.find((address) => typeof address === 'number') ?? addresses[0];
    };
    const sources = [
      ...(nat?.source === undefined ? [] : [ipv4Octets(nat.source)]),
      ...(ipv6?.source ? [ipv6.source] : []),
    ];
    this.#nat = new Nat({ egress, sources, hostForwards, guestForwards }, this.#stack, {
      ...outside,
      counters,
      resolve,
    });
  }

  /** Where the gateway plugs into its LAN. */
  get port(): Port {
    return this.#stack;
  }

  /** The rules by which clients of the host reach guests. */
  get forwards(): HostForwards {
    return this.#nat.hostForwards;
  }

  /** Conversations between guests and the host's network. */
  get flows(): Iterable<Flow> {
    return this.#nat.flows;
  }

  /** Leases addresses and answers for names by these from now on; where there is no such service, there will be none. */
  configure({ dhcp, ipv6, dns, hosts }: Pick<GatewayConfig, 'dhcp' | 'ipv6' | 'dns' | 'hosts'>): void {
    this.names.configure({ dhcp, dhcp6: ipv6?.dhcp, hosts });
    if (dhcp !== undefined) this.#dhcp?.configure(dhcp);
    if (ipv6?.dhcp !== undefined) this.#dhcp6?.configure(ipv6.dhcp);
    if (ipv6 !== undefined) this.#advertisements.configure(ipv6.advertisement);
    if (dns !== undefined) this.#dns?.configure(dns);
  }

  /** Resolves when the leases are read, the services answer and the forwards listen; rejects where a forward cannot. */
  async start(): Promise<void> {
    await Promise.all([this.#dhcp?.load(), this.#dhcp6?.load()]);
    for (const service of this.#services) service.start(this.#stack);
    await this.#nat.start();
  }

  /** Offers one thing more from now on, as long as the gateway runs. */
  serve(service: Service): void {
    this.#services.push(service);
    service.start(this.#stack);
  }

  /** Ends every conversation; resolves when the leases are on disk. */
  async stop(): Promise<void> {
    this.#nat.stop();
    for (const service of this.#services) service.stop();
    await Promise.all([this.#dhcp?.settled(), this.#dhcp6?.settled()]);
  }

  /** Who has which address; nobody where there is no DHCP. */
  leases(): readonly (LeaseEntry | LeaseEntry<Ipv6>)[] {
    return [...(this.#dhcp?.leases() ?? []), ...(this.#dhcp6?.leases() ?? [])];
  }

  /** Addresses that machines made themselves. */
  learnt(): readonly LearntAddress[] {
    const leased = new Set([...(this.#dhcp6?.bound() ?? [])].map(({ address }) => ipv6Key(address)));
    return [...(this.#learnt?.all() ?? [])].filter(({ address }) => !leased.has(ipv6Key(address)));
  }
}

/** Undefined without IPv6: then it has its link-local address only. */
function addressingOf({ ipv6, dns, guestForwards }: GatewayConfig): Ipv6AddressingConfig | undefined {
  if (ipv6 === undefined) return undefined;
  const { interface: own, linkLocal } = ipv6;
  const server = dns?.ipv6?.address;
  const forwards = guestForwards.flatMap(({ address }) => (typeof address === 'number' ? [] : [address]));
  const extra = [...(server === undefined ? [] : [server]), ...forwards].filter(
    (address) => !isSameIpv6(address, own.address),
  );
  return { interface: own, extra, ...(linkLocal !== undefined && { linkLocal }) };
}

/** Where services stand beside the gateway's own address. */
function extraAddresses({ interface: own, dns, guestForwards }: GatewayConfig): readonly Ipv4[] {
  const addresses = [
    ...(dns?.address === undefined ? [] : [dns.address]),
    ...guestForwards.flatMap(({ address }) => (typeof address === 'number' ? [address] : [])),
  ];
  return addresses.filter((address) => address !== own?.address);
}

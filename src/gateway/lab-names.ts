/**
 * Who is called what on one network, as its name server tells it: cards that the configuration names, routers, machines that told DHCP
 * a name, and the gateway itself; then whom the networks that it is joined with know.
 *
 * A name of the configuration is its card's for good: what another machine calls itself does not take it, nor `gateway`. Addresses are
 * those that are reserved or leased now.
 */
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import type { LabNames } from '../service/dns/dns-config.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';

/** The gateway's own name. */
const GATEWAY = 'gateway';

/** What is asked of a lease. */
type NamedLease = Pick<LeaseEntry, 'mac' | 'address' | 'state' | 'hostname'>;

/** A station whose address is fixed. Of several names of one address the first is the one that the address is known by. */
export interface NamedHost {
  readonly name: string;
  readonly address: Ipv4;
}

export interface NetworkNamesConfig {
  readonly gateway: Ipv4;
  readonly dhcp?: DhcpConfig | undefined;
  readonly hosts?: readonly NamedHost[] | undefined;
}

export class NetworkNames implements LabNames {
  readonly #gateway: Ipv4;
  #hosts: readonly NamedHost[] = [];
  readonly #leases: () => Iterable<NamedLease>;
  #reservations: ReadonlyMap<Mac, Ipv4> = new Map();
  /** Names of the configuration, by card. */
  #named: ReadonlyMap<Mac, string> = new Map();
  #taken: ReadonlySet<string> = new Set();
  #others: readonly NetworkNames[] = [];

  constructor({ gateway, ...own }: NetworkNamesConfig, leases: () => Iterable<NamedLease>) {
    this.#gateway = gateway;
    this.#leases = leases;
    this.configure(own);
  }

  /** The cards and stations that the configuration names are these from now on. */
  configure({ dhcp, hosts = [] }: Omit<NetworkNamesConfig, 'gateway'>): void {
    this.#hosts = hosts;
    const reservations = dhcp?.reservations ?? [];
    this.#reservations = new Map(reservations.map(({ mac, address }) => [mac, address]));
    this.#named = new Map([
      ...[...(dhcp?.hostnames ?? [])].map(([mac, name]) => [mac, name.toLowerCase()] as const),
      ...reservations.flatMap(({ mac, hostname }) => (hostname ? [[mac, hostname.toLowerCase()] as const] : [])),
    ]);
    this.#taken = new Set([GATEWAY, 'localhost', ...hosts.map(({ name }) => name), ...this.#named.values()]);
  }

  /** Names that are nobody's on this network, and addresses of other networks, are looked for here. */
  alsoKnow(others: readonly NetworkNames[]): void {
    this.#others = others;
  }

  addressesOf(host: string): readonly Ipv4[] {
    const wanted = host.toLowerCase();
    if (wanted === GATEWAY) return [this.#gateway];
    const here = this.addressesHere(wanted);
    if (here.length > 0) return here;
    return [...new Set(this.#others.flatMap((other) => other.addressesHere(wanted)))];
  }

  nameOf(address: Ipv4): string | undefined {
    if (address === this.#gateway) return GATEWAY;
    for (const names of [this, ...this.#others]) {
      const name = names.#ownNameOf(address);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  /** Those that are known on this network, but the gateway's. */
  addressesHere(host: string): readonly Ipv4[] {
    const wanted = host.toLowerCase();
    const addresses = new Set<Ipv4>();
    for (const { name, address } of this.#owners()) if (name === wanted) addresses.add(address);
    return [...addresses];
  }

  #ownNameOf(address: Ipv4): string | undefined {
    for (const owner of this.#owners()) if (owner.address === address) return owner.name;
    return undefined;
  }

  /** Every name with an address, the gateway's first. */
  *all(): Iterable<NamedHost> {
    yield { name: GATEWAY, address: this.#gateway };
    yield* this.#owners();
  }

  *#owners(): Iterable<NamedHost> {
    yield* this.#hosts;
    for (const [mac, address] of this.#reservations) {
      const name = this.#named.get(mac);
      if (name !== undefined) yield { name, address };
    }
    for (const { mac, address, state, hostname } of this.#leases()) {
      if (state !== 'bound') continue;
      const own = this.#named.get(mac) ?? this.#toldName(hostname);
      if (own !== undefined) yield { name: own, address };
    }
  }

  /** What a machine calls itself, its first label, unless that is no host name or another's. */
  #toldName(hostname: string | undefined): string | undefined {
    const label = hostname?.toLowerCase().split('.')[0];
    return label === undefined || !HOST_LABEL.test(label) || this.#taken.has(label) ? undefined : label;
  }
}

/** RFC 1123, 2.1: letters, digits and inner hyphens, up to 63 of them. */
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

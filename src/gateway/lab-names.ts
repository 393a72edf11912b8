/**
 * Who is called what on one network, as its name server tells it: cards that the configuration names, routers, machines that told DHCP
 * a name, and the gateway itself; then whom the networks that it is joined with know.
 *
 * A name of the configuration is its card's for good: what another machine calls itself does not take it, nor `gateway`. Addresses are
 * those that are reserved or leased now, and those of IPv6 that machines made themselves, as far as they were heard of lately.
 */
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import type { Dhcp6Config } from '../service/dhcp6/dhcp6-config.ts';
import type { LabNames } from '../service/dns/dns-config.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { isSameIpv6 } from '../wire/ipv6-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import type { Mac } from '../wire/mac.ts';

/** The gateway's own name. */
const GATEWAY = 'gateway';

/** What is asked of a lease of either family. */
interface NamedLease {
  readonly mac: Mac;
  readonly address: Ipv4 | Ipv6;
  readonly state: LeaseEntry['state'];
  readonly hostname?: string;
}

/** Whose an address is that no lease is about. */
export interface LearntAddress {
  readonly mac: Mac;
  readonly address: Ipv6;
}

/** A station whose address is fixed. Of several names of one address the first is the one that the address is known by. */
export interface NamedHost {
  readonly name: string;
  readonly address: Ipv4 | Ipv6;
}

export interface NetworkNamesConfig {
  /** Its own addresses. */
  readonly gateway: readonly (Ipv4 | Ipv6)[];
  readonly dhcp?: DhcpConfig | undefined;
  readonly dhcp6?: Dhcp6Config | undefined;
  readonly hosts?: readonly NamedHost[] | undefined;
}

/** What is known now. */
export interface KnownStations {
  leases(): Iterable<NamedLease>;
  learnt(): Iterable<LearntAddress>;
  /** A way leads from this network to the address of another. */
  leadsTo(address: Ipv6): boolean;
}

export class NetworkNames implements LabNames {
  readonly #gateway: readonly (Ipv4 | Ipv6)[];
  #hosts: readonly NamedHost[] = [];
  readonly #known: KnownStations;
  #reservations: readonly { readonly mac: Mac; readonly address: Ipv4 | Ipv6 }[] = [];
  /** Names of the configuration, by card. */
  #named: ReadonlyMap<Mac, string> = new Map();
  #taken: ReadonlySet<string> = new Set();
  #others: readonly NetworkNames[] = [];

  constructor({ gateway, ...own }: NetworkNamesConfig, known: KnownStations) {
    this.#gateway = gateway;
    this.#known = known;
    this.configure(own);
  }

  /** The cards and stations that the configuration names are these from now on. */
  configure({ dhcp, dhcp6, hosts = [] }: Omit<NetworkNamesConfig, 'gateway'>): void {
    this.#hosts = hosts;
    const reservations = [...(dhcp?.reservations ?? []), ...(dhcp6?.reservations ?? [])];
    this.#reservations = reservations;
    this.#named = new Map([
      ...[...(dhcp?.hostnames ?? []), ...(dhcp6?.hostnames ?? [])].map(
        ([mac, name]) => [mac, name.toLowerCase()] as const,
      ),
      ...reservations.flatMap(({ mac, hostname }) => (hostname ? [[mac, hostname.toLowerCase()] as const] : [])),
    ]);
    this.#taken = new Set([GATEWAY, 'localhost', ...hosts.map(({ name }) => name), ...this.#named.values()]);
  }

  /** Names that are nobody's on this network, and addresses of other networks, are looked for here. */
  alsoKnow(others: readonly NetworkNames[]): void {
    this.#others = others;
  }

  addressesOf(host: string): readonly (Ipv4 | Ipv6)[] {
    const wanted = host.toLowerCase();
    if (wanted === GATEWAY) return this.#gateway;
    const here = this.addressesHere(wanted);
    if (here.length > 0) return here;
    const elsewhere = this.#others.flatMap((other) => other.addressesHere(wanted));
    // IPv6 that leads nowhere would be taken before IPv4 that does.
    return distinct(elsewhere.filter((address) => typeof address === 'number' || this.#known.leadsTo(address)));
  }

  nameOf(address: Ipv4 | Ipv6): string | undefined {
    if (this.#gateway.some((own) => isSame(own, address))) return GATEWAY;
    for (const names of [this, ...this.#others]) {
      const name = names.#ownNameOf(address);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  /** Those that are known on this network, but the gateway's. */
  addressesHere(host: string): readonly (Ipv4 | Ipv6)[] {
    const wanted = host.toLowerCase();
    return distinct([...this.#owners()].filter(({ name }) => name === wanted).map(({ address }) => address));
  }

  #ownNameOf(address: Ipv4 | Ipv6): string | undefined {
    for (const owner of this.#owners()) if (isSame(owner.address, address)) return owner.name;
    return undefined;
  }

  /** Every name with an address, the gateway's first. */
  *all(): Iterable<NamedHost> {
    for (const address of this.#gateway) yield { name: GATEWAY, address };
    yield* this.#owners();
  }

  *#owners(): Iterable<NamedHost> {
    yield* this.#hosts;
    for (const { mac, address } of this.#reservations) {
      const name = this.#named.get(mac);
      if (name !== undefined) yield { name, address };
    }
    /** Names that machines told with a lease, for their other addresses. */
    const told = new Map<Mac, string>();
    for (const { mac, address, state, hostname } of this.#known.leases()) {
      if (state !== 'bound') continue;
      const own = this.#named.get(mac) ?? this.#toldName(hostname);
      if (own === undefined) continue;
      told.set(mac, own);
      yield { name: own, address };
    }
    for (const { mac, address } of this.#known.learnt()) {
      const name = this.#named.get(mac) ?? told.get(mac);
      if (name !== undefined) yield { name, address };
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

function isSame(a: Ipv4 | Ipv6, b: Ipv4 | Ipv6): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : isSameIpv6(a, b);
}

function distinct(addresses: readonly (Ipv4 | Ipv6)[]): readonly (Ipv4 | Ipv6)[] {
  const keyOf = (address: Ipv4 | Ipv6) => (typeof address === 'number' ? address : formatIpv6(address));
  return [...new Map(addresses.map((address) => [keyOf(address), address])).values()];
}

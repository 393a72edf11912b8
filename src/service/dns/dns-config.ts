/** What a name server of a network is told. */
import type { Endpoint } from '../../base/endpoint.ts';
import type { RecordData } from '../../wire/dns.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from '../../wire/ipv6-address.ts';

export interface DnsConfig {
  /** Where it answers: an address of the gateway's stack; undefined in a network without IPv4. */
  readonly address?: Ipv4;
  /** The same by IPv6; undefined in a network without it. */
  readonly ipv6?: Ipv6DnsConfig;
  /** The network's own domain, `lab.internal`: machines are found in it and by their bare names; it never leaves the lab. */
  readonly domain?: string;
  /** Records of the lab file. A name that begins with `*.` stands for all names below that have no records of their own. */
  readonly records: readonly DnsRecord[];
  /** Who is asked about a domain and what is below it, in place of the host's resolvers (split DNS). */
  readonly routes: readonly { readonly domain: string; readonly servers: readonly Endpoint[] }[];
  /** Who is asked about everything else; the host's resolvers where undefined, nobody where it is empty. */
  readonly upstream?: readonly Endpoint[];
}

export interface Ipv6DnsConfig {
  readonly address: Ipv6;
  /** The gateway's own address and the network: names of the addresses there are the lab's. */
  readonly interface: Ipv6Interface;
  /** Where IPv4 addresses lie behind this prefix (/96), names that have no others lead there (DNS64, RFC 6147). */
  readonly nat64?: Ipv6Prefix;
}

/** Seconds to live; 60 where undefined. */
interface Lived {
  readonly name: string;
  readonly ttl?: number;
}

export type DnsRecord = Lived & Exclude<RecordData, { readonly type: 'SOA' }>;

/** Who has which address on the network: leases, reservations and the gateway itself. Asked at each query. */
export interface LabNames {
  addressesOf(host: string): readonly (Ipv4 | Ipv6)[];
  nameOf(address: Ipv4 | Ipv6): string | undefined;
}

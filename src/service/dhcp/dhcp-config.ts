import type { DhcpRoute } from '../../wire/dhcp-options.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import type { Mac } from '../../wire/mac.ts';

/** What a DHCP server hands out on one network. Option numbers are those of RFC 2132. */
export interface DhcpConfig {
  /** The pool: first and last address, both on the server's network. */
  readonly first: Ipv4;
  readonly last: Ipv4;
  /** Seconds (51). */
  readonly leaseTime: number;
  /** Addresses that belong to one card each; they may lie outside the pool. */
  readonly reservations: readonly DhcpReservation[];
  /** Addresses of the pool where others answer; the server's own, its routers and name servers are never given anyway. */
  readonly excluded?: readonly Ipv4[];
  /** Host names (12) by card, for leases from the pool as for reservations. */
  readonly hostnames?: ReadonlyMap<Mac, string>;
  /** The host name of every card that has none of its own. */
  readonly hostname?: string;
  /** Routers (3); the default route also leads RFC 3442's list when `routes` are given. */
  readonly routers: readonly Ipv4[];
  /** Name servers (6). */
  readonly dns: readonly Ipv4[];
  /** Domain name (15). */
  readonly domain?: string;
  /** Search list (119, RFC 3397). */
  readonly search: readonly string[];
  /** Time servers (42). */
  readonly ntp: readonly Ipv4[];
  /** Interface MTU (26); left out of replies where undefined. */
  readonly mtu?: number;
  /** Classless static routes (121, RFC 3442), without the default route. */
  readonly routes: readonly DhcpRoute[];
  readonly boot?: DhcpBoot;
}

export interface DhcpReservation {
  readonly mac: Mac;
  readonly address: Ipv4;
  /** Host name (12). */
  readonly hostname?: string;
}

/** What a diskless machine is told: `siaddr`, `file` and options 66, 67. */
export interface DhcpBoot {
  readonly bootfile: string;
  /** Where the file is, as an address (`siaddr`); the server itself where undefined. */
  readonly server?: Ipv4;
  /** TFTP server name (66); the server's address as text where undefined. */
  readonly serverName?: string;
}

import type { Ipv6, Ipv6Prefix } from '../../wire/ipv6-address.ts';
import type { Mac } from '../../wire/mac.ts';

/** What a DHCPv6 server hands out on one network. Option numbers are those of the registry of RFC 8415, 24. */
export interface Dhcp6Config {
  /** The network's prefix: other addresses are told to be off the link. */
  readonly prefix: Ipv6Prefix;
  /** Addresses for who asks for one, both of the prefix; without a pool there are those of reservations only. */
  readonly pool?: { readonly first: Ipv6; readonly last: Ipv6 } | undefined;
  /** Seconds: the valid and the preferred lifetime of an address. */
  readonly leaseTime: number;
  /** Addresses that belong to one card each; they may lie outside the pool. */
  readonly reservations: readonly Dhcp6Reservation[];
  /** Addresses of the pool where others answer; the server's own and its name servers are never given anyway. */
  readonly excluded?: readonly Ipv6[];
  /** Host names by card, for leases from the pool as for reservations. */
  readonly hostnames?: ReadonlyMap<Mac, string>;
  /** The host name of every card that has none of its own. */
  readonly hostname?: string;
  /** Name servers (23). */
  readonly dns: readonly Ipv6[];
  /** Domain of the names in option 39. */
  readonly domain?: string;
  /** Search list (24). */
  readonly search: readonly string[];
  readonly boot?: Dhcp6Boot;
}

export interface Dhcp6Reservation {
  readonly mac: Mac;
  readonly address: Ipv6;
  readonly hostname?: string;
}

/** What a diskless machine is told, RFC 5970. */
export interface Dhcp6Boot {
  /** Boot file URL (59), as in `tftp://[fd00::1]/grubx64.efi`. */
  readonly url: string;
  /** Boot file parameters (60). */
  readonly parameters?: readonly string[];
}

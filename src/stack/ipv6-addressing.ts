/**
 * Which IPv6 addresses are the station's own, which groups it is in, what is on its link, and through whom it reaches the rest.
 *
 * Addresses are used as soon as they are configured, without duplicate detection (RFC 4862, 5.1: DupAddrDetectTransmits 0): who
 * configures a stack says that the address is its own, and it is defended.
 */
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import {
  ALL_NODES,
  groupMacOf,
  isInIpv6Prefix,
  isIpv6At,
  isLinkLocalIpv6,
  isMulticastIpv6,
  isSameIpv6,
  isSolicitedNodeGroup,
  linkLocalOf,
  solicitedNodeGroup,
} from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import { readUint16 } from '../wire/octets.ts';
import type { Ipv6Forwarder } from './forwarder.ts';
import { chooseSource } from './source-choice.ts';

export interface Ipv6AddressingConfig {
  /** The first address and the prefix that is on the link (length 128: none is); undefined while there is none but the link-local one. */
  readonly interface?: Ipv6Interface | undefined;
  /** Further addresses of the station, of any prefix. */
  readonly extra?: readonly Ipv6[] | undefined;
  /** In place of the one that the MAC makes. */
  readonly linkLocal?: Ipv6 | undefined;
  /** Who takes packets for other networks: an address of the link. */
  readonly defaultRoute?: Ipv6 | undefined;
}

/** 33:33:ff, where solicitations for addresses go. */
const SOLICITATION_MACS = 0x3333_ff;
const LOW_24_BITS = 0x100_0000;

export class Ipv6Addressing {
  readonly #mac: Mac;
  #interface: Ipv6Interface | undefined;
  #linkLocal: Ipv6;
  #own: readonly Ipv6[] = [];
  #defaultRoute: Ipv6 | undefined;
  /** RFC 4291, 2.8: every node is in all-nodes and in the solicited-node group of each of its addresses. */
  #groups: readonly { readonly group: Ipv6; readonly mac: Mac }[] = [];
  /** Those of others than the station's addresses. */
  readonly #joined: Ipv6[] = [ALL_NODES];
  #forwarder: Ipv6Forwarder | undefined;
  /** Grows with each change of what is known here: who remembers a next hop asks again. */
  version = 0;
  /** Hears that the groups may have changed. */
  onGroups: () => void = () => undefined;
  /** Solicitations for any address are heard: they tell who is on the link. */
  hearsAllSolicitations = false;

  constructor(mac: Mac) {
    this.#mac = mac;
    this.#linkLocal = linkLocalOf(mac);
    this.configure({});
  }

  /** Takes these addresses and gives up all others. */
  configure({ interface: first, extra = [], linkLocal, defaultRoute }: Ipv6AddressingConfig): void {
    this.version++;
    this.#interface = first;
    this.#linkLocal = linkLocal ?? linkLocalOf(this.#mac);
    this.#defaultRoute = defaultRoute;
    this.#own = [...(first === undefined ? [] : [first.address]), ...extra, this.#linkLocal];
    this.#regroup();
  }

  /** Set where the station is an interface of a router. */
  get forwarder(): Ipv6Forwarder | undefined {
    return this.#forwarder;
  }

  forwardBy(forwarder: Ipv6Forwarder | undefined): void {
    this.version++;
    this.#forwarder = forwarder;
  }

  join(group: Ipv6): void {
    this.#joined.push(group);
    this.#regroup();
  }

  leave(group: Ipv6): void {
    const at = this.#joined.findIndex((joined) => isSameIpv6(joined, group));
    if (at >= 0) this.#joined.splice(at, 1);
    this.#regroup();
  }

  #regroup(): void {
    const groups: { readonly group: Ipv6; readonly mac: Mac }[] = [];
    for (const group of [...this.#joined, ...this.#own.map(solicitedNodeGroup)])
      if (!groups.some((known) => isSameIpv6(known.group, group))) groups.push({ group, mac: groupMacOf(group) });
    this.#groups = groups;
    this.onGroups();
  }

  get interface(): Ipv6Interface | undefined {
    return this.#interface;
  }

  get linkLocal(): Ipv6 {
    return this.#linkLocal;
  }

  get defaultRoute(): Ipv6 | undefined {
    return this.#defaultRoute;
  }

  /** The station's addresses, the configured first, the link-local one last. */
  get own(): readonly Ipv6[] {
    return this.#own;
  }

  /** The groups that the station is in, all nodes first. */
  get groups(): readonly Ipv6[] {
    return this.#groups.map(({ group }) => group);
  }

  /** The octets at `at` are an address of the station's own. */
  isOwn(bytes: Uint8Array, at = 0): boolean {
    for (let i = 0; i < this.#own.length; i++) if (isIpv6At(bytes, at, this.#own[i]!)) return true;
    return false;
  }

  /** The octets at `at` are an address of the station, on this link or, as a router, on another. */
  isOurs(bytes: Uint8Array, at = 0): boolean {
    return this.isOwn(bytes, at) || this.#forwarder?.isOwn(bytes, at) === true;
  }

  /** The octets at `at` are a group that the station is in. */
  isJoined(bytes: Uint8Array, at = 0): boolean {
    for (let i = 0; i < this.#groups.length; i++) if (isIpv6At(bytes, at, this.#groups[i]!.group)) return true;
    return this.hearsAllSolicitations && isSolicitedNodeGroup(bytes.subarray(at));
  }

  /** Whether frames for this MAC may be for a group that the station is in. */
  hears(mac: Mac): boolean {
    for (let i = 0; i < this.#groups.length; i++) if (this.#groups[i]!.mac === mac) return true;
    return this.hearsAllSolicitations && Math.floor(mac / LOW_24_BITS) === SOLICITATION_MACS;
  }

  /** The address at `at` is on the link: link-local, or of the interface's prefix. */
  isOnLink(bytes: Uint8Array, at = 0): boolean {
    if (isLinkLocalIpv6(bytes, at)) return true;
    return this.#interface !== undefined && isInIpv6Prefix(this.#interface, bytes, at);
  }

  /** A station of this link may have the address: it is unicast, on the link, and not ours. */
  isNeighbour(address: Ipv6): boolean {
    return this.isOnLink(address) && isUnicastIpv6(address) && !this.isOwn(address);
  }

  /** The address is on the link, or in a network to which a router of the link leads. */
  leadsTo(address: Ipv6): boolean {
    return this.isOnLink(address) || this.#forwarder?.isBehind(address) === true;
  }

  /** Whose MAC takes packets for a unicast address; undefined where no way is known. */
  nextHop(destination: Ipv6): Ipv6 | undefined {
    if (this.isOnLink(destination)) return destination;
    return this.#forwarder?.nextHop(destination) ?? this.#defaultRoute;
  }

  /** The source for a packet to `destination`: `wanted` where it is ours, else what RFC 6724 chooses. */
  sourceFor(destination: Ipv6, wanted?: Ipv6): Ipv6 {
    return wanted !== undefined && this.isOurs(wanted) ? wanted : chooseSource(this.#own, destination);
  }
}

/** The address at `at` is one that one host can have: not the unspecified one, the loopback (RFC 4291, 2.5.3), a group, nor IPv4's (2.5.5). */
export function isUnicastIpv6(bytes: Uint8Array, at = 0): boolean {
  if (isMulticastIpv6(bytes, at)) return false;
  for (let i = at; i < at + 10; i++) if (bytes[i] !== 0) return true;
  // The first ten octets are zero: `::`, `::1`, `::10.0.0.1`, `::ffff:10.0.0.1`.
  const next = readUint16(bytes, at + 10);
  return next !== 0 && next !== 0xffff;
}

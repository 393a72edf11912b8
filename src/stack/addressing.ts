/** Which IPv4 addresses are the station's own, what is on its link, and through whom it reaches the rest. */
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { broadcastOf, isMulticastIpv4, isOnLink, LIMITED_BROADCAST } from '../wire/ipv4-address.ts';
import type { Ipv4Forwarder } from './forwarder.ts';

export interface AddressingConfig {
  /** The first address and its network; undefined while there is none (a DHCP client before its lease). */
  readonly interface?: Ipv4Interface | undefined;
  /** Further addresses of the station. */
  readonly extra?: readonly Ipv4[] | undefined;
  /** Who takes packets for other networks. */
  readonly defaultRoute?: Ipv4 | undefined;
}

/** RFC 3021: a network of two addresses has no broadcast address, nor has one of a single address. */
const LONGEST_PREFIX_WITH_BROADCAST = 30;

export class Addressing {
  #interface: Ipv4Interface | undefined;
  #own: ReadonlySet<Ipv4> = new Set();
  #defaultRoute: Ipv4 | undefined;
  #directedBroadcast: Ipv4 = LIMITED_BROADCAST;
  /** Set where the station is an interface of a router. */
  forwarder: Ipv4Forwarder | undefined;

  configure(config: AddressingConfig): void {
    const { interface: first } = config;
    this.#interface = first;
    this.#own = new Set([...(first === undefined ? [] : [first.address]), ...(config.extra ?? [])]);
    this.#defaultRoute = config.defaultRoute;
    const hasBroadcast = first !== undefined && first.prefixLength <= LONGEST_PREFIX_WITH_BROADCAST;
    this.#directedBroadcast = hasBroadcast ? broadcastOf(first) : LIMITED_BROADCAST;
  }

  get interface(): Ipv4Interface | undefined {
    return this.#interface;
  }

  /** The station's addresses, the first one first. */
  get own(): Iterable<Ipv4> {
    return this.#own;
  }

  /** The source of what is sent without another choice; 0.0.0.0 while the station has no address (RFC 1122, 3.2.1.3). */
  get first(): Ipv4 {
    return this.#interface?.address ?? 0;
  }

  /** The station has the address on this link. */
  isOwn(address: Ipv4): boolean {
    return this.#own.has(address);
  }

  /** The station has the address, on this link or, as a router, on another (RFC 1122, 3.3.4.2: the weak model). */
  isOurs(address: Ipv4): boolean {
    return this.#own.has(address) || this.forwarder?.isOwn(address) === true;
  }

  /** Limited, or directed to the network of the interface. */
  isBroadcast(address: Ipv4): boolean {
    return address === LIMITED_BROADCAST || address === this.#directedBroadcast;
  }

  /** A station of this network may have the address: it is unicast and inside the prefix. */
  isNeighbour(address: Ipv4): boolean {
    return (
      this.#interface !== undefined &&
      isOnLink(this.#interface, address) &&
      isUnicastIpv4(address) &&
      !this.isBroadcast(address)
    );
  }

  /** The address is on the link, or in a network to which a router of the link leads. */
  leadsTo(address: Ipv4): boolean {
    if (this.#interface === undefined) return false;
    return isOnLink(this.#interface, address) || this.forwarder?.isBehind(address) === true;
  }

  /** Whose MAC takes packets for a unicast address; undefined where no way is known. */
  nextHop(destination: Ipv4): Ipv4 | undefined {
    if (this.#interface !== undefined && isOnLink(this.#interface, destination)) return destination;
    return this.forwarder?.nextHop(destination) ?? this.#defaultRoute;
  }
}

/** An address that one host can have: not 0/8 (RFC 1122, 3.2.1.3), loopback, multicast, reserved or the limited broadcast. */
export function isUnicastIpv4(address: Ipv4): boolean {
  const network = address >>> 24;
  return network !== 0 && network !== 127 && network < 240 && !isMulticastIpv4(address);
}

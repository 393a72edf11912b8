/**
 * An IPv6 address without anybody giving it, RFC 4862: what a router says of its link, and the machine's own MAC, make it.
 *
 * The first prefix for autonomous addresses is taken, and with it the router that named it and the name servers that it names (RFC 8106).
 * All of them end with their lifetimes unless they are said again. What is left out: further prefixes and routers, temporary addresses,
 * duplicate detection (the MAC is the only one of its kind on a LAN), DHCPv6.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { NdpPeer } from '../stack/ndp.ts';
import type { Stack } from '../stack/stack.ts';
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import { isLinkLocalIpv6, isSameIpv6, linkLocalOf, UNSPECIFIED_IPV6 } from '../wire/ipv6-address.ts';
import type { RouterAdvertisement } from '../wire/ndp.ts';
import { INFINITE_LIFETIME } from '../wire/ndp-router-options.ts';

/** What a machine knows of its place on an IPv6 link. */
export interface Ipv6Place {
  readonly interface: Ipv6Interface;
  /** Who takes packets for other networks; undefined where nobody offers to. */
  readonly router: Ipv6 | undefined;
  readonly dns: readonly Ipv6[];
}

/** RFC 4861, 10: MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL. */
const MAX_SOLICITATIONS = 3;
const SOLICITATION_INTERVAL: Millis = 4000;
/** RFC 4862, 5.5.3: the prefix of an Ethernet interface's addresses is 128 less the 64 bits of its identifier. */
const PREFIX_LENGTH = 64;
/** Nobody else is on the link. */
const ALL_BITS = 128;
/** RFC 4862, 5.5.3 (e): nobody takes more than all but this of an address's life away. */
const TWO_HOURS: Millis = 7_200_000;
const FOREVER = Number.POSITIVE_INFINITY;

/** Something that was said with a lifetime. */
interface Lasting<T> {
  readonly value: T;
  readonly until: Millis;
}

export class Autoconfiguration {
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #onChange: (place: Ipv6Place | undefined) => void;
  readonly #solicitation: Timer;
  readonly #expiry: Timer;
  #solicitationsLeft = 0;
  #address: Lasting<Ipv6Interface> | undefined;
  #router: Lasting<Ipv6> | undefined;
  #dns: Lasting<readonly Ipv6[]> | undefined;
  #told: Ipv6Place | undefined;

  /** `onChange` hears where the machine is when that is news, and undefined when its address has ended. */
  constructor(stack: Stack, scheduler: Scheduler, onChange: (place: Ipv6Place | undefined) => void) {
    this.#stack = stack;
    this.#scheduler = scheduler;
    this.#onChange = onChange;
    this.#solicitation = scheduler.timer(() => this.#solicit());
    this.#expiry = scheduler.timer(() => this.#tell());
  }

  /** Asks the routers of the link, and heeds them from then on. */
  start(): void {
    this.#stack.ndp.onAdvertisement((advertisement, from) => this.#hear(advertisement, from));
    this.#solicitationsLeft = MAX_SOLICITATIONS;
    this.#solicit();
  }

  stop(): void {
    this.#stack.ndp.onAdvertisement(undefined);
    this.#solicitation.cancel();
    this.#expiry.cancel();
    this.#address = this.#router = this.#dns = this.#told = undefined;
  }

  #solicit(): void {
    if (this.#solicitationsLeft-- <= 0) return;
    this.#solicitation.arm(this.#scheduler.now() + SOLICITATION_INTERVAL);
    this.#stack.ndp.solicitRouters();
  }

  #hear({ routerLifetime, options }: RouterAdvertisement, from: NdpPeer): void {
    this.#solicitation.cancel();
    this.#solicitationsLeft = 0;
    this.#hearRouter(from.address, routerLifetime);
    for (const option of options) {
      if (option.kind === 'dns-servers') this.#dns = this.#lasting(option.addresses.map(copyOf), option.lifetime);
      if (option.kind !== 'prefix' || !option.isAutonomous) continue;
      const { prefix, isOnLink, validLifetime, preferredLifetime } = option;
      const isUsable = prefix.prefixLength === PREFIX_LENGTH && !isLinkLocalIpv6(prefix.address);
      if (isUsable && preferredLifetime <= validLifetime) this.#hearPrefix(prefix.address, isOnLink, validLifetime);
    }
    this.#tell();
  }

  #hearRouter(address: Ipv6, lifetime: number): void {
    const isKnown = this.#router !== undefined && isSameIpv6(this.#router.value, address);
    if (lifetime > 0 && (isKnown || this.#router === undefined))
      this.#router = this.#lasting(address.slice(), lifetime);
    else if (isKnown) this.#router = undefined;
  }

  /** RFC 4862, 5.5.3. */
  #hearPrefix(prefix: Ipv6, isOnLink: boolean, lifetime: number): void {
    const address = linkLocalOf(this.#stack.mac);
    address.set(prefix.subarray(0, PREFIX_LENGTH / 8));
    const said = this.#lasting({ address, prefixLength: isOnLink ? PREFIX_LENGTH : ALL_BITS }, lifetime);
    if (this.#address === undefined) {
      if (lifetime > 0) this.#address = said;
    } else if (isSameIpv6(this.#address.value.address, address)) {
      const least = Math.min(this.#address.until, this.#scheduler.now() + TWO_HOURS);
      this.#address = { value: said.value, until: Math.max(said.until, least) };
    }
  }

  #lasting<T>(value: T, seconds: number): Lasting<T> {
    return { value, until: seconds === INFINITE_LIFETIME ? FOREVER : this.#scheduler.now() + seconds * 1000 };
  }

  /** What has ended is forgotten; what is left is told. */
  #tell(): void {
    const now = this.#scheduler.now();
    if (this.#address !== undefined && this.#address.until <= now) this.#address = undefined;
    if (this.#router !== undefined && this.#router.until <= now) this.#router = undefined;
    if (this.#dns !== undefined && this.#dns.until <= now) this.#dns = undefined;
    const next = Math.min(...[this.#address, this.#router, this.#dns].map((lasting) => lasting?.until ?? FOREVER));
    if (next < FOREVER) this.#expiry.arm(next);
    const place = this.#address && {
      interface: this.#address.value,
      router: this.#router?.value,
      dns: this.#dns?.value ?? [],
    };
    if (isSamePlace(place, this.#told)) return;
    this.#told = place;
    this.#onChange(place);
  }
}

function isSamePlace(a: Ipv6Place | undefined, b: Ipv6Place | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const addresses = [a, b].map(({ interface: own, router, dns }) => [own.address, router ?? UNSPECIFIED_IPV6, ...dns]);
  const [of = [], other = []] = addresses;
  const isSame = of.length === other.length && of.every((address, i) => isSameIpv6(address, other[i]!));
  return isSame && a.interface.prefixLength === b.interface.prefixLength;
}

function copyOf(address: Ipv6): Ipv6 {
  return address.slice();
}

/**
 * Who has which address, keyed by MAC alone: cloned machines share client identifiers, but a card's address is its own.
 * Of either family: an address is its number, an IPv4 one as always, an IPv6 one as a bigint.
 *
 * A lease that ended stays as a memory, so a machine that comes back finds its address, until the pool has no other left. Addresses
 * that a client declined, or that answered a probe, are in quarantine. Time is in seconds since 1970 and comes with each call.
 *
 * The number of records is limited by the pool and by `RECORD_LIMIT`, whatever clients do.
 */
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import type { Mac } from '../../wire/mac.ts';

/**
 * - `offered`: held until the client decides; ends in `bound`, or is forgotten.
 * - `bound`: the client's, until `expires` or until it is released.
 * - `released`: free, and remembered for this client.
 */
export type LeaseState = 'offered' | 'bound' | 'released';

export interface Lease<Address = Ipv4> {
  readonly mac: Mac;
  readonly address: Address;
  readonly state: LeaseState;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly hostname?: string;
  /** Option 61, or the DUID of DHCPv6, in hexadecimal. */
  readonly clientId?: string;
}

/** An address that nobody gets before `expires`. */
export interface Quarantine<Address = Ipv4> {
  readonly address: Address;
  /** Who declined it or answered the probe. */
  readonly mac: Mac;
  readonly expires: number;
}

/** One line of the list for people: a lease whatever became of it, or an address in quarantine. */
export interface LeaseEntry<Address = Ipv4> extends Omit<Lease<Address>, 'state'> {
  readonly state: LeaseState | 'expired' | 'declined';
}

/** What may be leased. */
export interface AddressPlan<Address = Ipv4> {
  /** The pool; there is none where the last address comes before the first. */
  readonly first: Address;
  readonly last: Address;
  readonly reservations: readonly { readonly mac: Mac; readonly address: Address }[];
  /** Addresses of the pool that belong to somebody else, such as the server itself. */
  readonly excluded: readonly Address[];
}

/** Clients that are remembered, and addresses in quarantine. */
export const RECORD_LIMIT = 4096;
/** Seconds for which an offer waits for the client's request. */
export const OFFER_TIME = 60;
/** Seconds for which nobody gets an address that is in use by somebody without a lease. */
export const QUARANTINE_TIME = 600;

export class LeaseTable<Address extends number | bigint = Ipv4> {
  #plan: AddressPlan<Address>;
  readonly #byMac = new Map<Mac, Lease<Address>>();
  readonly #byAddress = new Map<Address, Lease<Address>>();
  readonly #quarantine = new Map<Address, Quarantine<Address>>();
  #reserved: ReadonlyMap<Mac, Address> = new Map();
  #reservedFor: ReadonlyMap<Address, Mac> = new Map();
  #excluded: ReadonlySet<Address> = new Set();
  /** Whose turn it is. */
  #nextUnused: Address;

  constructor(plan: AddressPlan<Address>) {
    this.#plan = plan;
    this.#nextUnused = plan.first;
    this.#follow(plan);
  }

  /** From now on other addresses may be leased; leases that do not fit are forgotten. */
  change(plan: AddressPlan<Address>, now: number): void {
    this.#follow(plan);
    for (const lease of [...this.#byMac.values()]) {
      if (!this.#isLeasable(lease.address, lease.mac, now)) this.#remove(lease);
    }
  }

  #follow(plan: AddressPlan<Address>): void {
    this.#plan = plan;
    this.#reserved = new Map(plan.reservations.map(({ mac, address }) => [mac, address]));
    this.#reservedFor = new Map(plan.reservations.map(({ mac, address }) => [address, mac]));
    this.#excluded = new Set(plan.excluded);
    this.#nextUnused = plan.first;
  }

  /** What is known of a client, also after its lease ended. */
  find(mac: Mac): Lease<Address> | undefined {
    return this.#byMac.get(mac);
  }

  get leases(): Iterable<Lease<Address>> {
    return this.#byMac.values();
  }

  /** Leases that clients have now. */
  *bound(now: number): Iterable<Lease<Address>> {
    for (const lease of this.#byMac.values()) if (lease.state === 'bound' && lease.expires > now) yield lease;
  }

  /** All that is known, also of leases that ended. */
  entries(now: number): readonly LeaseEntry<Address>[] {
    const known = [...this.#byMac.values()].map((lease): LeaseEntry<Address> => {
      return lease.state !== 'released' && lease.expires <= now ? { ...lease, state: 'expired' } : lease;
    });
    const declined = [...this.#quarantine.values()].filter(({ expires }) => expires > now);
    return [...known, ...declined.map((entry): LeaseEntry<Address> => ({ ...entry, state: 'declined' }))];
  }

  /** Whether the client may have the address: it is in the pool or reserved for it, and no other client holds it. */
  isAvailable(address: Address, mac: Mac, now: number): boolean {
    if (!this.#isLeasable(address, mac, now) || this.#isQuarantined(address, now)) return false;
    const holder = this.#byAddress.get(address);
    if (holder === undefined) return this.#byMac.has(mac) || this.#byMac.size < RECORD_LIMIT || this.#reserved.has(mac);
    return holder.mac === mac || !isHeld(holder, now);
  }

  /**
   * The address for a client, RFC 2131, 4.3.1: its reservation, the one it had, the one it asks for, one that nobody ever had,
   * the one whose lease ended longest ago. `isAvoided` vetoes what the server knows to be in use.
   */
  choose(
    mac: Mac,
    requested: Address | undefined,
    now: number,
    isAvoided: (address: Address) => boolean,
  ): Address | undefined {
    const isFine = (address: Address | undefined): address is Address =>
      address !== undefined && this.isAvailable(address, mac, now) && !isAvoided(address);
    const reserved = this.#reserved.get(mac);
    if (isFine(reserved)) return reserved;
    if (reserved !== undefined && !this.#isQuarantined(reserved, now)) return undefined; // it gets no other
    const had = this.#byMac.get(mac)?.address;
    if (isFine(had)) return had;
    if (isFine(requested) && !this.#byAddress.has(requested)) return requested;
    return this.#unused(isFine) ?? this.#longestEnded(isFine, now);
  }

  /** Holds the address for the client until it decides. */
  offer(mac: Mac, address: Address, now: number): void {
    const known = this.#byMac.get(mac);
    if (known?.address === address && known.state === 'bound' && known.expires > now) return;
    this.#put({ ...known, mac, address, state: 'offered', expires: now + OFFER_TIME });
  }

  /** The address is the client's until `expires`. */
  bind(lease: Omit<Lease<Address>, 'state'>): void {
    this.#put({ ...lease, state: 'bound' });
  }

  /** The client took another server's offer. */
  withdraw(mac: Mac): void {
    const lease = this.#byMac.get(mac);
    if (lease?.state === 'offered') this.#remove(lease);
  }

  release(mac: Mac, now: number): void {
    const lease = this.#byMac.get(mac);
    if (lease !== undefined) this.#put({ ...lease, state: 'released', expires: now });
  }

  /** Nobody gets the address before `expires`. */
  quarantine(quarantine: Quarantine<Address>, now: number): void {
    const holder = this.#byAddress.get(quarantine.address);
    if (holder !== undefined) this.#remove(holder);
    for (const { address, expires } of this.#quarantine.values()) if (expires <= now) this.#quarantine.delete(address);
    if (this.#quarantine.size < RECORD_LIMIT) this.#quarantine.set(quarantine.address, quarantine);
  }

  /** Takes over a record from before, unless what may be leased has changed since. */
  restore(lease: Lease<Address>, now: number): void {
    if (!this.#isLeasable(lease.address, lease.mac, now)) return;
    if (!this.#byAddress.has(lease.address) && !this.#byMac.has(lease.mac)) this.#put(lease);
  }

  /** Whether the address is one that this client may be given at all; a client with a reservation gets no other while that is usable. */
  #isLeasable(address: Address, mac: Mac, now: number): boolean {
    const reservedFor = this.#reservedFor.get(address);
    if (reservedFor !== undefined) return reservedFor === mac;
    if (this.#excluded.has(address)) return false;
    const reserved = this.#reserved.get(mac);
    if (reserved !== undefined && !this.#isQuarantined(reserved, now)) return false;
    return address >= this.#plan.first && address <= this.#plan.last;
  }

  #isQuarantined(address: Address, now: number): boolean {
    const quarantine = this.#quarantine.get(address);
    return quarantine !== undefined && quarantine.expires > now;
  }

  /** The pool is gone through in turns, so an address that was skipped or forgotten comes up again. */
  #unused(isFine: (address: Address) => boolean): Address | undefined {
    if (this.#byMac.size >= RECORD_LIMIT) return undefined;
    const { first, last } = this.#plan;
    for (let i = first; i <= last; i++) {
      const address = this.#nextUnused;
      this.#nextUnused++;
      if (this.#nextUnused > last) this.#nextUnused = first;
      if (!this.#byAddress.has(address) && isFine(address)) return address;
    }
    return undefined;
  }

  #longestEnded(isFine: (address: Address) => boolean, now: number): Address | undefined {
    let longest: Lease<Address> | undefined;
    for (const lease of this.#byMac.values()) {
      if (isHeld(lease, now)) continue;
      if ((longest === undefined || lease.expires < longest.expires) && isFine(lease.address)) longest = lease;
    }
    return longest?.address;
  }

  #put(lease: Lease<Address>): void {
    const before = this.#byMac.get(lease.mac);
    if (before !== undefined) this.#remove(before);
    const holder = this.#byAddress.get(lease.address);
    if (holder !== undefined) this.#remove(holder);
    this.#byMac.set(lease.mac, lease);
    this.#byAddress.set(lease.address, lease);
  }

  #remove(lease: Lease<Address>): void {
    this.#byMac.delete(lease.mac);
    this.#byAddress.delete(lease.address);
  }
}

function isHeld(lease: Pick<Lease, 'state' | 'expires'>, now: number): boolean {
  return lease.state !== 'released' && lease.expires > now;
}

/**
 * IPv6 addresses that machines made themselves (SLAAC, RFC 4862), as neighbour discovery hears of them: by their MAC they get the names of
 * their machines. They are no leases: whoever says that an address is his has it here until somebody else says so, or until nobody has for long.
 */
import type { Millis, Scheduler } from '../base/time.ts';
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import { ipv6Key, ipv6OfKey, isInIpv6Prefix, isSameIpv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { LearntAddress } from './lab-names.ts';

/** The preferred lifetime of addresses (`lab/ipv6-plan.ts`): within it a machine that is there speaks of its address. */
const LIFETIME: Millis = 14_400_000;
export const LEARNT_LIMIT = 2048;
/** A machine that makes itself a new address each day has two or three. */
export const LEARNT_PER_CARD = 8;

export class LearntAddresses {
  readonly #own: Ipv6Interface;
  readonly #scheduler: Scheduler;
  /** By `ipv6Key`; the one that was heard of last is the last. */
  readonly #heard = new Map<string, { readonly mac: Mac; readonly at: Millis }>();

  constructor(own: Ipv6Interface, scheduler: Scheduler) {
    this.#own = own;
    this.#scheduler = scheduler;
  }

  /** The machine with this MAC has the address, or is about to take it. */
  learn(address: Ipv6, mac: Mac): void {
    if (!isInIpv6Prefix(this.#own, address) || isSameIpv6(address, this.#own.address)) return;
    const key = ipv6Key(address);
    if (this.#heard.get(key)?.mac !== mac) this.#makeRoom(mac);
    this.#heard.delete(key);
    this.#heard.set(key, { mac, at: this.#scheduler.now() });
  }

  /** The latest first. */
  *all(): Iterable<LearntAddress> {
    const oldest = this.#scheduler.now() - LIFETIME;
    for (const [key, { mac, at }] of [...this.#heard].reverse()) {
      if (at > oldest) yield { mac, address: ipv6OfKey(key) };
      else this.#heard.delete(key);
    }
  }

  /** Its oldest address goes where a card has too many, or else the oldest of all. */
  #makeRoom(mac: Mac): void {
    const own = [...this.#heard].filter((entry) => entry[1].mac === mac);
    const [oldest] = own.length >= LEARNT_PER_CARD ? own : this.#heard.size >= LEARNT_LIMIT ? this.#heard : [];
    if (oldest !== undefined) this.#heard.delete(oldest[0]);
  }
}

/** What paths take, RFC 8201: less than the link where a router said so. Bounded; what was learnt is forgotten after a while, as paths change. */
import type { Millis, Scheduler } from '../base/time.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ipv6Key } from '../wire/ipv6-address.ts';

/** RFC 8201, 4 and 5.3: not before five minutes, ten are recommended. */
const LIFETIME: Millis = 10 * 60_000;
const MAX_PATHS = 256;

export class PathMtu {
  readonly #scheduler: Scheduler;
  /** Octets of a packet that the link takes. */
  readonly #linkMtu: number;
  /** By `ipv6Key`, in the order of learning. */
  readonly #paths = new Map<string, { readonly mtu: number; readonly until: Millis }>();

  constructor(scheduler: Scheduler, linkMtu: number) {
    this.#scheduler = scheduler;
    this.#linkMtu = linkMtu;
  }

  /** Octets of a packet that the path to `destination` takes, as far as is known. */
  towards(destination: Ipv6): number {
    if (this.#paths.size === 0) return this.#linkMtu;
    const path = this.#paths.get(ipv6Key(destination));
    return path === undefined || path.until <= this.#scheduler.now() ? this.#linkMtu : path.mtu;
  }

  /** A router says that it can pass on packets of `mtu` octets; less than every link takes is not believed (RFC 8201, 4). False where that is no news. */
  learn(destination: Ipv6, mtu: number): boolean {
    if (mtu < IPV6_MIN_MTU || mtu >= this.towards(destination)) return false;
    const key = ipv6Key(destination);
    this.#paths.delete(key);
    this.#paths.set(key, { mtu, until: this.#scheduler.now() + LIFETIME });
    for (const oldest of this.#paths.keys()) {
      if (this.#paths.size <= MAX_PATHS) break;
      this.#paths.delete(oldest);
    }
    return true;
  }
}

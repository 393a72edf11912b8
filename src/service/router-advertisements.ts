/**
 * Router advertisements (RFC 4861, 6.2) of a gateway that is no router for IPv6: lifetime 0, no prefix, no DHCPv6. Machines that ask
 * and would wait for an answer (iPXE: 13 s at each boot) know at once that they have IPv4 only; none takes an address or a route from it.
 *
 * A solicitor with an address is answered by unicast and at once: the random delay of 6.2.6 spreads the answers of several routers and
 * gathers solicitations for one multicast, and here is one router and a machine whose boot waits. One without an address is answered to
 * all nodes, with that delay and rate limit. Nothing is sent unasked: what is said never expires and takes nothing into use.
 */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { NdpPeer, RouterAdvertiser } from '../stack/ndp.ts';
import type { Stack } from '../stack/stack.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { RouterAdvertisement } from '../wire/ndp.ts';
import type { Service } from './service.ts';

/** RFC 4861, 10: MAX_RA_DELAY_TIME. */
const MAX_DELAY: Millis = 500;
/** RFC 4861, 10: MIN_DELAY_BETWEEN_RAS, of those to all nodes. */
const MIN_INTERVAL: Millis = 3000;

export class RouterAdvertisements implements Service {
  readonly name = 'router-advertisements';
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #timer: Timer;
  #stack: Stack | undefined;
  #advertiser: RouterAdvertiser | undefined;
  #isDue = false;
  #lastToAll: Millis = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#timer = scheduler.timer(() => this.#tellAll());
  }

  start(stack: Stack): void {
    this.#stack = stack;
    this.#advertiser = stack.ndp.advertise((solicitor) => {
      if (solicitor === undefined) this.#scheduleToAll();
      else this.#send(solicitor);
    });
  }

  stop(): void {
    this.#timer.cancel();
    this.#isDue = false;
    this.#advertiser?.close();
    this.#advertiser = undefined;
    this.#stack = undefined;
  }

  /** RFC 4861, 6.2.6: one advertisement answers all who asked before it left. */
  #scheduleToAll(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const now = this.#scheduler.now();
    this.#timer.arm(Math.max(now + this.#random.next() * MAX_DELAY, this.#lastToAll + MIN_INTERVAL));
  }

  #tellAll(): void {
    this.#isDue = false;
    this.#lastToAll = this.#scheduler.now();
    this.#send(undefined);
  }

  #send(to: NdpPeer | undefined): void {
    if (this.#stack !== undefined) this.#advertiser?.send(advertisementOf(this.#stack), to);
  }
}

function advertisementOf({ mac, mtu }: Stack): RouterAdvertisement {
  return {
    kind: 'router-advertisement',
    curHopLimit: 64,
    isManaged: false,
    hasOtherConfiguration: false,
    routerLifetime: 0,
    reachableTime: 0,
    retransTimer: 0,
    sourceMac: mac,
    // RFC 4861, 6.3.4: hosts do not believe a smaller one.
    mtu: mtu < IPV6_MIN_MTU ? undefined : mtu,
  };
}

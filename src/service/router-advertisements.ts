/**
 * Router advertisements, RFC 4861, 6.2: what the machines of a network configure themselves by.
 *
 * Theory of operation. With a configuration the gateway tells all nodes unasked every 200 to 600 s, the first three times after 16 s at
 * most. A change is told at once; what it took away is told with lifetime 0 as long as these three last. At its end the gateway says
 * that it is no router any more; prefixes stay, since machines go on talking to each other. Without a configuration it is no router for
 * IPv6: lifetime 0, no prefix, no DHCPv6, and nothing unasked. Machines that ask and would wait for an answer (iPXE: 13 s at each boot)
 * know at once that they have IPv4 only.
 *
 * A solicitor with an address is answered by unicast and at once: the random delay of 6.2.6 spreads the answers of several routers and
 * gathers solicitations for one multicast, and here is one router and a machine whose boot waits. One without an address is answered to
 * all nodes, with that delay and rate limit.
 */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { NdpPeer, RouterAdvertiser } from '../stack/ndp.ts';
import type { Stack } from '../stack/stack.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { RouterAdvertisement } from '../wire/ndp.ts';
import type { RouterOption, RouterPreference } from '../wire/ndp-router-options.ts';
import { inMessages, withdrawn } from './router-options.ts';
import type { Service } from './service.ts';

/** What a router says of itself and of its network, but its MAC and the MTU. */
export interface RaConfig {
  /** M: addresses by DHCPv6. */
  readonly isManaged: boolean;
  /** O: other configuration by DHCPv6. */
  readonly hasOtherConfiguration: boolean;
  /** Seconds for which it is a default router, up to 9000; 0: it is none, but knows the rest. */
  readonly routerLifetime: number;
  readonly preference: RouterPreference;
  /** In order of importance; their lifetime is `ROUTER_OPTION_LIFETIME` where nothing else is wanted. */
  readonly options: readonly RouterOption[];
}

/** Seconds; RFC 8106, 5.1: three times the longest period between advertisements. */
export const ROUTER_OPTION_LIFETIME = 1800;

/** RFC 4861, 10: MAX_RA_DELAY_TIME. */
const MAX_DELAY: Millis = 500;
/** RFC 4861, 10: MIN_DELAY_BETWEEN_RAS, of those to all nodes. */
const MIN_INTERVAL: Millis = 3000;
/** RFC 4861, 6.2.1: MinRtrAdvInterval and MaxRtrAdvInterval. */
const MIN_PERIOD: Millis = 200_000;
const MAX_PERIOD: Millis = 600_000;
/** RFC 4861, 10: MAX_INITIAL_RTR_ADVERT_INTERVAL and MAX_INITIAL_RTR_ADVERTISEMENTS. */
const INITIAL_PERIOD: Millis = 16_000;
const INITIAL_COUNT = 3;

/** Of a gateway that is no router for IPv6. */
const NO_ROUTER: RaConfig = {
  isManaged: false,
  hasOtherConfiguration: false,
  routerLifetime: 0,
  preference: 'medium',
  options: [],
};

export class RouterAdvertisements implements Service {
  readonly name = 'router-advertisements';
  #config: RaConfig | undefined;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #timer: Timer;
  #stack: Stack | undefined;
  #advertiser: RouterAdvertiser | undefined;
  /** When all nodes hear the next one. */
  #due: Millis | undefined;
  /** How many of the initial ones are still to come. */
  #initial = 0;
  #lastToAll: Millis = Number.NEGATIVE_INFINITY;
  /** What the last changes took away. */
  #withdrawn: readonly RouterOption[] = [];

  constructor(config: RaConfig | undefined, scheduler: Scheduler, random: Random) {
    this.#config = config;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#timer = scheduler.timer(() => this.#tellAll());
  }

  /** Advertises this from now on. */
  configure(config: RaConfig | undefined): void {
    const before = [...(this.#config?.options ?? []), ...this.#withdrawn];
    this.#withdrawn = withdrawn(before, config?.options ?? []);
    this.#config = config;
    if (this.#advertiser !== undefined) this.#begin();
  }

  start(stack: Stack): void {
    this.#stack = stack;
    this.#advertiser = stack.ndp.advertise((solicitor) => {
      if (solicitor === undefined) this.#schedule(this.#random.next() * MAX_DELAY);
      else this.#tell(solicitor);
    });
    if (this.#config !== undefined) this.#begin();
  }

  stop(): void {
    this.#timer.cancel();
    this.#due = undefined;
    if (this.#config !== undefined) this.#send(farewellOf(this.#config), undefined);
    this.#advertiser?.close();
    this.#advertiser = undefined;
    this.#stack = undefined;
  }

  #begin(): void {
    this.#initial = INITIAL_COUNT;
    this.#schedule(0);
  }

  /** RFC 4861, 6.2.6: one advertisement answers all who asked before it left. */
  #schedule(delay: Millis): void {
    const due = Math.max(this.#scheduler.now() + delay, this.#lastToAll + MIN_INTERVAL);
    if (this.#due !== undefined && this.#due <= due) return;
    this.#due = due;
    this.#timer.arm(due);
  }

  #tellAll(): void {
    this.#due = undefined;
    this.#lastToAll = this.#scheduler.now();
    this.#tell(undefined);
    this.#initial = Math.max(0, this.#initial - 1);
    if (this.#initial === 0) this.#withdrawn = [];
    if (this.#config === undefined && this.#initial === 0) return;
    const period = MIN_PERIOD + this.#random.next() * (MAX_PERIOD - MIN_PERIOD);
    this.#schedule(this.#initial > 0 ? Math.min(period, INITIAL_PERIOD) : period);
  }

  #tell(to: NdpPeer | undefined): void {
    const config = this.#config ?? NO_ROUTER;
    this.#send({ ...config, options: [...config.options, ...this.#withdrawn] }, to);
  }

  #send({ options, ...config }: RaConfig, to: NdpPeer | undefined): void {
    if (this.#stack === undefined) return;
    const { mac, mtu } = this.#stack;
    const header: Omit<RouterAdvertisement, 'options'> = {
      kind: 'router-advertisement',
      ...config,
      curHopLimit: 64,
      reachableTime: 0,
      retransTimer: 0,
      sourceMac: mac,
      // RFC 4861, 6.3.4: hosts do not believe a smaller one.
      mtu: mtu < IPV6_MIN_MTU ? undefined : mtu,
    };
    for (const part of inMessages(options)) this.#advertiser?.send({ ...header, options: part }, to);
  }
}

/** RFC 4861, 6.2.5: no router any more, and of what hung on it nothing but the prefixes. */
function farewellOf(config: RaConfig): RaConfig {
  const prefixes = config.options.filter(({ kind }) => kind === 'prefix');
  const options = [...prefixes, ...withdrawn(config.options, prefixes)];
  return { ...config, routerLifetime: 0, preference: 'medium', options };
}

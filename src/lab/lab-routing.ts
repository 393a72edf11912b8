/**
 * How the networks of a running lab are joined: gateways that lead on are the interfaces of one router, each router of the lab file is a
 * station on its networks, and name servers know the machines of the networks that theirs is joined with.
 */
import type { RouterInterface } from '../router/router.ts';
import { Router } from '../router/router.ts';
import { Stack } from '../stack/stack.ts';
import type { Environment } from './environment.ts';
import type { RouterPlan } from './plan.ts';
import type { RunningNetwork } from './running-network.ts';
import { sameValue } from './same-value.ts';

export class LabRouting {
  readonly #environment: Environment;
  readonly #gateways = new Router();
  readonly #routers = new Map<string, RunningRouter>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get routers(): Iterable<RunningRouter> {
    return this.#routers.values();
  }

  /** Joins these networks as the plans say, and no others any longer; routers that stay as they are go on. */
  join(networks: ReadonlyMap<string, RunningNetwork>, routers: readonly RouterPlan[]): void {
    const joined = [...networks.values()].flatMap(({ plan, gateway }) =>
      gateway === undefined || plan.gateway?.routes === undefined
        ? []
        : [{ gateway, routes: plan.gateway.routes, ipv6Routes: plan.gateway.ipv6Routes ?? [] }],
    );
    this.#gateways.configure(
      joined.map(({ gateway }) => gateway.routerInterface),
      joined.flatMap(({ routes }) => routes),
      joined.flatMap(({ ipv6Routes }) => ipv6Routes),
    );
    for (const { plan, gateway } of networks.values()) {
      const others = (plan.gateway?.knows ?? []).flatMap((name) => networks.get(name)?.gateway?.names ?? []);
      gateway?.names.alsoKnow(others);
    }
    for (const [name, router] of this.#routers) {
      const plan = routers.find((other) => other.name === name);
      if (plan !== undefined && router.isAs(plan, networks)) continue;
      router.unplug();
      this.#routers.delete(name);
    }
    for (const plan of routers) {
      if (!this.#routers.has(plan.name))
        this.#routers.set(plan.name, new RunningRouter(plan, networks, this.#environment));
    }
  }
}

/** A router of the lab file at work. */
export class RunningRouter {
  readonly plan: RouterPlan;
  /** By port. */
  readonly #places = new Map<string, RunningNetwork>();

  constructor(plan: RouterPlan, networks: ReadonlyMap<string, RunningNetwork>, { scheduler, random }: Environment) {
    this.plan = plan;
    const interfaces = plan.interfaces.map(({ name, network, mac, interface: own, ipv6 }): RouterInterface => {
      const place = networks.get(network)!;
      const port = `${plan.name}:${name}`;
      this.#places.set(port, place);
      const stack = place.plugStation(
        port,
        mac,
        (drops) => new Stack({ mac, mtu: place.plan.mtu, scheduler, random, drops }),
      );
      stack.configure({ interface: own, ipv6: ipv6 && { interface: ipv6 } });
      return {
        stack,
        ...(own !== undefined && { interface: own }),
        ...(ipv6 !== undefined && { ipv6: { interface: ipv6 } }),
      };
    });
    new Router().configure(interfaces, plan.routes, plan.ipv6Routes);
  }

  /** The plan says nothing else, and the networks are those that the router is plugged into. */
  isAs(plan: RouterPlan, networks: ReadonlyMap<string, RunningNetwork>): boolean {
    const places = plan.interfaces.map(({ name, network }) => [`${plan.name}:${name}`, networks.get(network)] as const);
    return sameValue(plan, this.plan) && places.every(([port, place]) => this.#places.get(port) === place);
  }

  /** Its ports go. */
  unplug(): void {
    for (const [port, place] of this.#places) place.unplugStation(port);
  }
}

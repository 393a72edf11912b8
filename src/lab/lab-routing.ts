/**
 * How the networks of a running lab are joined: gateways that lead on are the interfaces of one router, and name servers know the
 * machines of the networks that theirs is joined with.
 */
import { Router } from '../router/router.ts';
import type { RunningNetwork } from './running-network.ts';

export class LabRouting {
  readonly #gateways = new Router();

  /** Joins these networks as their plans say, and no others any longer. */
  join(networks: ReadonlyMap<string, RunningNetwork>): void {
    const joined = [...networks.values()].flatMap(({ plan, gateway }) =>
      gateway === undefined || plan.gateway?.routes === undefined ? [] : [{ gateway, routes: plan.gateway.routes }],
    );
    this.#gateways.configure(
      joined.map(({ gateway }) => gateway.routerInterface),
      joined.flatMap(({ routes }) => routes),
    );
    for (const { plan, gateway } of networks.values()) {
      const others = (plan.gateway?.knows ?? []).flatMap((name) => networks.get(name)?.gateway?.names ?? []);
      gateway?.names.alsoKnow(others);
    }
  }
}

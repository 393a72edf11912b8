/**
 * Ports for stations that come while the lab runs: each has a name, an address and a socket of its own, where one station arrives. Both are
 * gone when it leaves, or when it does not come.
 */
import type { Millis } from '../base/time.ts';
import type { Door } from '../link/arrival.ts';
import type { Mac } from '../wire/mac.ts';
import { deriveMac } from './derive.ts';
import type { Environment } from './environment.ts';
import type { LabPlan } from './plan.ts';
import type { RunningNetwork } from './running-network.ts';

/** How long a station may take to come. */
const PATIENCE: Millis = 30_000;

export interface Invitation {
  readonly port: string;
  /** The path of a unix socket that speaks QEMU's framing. */
  readonly socket: string;
  /** An address that no other port of the lab has. It follows from the names, so that a port's lease does, too. */
  readonly mac: Mac;
}

export class Invitations {
  readonly #plan: () => LabPlan;
  readonly #environment: Environment;
  readonly #isTaken: (port: string) => boolean;
  /** By port; without a door while it is being opened. */
  readonly #open = new Map<string, { readonly network: string; readonly door?: Door }>();

  /** `isTaken` knows the ports that are there. */
  constructor(plan: () => LabPlan, environment: Environment, isTaken: (port: string) => boolean) {
    this.#plan = plan;
    this.#environment = environment;
    this.#isTaken = isTaken;
  }

  has(port: string): boolean {
    return this.#open.has(port);
  }

  /** The lowest free name of this kind: `exec-1`. */
  freeName(kind: string): string {
    let number = 1;
    while (this.#isTaken(`${kind}-${number}`)) number++;
    return `${kind}-${number}`;
  }

  /** Undefined where a port has the name. Rejects where no socket can be opened. */
  async invite(network: RunningNetwork, port: string): Promise<Invitation | undefined> {
    if (this.#isTaken(port)) return undefined;
    this.#open.set(port, { network: network.plan.name });
    const environment = this.#environment;
    const { scheduler } = environment;
    const { name, nics } = this.#plan();
    const mac = deriveMac(name, port, network.plan.name, new Set(nics.map((nic) => nic.mac)));
    const path = environment.socketPath(name, `${port}.port.sock`);
    const patience = scheduler.timer(() => void this.#end(port));
    try {
      const door = await environment.openDoor(
        'listen',
        { kind: 'unix', path },
        (arrival) => {
          patience.cancel();
          network.welcomeInvited(arrival, port, mac, () => void this.#end(port));
        },
        () => undefined,
      );
      this.#open.set(port, { network: network.plan.name, door });
    } catch (error) {
      this.#open.delete(port);
      throw error;
    }
    patience.arm(scheduler.now() + PATIENCE);
    return { port, socket: path, mac };
  }

  /** Those who came, to this network or to any, are cut off. */
  async close(network?: string): Promise<void> {
    const ports = [...this.#open].filter(([, invited]) => network === undefined || invited.network === network);
    await Promise.all(ports.map(([port]) => this.#end(port)));
  }

  async #end(port: string): Promise<void> {
    const invited = this.#open.get(port);
    this.#open.delete(port);
    await invited?.door?.close();
  }
}

/** The machines of a lab that vmlan starts. */
import type { NetdevCard } from '../qemu/netdev-arguments.ts';
import { formatMac } from '../wire/mac.ts';
import type { Environment } from './environment.ts';
import type { MachinePlan } from './machine-plan.ts';
import type { DoorPlan, LabPlan } from './plan.ts';
import { portName } from './plan.ts';
import { MachineError, RunningMachine } from './running-machine.ts';

/** What a machine's cards are made of, as the lab is at the moment. */
export interface PluggedLab {
  readonly plan: LabPlan;
  readonly doorPlans: readonly DoorPlan[];
}

export class LabMachines {
  readonly #environment: Environment;
  readonly #lab: () => PluggedLab;
  readonly #machines = new Map<string, RunningMachine>();
  #isStopped = false;

  constructor(lab: () => PluggedLab, environment: Environment) {
    this.#lab = lab;
    this.#environment = environment;
  }

  /**
   * Adopts those that run, and starts the others but for those that wait for an order. One that cannot be started does not keep the rest
   * of the lab from running; rejects where none of those that should run does.
   */
  async start(plans: readonly MachinePlan[]): Promise<void> {
    const outcomes = await Promise.allSettled(plans.map((plan) => this.add(plan)));
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length === 0 || failures.length < plans.filter(({ isAutostarted }) => isAutostarted).length) return;
    const message = 'none of the machines of the lab could be started; mend their qemu: in the lab file';
    throw new MachineError('no-machine-started', message);
  }

  /** As `start`, of one. */
  async add(plan: MachinePlan): Promise<void> {
    const machine = new RunningMachine(
      plan,
      this.#lab().plan.name,
      () => cardsOf(plan.node, this.#lab()),
      this.#environment,
    );
    this.#machines.set(plan.node, machine);
    if (this.#isStopped) await machine.retire();
    if (plan.isAutostarted) await machine.start();
    else await machine.adopt();
  }

  /** Stops it for good. */
  async remove(node: string): Promise<void> {
    const machine = this.#machines.get(node);
    this.#machines.delete(node);
    await machine?.retire();
  }

  get(node: string): RunningMachine | undefined {
    return this.#machines.get(node);
  }

  /** Stops them all for good; what does not end is told. Those that are added from now on do not start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#machines.values()].map((machine) => this.#stopped(machine)));
  }

  /** Kills all that run, whatever they are waited for. */
  kill(): void {
    for (const machine of this.#machines.values()) machine.kill();
  }

  async #stopped(machine: RunningMachine): Promise<void> {
    try {
      await machine.retire();
    } catch (error) {
      const { node } = machine.plan;
      this.#environment.log({ event: 'machine-stuck', message: (error as Error).message, node });
    }
  }
}

/** Each card with the doors at which its port is reached. */
function cardsOf(node: string, { plan, doorPlans }: PluggedLab): readonly NetdevCard[] {
  return plan.nics
    .filter((nic) => nic.node === node)
    .map((nic) => {
      const doors = doorPlans.filter(({ port }) => port === portName(nic));
      const [listen, connect] = (['listen', 'connect'] as const).map((mode) =>
        doors.find((door) => door.mode === mode),
      );
      return {
        name: nic.name,
        mac: formatMac(nic.mac),
        mtu: plan.networks.find(({ name }) => name === nic.network)!.mtu,
        sockets: { ...(listen && { listen: listen.address }), ...(connect && { connect: connect.address }) },
      };
    });
}

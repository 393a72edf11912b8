/** Carries a running lab from its plan to another: step by step, and back again where the machine refuses one. */

import type { MachinePlan } from './machine-plan.ts';
import type { CapturePlan, LabPlan, NetworkPlan, NicPlan } from './plan.ts';
import { portName } from './plan.ts';
import type { PlanDifference, PlannedForward } from './plan-difference.ts';

/** The parts of a running lab that come and go. What is removed ends whatever goes through it. */
export interface LabParts {
  addNetwork(plan: NetworkPlan): Promise<void>;
  removeNetwork(plan: NetworkPlan): Promise<void>;
  /** Has the gateway of a network answer as this plan says. */
  configure(plan: NetworkPlan): void;
  addNic(nic: NicPlan): Promise<void>;
  removeNic(nic: NicPlan): Promise<void>;
  addForward(forward: PlannedForward): Promise<void>;
  removeForward(forward: PlannedForward): void;
  /** Starts it, unless it waits for an order. */
  addMachine(plan: MachinePlan): Promise<void>;
  /** The guest is asked to switch itself off. */
  removeMachine(plan: MachinePlan): Promise<void>;
  addCapture(capture: CapturePlan): Promise<void>;
  removeCapture(capture: CapturePlan): Promise<void>;
}

/** A running lab cannot be carried over to a plan. */
export class PlanChangeError extends Error {
  readonly code = 'cannot-change';

  constructor(message: string) {
    super(message);
    this.name = 'PlanChangeError';
  }
}

interface Step {
  carryOut(): Promise<void> | void;
  takeBack(): Promise<void> | void;
}

/** Rejects with the machine's error where it refuses a step, when those before are taken back. */
export async function changePlan(difference: PlanDifference, before: LabPlan, parts: LabParts): Promise<void> {
  const done: Step[] = [];
  try {
    for (const step of steps(difference, before, parts)) {
      await step.carryOut();
      done.unshift(step);
    }
  } catch (error) {
    for (const step of done) await step.takeBack();
    throw error;
  }
}

/** What may be refused comes before what cuts somebody off, and that before what cannot be taken back. */
function steps(difference: PlanDifference, before: LabPlan, parts: LabParts): Step[] {
  const { networks, nics, forwards, machines, captures } = difference;
  const earlier = (name: string) => before.networks.find((network) => network.name === name)!;
  const isReplaced = (nic: NicPlan) => nics.removed.some((other) => portName(other) === portName(nic));
  const plugIn = (nic: NicPlan) => both(nic, parts.addNic, parts.removeNic);
  return [
    ...networks.added.map((plan) => both(plan, parts.addNetwork, parts.removeNetwork)),
    ...networks.changed.map((plan) => both(plan, parts.configure, () => parts.configure(earlier(plan.name)))),
    ...forwards.removed.map((forward) => both(forward, parts.removeForward, parts.addForward)),
    ...forwards.added.map((forward) => both(forward, parts.addForward, parts.removeForward)),
    ...nics.added.filter((nic) => !isReplaced(nic)).map(plugIn),
    ...captures.added.map((capture) => both(capture, parts.addCapture, parts.removeCapture)),
    ...machines.removed.map((plan) => both(plan, parts.removeMachine, parts.addMachine)),
    ...nics.removed.map((nic) => both(nic, parts.removeNic, parts.addNic)),
    ...nics.added.filter(isReplaced).map(plugIn),
    ...machines.added.map((plan) => both(plan, parts.addMachine, parts.removeMachine)),
    ...captures.removed.map((capture) => both(capture, parts.removeCapture, parts.addCapture)),
    ...networks.removed.map((plan) => both(plan, parts.removeNetwork, parts.addNetwork)),
  ];
}

type Deed<Part> = (part: Part) => Promise<void> | void;

function both<Part>(part: Part, carryOut: Deed<Part>, takeBack: Deed<Part>): Step {
  return { carryOut: () => carryOut(part), takeBack: () => takeBack(part) };
}

import type { Millis } from '../base/time.ts';
import type { NodeStatus } from './node-status-schema.ts';
import type { NicPlan } from './plan.ts';
import type { RunningMachine } from './running-machine.ts';

/** What is told about a node with these cards; without a machine it is its owner's. */
export function nodeStatus(
  node: string,
  nics: readonly NicPlan[],
  isConnected: (nic: NicPlan) => boolean,
  machine: RunningMachine | undefined,
  now: Millis,
): NodeStatus {
  const cards = nics.map((nic) => ({ name: nic.name, network: nic.network, connected: isConnected(nic) }));
  if (machine === undefined) return { node, state: 'yours', nics: cards };
  const { state, plan, pid, since, isAdopted, lastEnd, places } = machine;
  return {
    node,
    state,
    nics: cards,
    uuid: plan.uuid,
    ...(pid !== undefined && { pid }),
    ...(since !== undefined && { uptime: Math.floor((now - since) / 1000), adopted: isAdopted }),
    ...(lastEnd !== undefined && { ended: { reason: lastEnd.reason, message: `${node} ${lastEnd.text}` } }),
    console: { socket: places.console, log: places.consoleLog },
  };
}

/** The part of the control API that is about nodes and the machines that vmlan starts for them. */
import * as z from 'zod';
import { nodeStatusSchema } from '../lab/node-status-schema.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import type { RunningMachine } from '../lab/running-machine.ts';
import type { Route } from './route.ts';
import { Refusal, route } from './route.ts';

const params = z.object({ node: z.string() });
const body = z.strictObject({
  force: z.boolean().optional().describe('true: the guest is not asked to switch itself off'),
});

const consoleSchema = z
  .strictObject({
    socket: z.string().describe('A unix socket; what is written there is typed'),
    log: z.string().describe('A file with all that it said'),
    taken: z.boolean().describe('Somebody is connected, and one at a time can be'),
  })
  .meta({ id: 'Console' });

/** A machine's serial console. */
export type ConsolePlace = z.output<typeof consoleSchema>;

const refusals = {
  404: 'There is no such node',
  409: 'vmlan does not start it, or the order could not be carried out',
};

/** Carries out an order and tells how the node is afterwards. */
function order(
  name: 'start' | 'stop' | 'restart',
  summary: string,
  carryOut: (machine: RunningMachine, isForced: boolean) => Promise<void>,
): Route {
  return route({
    method: 'POST',
    path: `/v1/nodes/{node}/${name}`,
    summary,
    params,
    body,
    status: 200,
    answer: nodeStatusSchema,
    refusals,
    handle: async ({ lab, params: { node }, body: { force = false } }) => {
      const machine = machineOf(lab, node);
      if (machine instanceof Refusal) return machine;
      await carryOut(machine, force);
      return lab.nodes().find((status) => status.node === node)!;
    },
  });
}

export const nodeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/nodes',
    summary: 'Nodes, their cards and their machines',
    status: 200,
    answer: z.strictObject({ nodes: z.array(nodeStatusSchema) }),
    handle: ({ lab }) => ({ nodes: lab.nodes() }),
  }),
  order('start', 'Starts a machine, and answers when QEMU does', (machine) => machine.start()),
  order('stop', 'Stops a machine, and answers when it is gone', (machine, isForced) => machine.stop(isForced)),
  order('restart', 'Stops a machine and starts it again', (machine, isForced) => machine.restart(isForced)),
  route({
    method: 'GET',
    path: '/v1/nodes/{node}/console',
    summary: "Where a machine's serial console is",
    params,
    status: 200,
    answer: consoleSchema,
    refusals,
    handle: async ({ lab, params: { node } }) => {
      const machine = machineOf(lab, node);
      if (machine instanceof Refusal) return machine;
      if (machine.state !== 'running') {
        return new Refusal(409, 'not-running', `${node} is ${machine.state}; start it with vmlan node start ${node}`);
      }
      const { console: socket, consoleLog: log } = machine.places;
      return { socket, log, taken: await machine.hasConsoleUser() };
    },
  }),
];

function machineOf(lab: RunningLab, node: string): RunningMachine | Refusal {
  const machine = lab.machines.get(node);
  if (machine !== undefined) return machine;
  const { name, nics } = lab.plan;
  const nodes = [...new Set(nics.map((nic) => nic.node))];
  if (nodes.includes(node)) {
    return new Refusal(
      409,
      'yours',
      `${node} is yours to start and stop; give it qemu: in the lab file to let vmlan do it`,
    );
  }
  const has = nodes.length === 0 ? 'it has none' : `it has ${nodes.join(', ')}`;
  return new Refusal(404, 'no-such-node', `${name} has no node ${node}; ${has}`);
}

/** `vmlan node`: the machines of a running lab that vmlan starts. */
import { json } from 'node:stream/consumers';
import { callControl, getControl } from '../control/client.ts';
import type { NodeStatus } from '../lab/node-status-schema.ts';
import { fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export interface NodeCommand {
  readonly lab?: string;
  readonly force?: true;
  readonly json?: true;
}

const ORDERED = { start: 'runs', stop: 'is stopped', restart: 'runs again' } as const;

/** All at once; one that fails does not keep the others from it. */
export async function orderNodes(
  order: keyof typeof ORDERED,
  nodes: readonly string[],
  { lab: name, force }: NodeCommand,
): Promise<void> {
  const lab = await findLab(name, '--lab NAME');
  const outcomes = await Promise.allSettled(
    nodes.map(async (node) => {
      const path = `/v1/nodes/${encodeURIComponent(node)}/${order}`;
      await json(await callControl(lab, 'POST', path, { force: force === true }));
      print(`${node} ${ORDERED[order]}`);
    }),
  );
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  if (failures.length > 0) fail(failures.map(({ message }) => message).join('\nvmlan: '));
}

/** `how` names a lab where several run. */
export async function listNodes({ lab, json: asJson }: NodeCommand, how: 'NAME' | '--lab NAME'): Promise<void> {
  const answer = await getControl<{ nodes: readonly NodeStatus[] }>(await findLab(lab, how), '/v1/nodes');
  if (asJson) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.nodes.map(({ node, state, pid, uptime, nics, ended }) => [
    node,
    state,
    pid === undefined ? '-' : String(pid),
    uptime === undefined ? '-' : `${uptime} s`,
    nics.map(({ name, connected }) => `${name}${connected ? '' : ' (waiting)'}`).join(', '),
    state === 'stopped' ? (ended?.message ?? '') : '',
  ]);
  print(table(['NODE', 'STATE', 'PID', 'UP FOR', 'CARDS', 'ENDED'], rows));
}

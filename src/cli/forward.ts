/** `vmlan forward`: ports of the host that lead to machines of a running lab. */
import { json } from 'node:stream/consumers';
import { ControlError, callControl, getControl } from '../control/client.ts';
import type { ForwardRequest } from '../control/forwards.ts';
import type { ForwardEntry } from '../lab/status-schemas.ts';
import { EXIT_FAILURE, EXIT_USAGE, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export interface ForwardCommand {
  readonly lab?: string;
  readonly network?: string;
  readonly json?: true;
}

const FORWARDS = '/v1/forwards';

export async function addForward(rule: string, options: ForwardCommand): Promise<void> {
  const lab = await findLab(options.lab, '--lab NAME');
  const asked: ForwardRequest = { rule, ...(options.network !== undefined && { network: options.network }) };
  const answer = await callControl(lab, 'POST', FORWARDS, asked).catch(refused);
  const entry = (await json(answer)) as ForwardEntry;
  print(options.json ? JSON.stringify(entry, undefined, 2) : `${entry.id}  ${entry.rule}`);
}

/** By its id, its place to listen, or its rule. */
export async function removeForward(which: string, options: ForwardCommand): Promise<void> {
  const lab = await findLab(options.lab, '--lab NAME');
  await callControl(lab, 'DELETE', `${FORWARDS}/${encodeURIComponent(which)}`).catch(refused);
}

export async function listForwards(options: ForwardCommand): Promise<void> {
  const answer = await getControl<{ forwards: readonly ForwardEntry[] }>(
    await findLab(options.lab, '--lab NAME'),
    FORWARDS,
  );
  if (options.json) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.forwards.map(({ id, network, rule, connections }) => [
    id,
    network,
    rule,
    connections === undefined ? '-' : String(connections),
  ]);
  print(table(['ID', 'NETWORK', 'RULE', 'CONNECTIONS'], rows));
}

/** What the operator wrote wrongly, and what the host refused. */
function refused(error: Error): never {
  const isHosts = error instanceof ControlError && HOST_CODES.has(error.code);
  fail(error.message, error instanceof ControlError && !isHosts ? EXIT_USAGE : EXIT_FAILURE);
}

const HOST_CODES: ReadonlySet<string> = new Set([
  'address-in-use',
  'no-such-address',
  'permission-denied',
  'no-descriptors',
  'cannot-listen',
]);

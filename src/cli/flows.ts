import { getControl } from '../control/client.ts';
import type { FlowStatus } from '../lab/status-schemas.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export async function flows(lab: string | undefined, options: { readonly json?: true }): Promise<void> {
  const answer = await getControl<{ flows: readonly FlowStatus[] }>(await findLab(lab, 'NAME'), '/v1/flows');
  if (options.json) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.flows.map((flow) => [
    flow.network,
    flow.protocol,
    flow.initiator,
    flow.guest,
    flow.peer ?? '*',
    flow.target ?? '*',
    flow.state,
    String(flow.fromGuest),
    String(flow.toGuest),
  ]);
  const headings = ['NETWORK', 'PROTOCOL', 'BEGAN', 'GUEST', 'PEER', 'TARGET', 'STATE', 'OCTETS OUT', 'OCTETS IN'];
  print(table(headings, rows));
}

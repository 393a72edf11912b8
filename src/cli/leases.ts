import { getControl } from '../control/client.ts';
import type { LeaseStatus } from '../lab/status-schemas.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export async function leases(lab: string | undefined, options: { readonly json?: true }): Promise<void> {
  const answer = await getControl<{ leases: readonly LeaseStatus[] }>(await findLab(lab, 'NAME'), '/v1/leases');
  if (options.json) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.leases.map((lease) => [
    lease.network,
    lease.address,
    lease.mac,
    lease.hostname ?? '-',
    lease.state,
    new Date(lease.expires * 1000).toISOString().replace('.000', ''),
  ]);
  print(table(['NETWORK', 'ADDRESS', 'MAC', 'HOST NAME', 'STATE', 'EXPIRES'], rows));
}

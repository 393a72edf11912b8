import { getControl } from '../control/client.ts';
import type { MacStatus } from '../lab/status-schemas.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export async function macs(lab: string | undefined, options: { readonly json?: true }): Promise<void> {
  const answer = await getControl<{ macs: readonly MacStatus[] }>(await findLab(lab, 'NAME'), '/v1/macs');
  if (options.json) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.macs.map(({ network, mac, vlan, port, idle, addresses = [] }) => [
    network,
    mac,
    vlan === 0 ? '-' : String(vlan),
    port,
    `${idle} s`,
    addresses.length === 0 ? '-' : addresses.join(' '),
  ]);
  print(table(['NETWORK', 'MAC', 'VLAN', 'PORT', 'SILENT FOR', 'IPV6 ADDRESSES'], rows));
}

/** `vmlan dns`: the names of a running lab, and who answers for others. */
import { getControl } from '../control/client.ts';
import type { NamesStatus } from '../lab/status-schemas.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export async function dns(lab: string | undefined, options: { readonly json?: true }): Promise<void> {
  const answer = await getControl<{ networks: readonly NamesStatus[] }>(await findLab(lab, 'NAME'), '/v1/names');
  if (options.json) {
    print(JSON.stringify(answer, undefined, 2));
    return;
  }
  for (const { network, server, ipv6Server, domain, forward, others } of answer.networks) {
    print(
      `network ${network}: names at ${[server, ipv6Server].filter((each) => each !== undefined).join(' and ')}${domain === undefined ? '' : `, in ${domain}`}`,
    );
    for (const route of forward) print(`  ${route.domain} is asked of ${route.servers.join(', ')}`);
    print(`  other names ${others === 'host' ? "are asked of the host's name servers" : elsewhere(others)}`);
  }
  print();
  const rows = answer.networks.flatMap(({ network, names, records }) => [
    ...names.map(({ name, address }) => [network, name, address.includes(':') ? 'AAAA' : 'A', address]),
    ...records.map(({ name, type, data }) => [network, name, type, data]),
  ]);
  print(table(['NETWORK', 'NAME', 'TYPE', 'DATA'], rows));
}

function elsewhere(servers: readonly string[]): string {
  return servers.length === 0 ? 'are not found' : `are asked of ${servers.join(', ')}`;
}

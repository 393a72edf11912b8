import { readLabFile } from './lab-file.ts';
import { print } from './report.ts';

export async function check(file: string, options: { readonly json?: true }): Promise<void> {
  const plan = readLabFile(file, options);
  if (options.json) print(JSON.stringify({ event: 'lab-well', file, issues: [] }));
  else print(`${file}: lab ${plan.name} is well (networks: ${plan.networks.length}, cards: ${plan.nics.length})`);
}

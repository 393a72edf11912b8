import { readLabFile } from './lab-file.ts';
import { print } from './report.ts';

export async function check(file: string, options: { readonly json?: true }): Promise<void> {
  const plan = readLabFile(file, options);
  if (options.json) print(JSON.stringify({ file, issues: [] }, undefined, 2));
  else print(`${file}: lab ${plan.name} is well: ${plan.networks.length} networks, ${plan.nics.length} cards`);
}

import type { Workbench } from '../../support/workbench.ts';

/** The fields of every packet of a capture that passes a display filter, as tshark reads them. */
export async function tshark(
  bench: Workbench,
  file: string,
  filter: string,
  fields: readonly string[],
): Promise<string[][]> {
  const child = await bench.run('tshark', [
    '-n',
    '-r',
    file,
    '-Y',
    filter,
    '-T',
    'fields',
    ...fields.flatMap((field) => ['-e', field]),
  ]);
  if (child.status !== 0) throw new Error(`tshark could not read ${file}: ${child.stderr}`);
  return child.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

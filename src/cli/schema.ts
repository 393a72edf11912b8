import { labJsonSchema } from '../lab/json-schema.ts';
import { print } from './report.ts';

/** Beside the program, as it is shipped. */
const FILE = new URL('../../lab.schema.json', import.meta.url);

export async function schema(options: { readonly json?: true }): Promise<void> {
  print(options.json ? JSON.stringify(labJsonSchema()) : `# yaml-language-server: $schema=${FILE}`);
}

/** The files and variables that a lab file on this machine may ask for. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import type { LabSurroundings } from '../lab/surroundings.ts';
import { firstOpenPort } from './first-open-port.ts';

/** Variables are those of the process, and where it has none those of a file `.env` beside the lab file. */
export function labSurroundings(labFile: string): LabSurroundings {
  const beside = read(join(dirname(labFile), '.env'));
  const variables = { ...('text' in beside && parseEnv(beside.text)), ...process.env };
  return {
    read,
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    firstOpenPort: firstOpenPort(),
  };
}

function read(file: string): { readonly text: string } | { readonly fault: string } {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { fault: isAbsent ? 'there is no such file' : (error as Error).message };
  }
}

/** Writes `lab.schema.json`, which editors use to complete and check lab files: `npx tsx scripts/write-schema.ts`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { labJsonSchema } from '../src/lab/json-schema.ts';

const file = fileURLToPath(new URL('../lab.schema.json', import.meta.url));
writeFileSync(file, JSON.stringify(labJsonSchema()));
execFileSync('npx', ['biome', 'format', '--write', file], { stdio: 'inherit' });

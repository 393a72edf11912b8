import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { labJsonSchema } from '../../src/lab/json-schema.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('lab.schema.json', () => {
  it('is what the program checks by; `npx tsx scripts/write-schema.ts` renews it', () => {
    expect(JSON.parse(read('lab.schema.json'))).toEqual(JSON.parse(JSON.stringify(labJsonSchema())));
  });

  it('knows every key that a valid lab uses', () => {
    const known = JSON.stringify(labJsonSchema());
    const keys = read('fixtures/labs/valid/every-setting.yaml').matchAll(/\b([a-z-]+): /g);
    for (const [, key] of keys) expect(known).toContain(`"${key}"`);
  });
});

/** What is wrong with a lab that an editor can see, and what only its merged whole shows. */
const SEEN = new Set(['unknown-key', 'out-of-range']);
const SEEN_SOMETIMES = new Set([
  ...SEEN,
  'empty',
  'wrong-type',
  'bad-value',
  'bad-name',
  'missing-key',
  'not-supported',
]);

describe('an editor that checks by lab.schema.json', () => {
  const isWell = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(read('lab.schema.json')));

  it.each(labsIn('valid'))('finds nothing wrong with %s', (name) => {
    expect(isWell(parse(read(`fixtures/labs/valid/${name}.yaml`))) || isWell.errors).toBe(true);
  });

  it.each(labsIn('invalid').filter((name) => !/yaml|aliases|duplicate|two-documents|variables/.test(name)))(
    'sees of %s what is to be seen',
    (name) => {
      const codes = read(`fixtures/labs/invalid/${name}.issues`).matchAll(/^\d\S* \S+ (\S+)$/gm);
      const found = [...codes].map(([, code]) => code!);
      const wasWell = isWell(parse(read(`fixtures/labs/invalid/${name}.yaml`)));
      if (found.some((code) => SEEN.has(code))) expect(wasWell).toBe(false);
      if (!found.some((code) => SEEN_SOMETIMES.has(code))) expect(wasWell || isWell.errors).toBe(true);
    },
  );
});

function labsIn(kind: 'valid' | 'invalid'): readonly string[] {
  const files = readdirSync(new URL(`../../fixtures/labs/${kind}`, import.meta.url));
  return files.filter((file) => file.endsWith('.yaml')).map((file) => file.replace('.yaml', ''));
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { labJsonSchema } from '../../src/lab/schema.ts';

describe('lab.schema.json', () => {
  it('is what the program checks by; `npx tsx scripts/write-schema.ts` renews it', () => {
    const committed = JSON.parse(readFileSync(new URL('../../lab.schema.json', import.meta.url), 'utf8'));
    expect(committed).toEqual(JSON.parse(JSON.stringify(labJsonSchema())));
  });

  it('knows every key that a valid lab uses', () => {
    const known = JSON.stringify(labJsonSchema());
    const text = readFileSync(new URL('../../fixtures/labs/valid/every-setting.yaml', import.meta.url), 'utf8');
    const keys = text.matchAll(/\b([a-z-]+): /g);
    for (const [, key] of keys) expect(known).toContain(`"${key}"`);
  });
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { INTENDED } from './support/intended-differences.ts';

it("README.md has a row for each intended difference from QEMU's user network, and no other", () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(Object.keys(INTENDED).sort());
});

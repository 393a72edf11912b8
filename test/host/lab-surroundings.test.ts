import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { labSurroundings } from '../../src/host/lab-surroundings.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmlan-surroundings-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('variables are those of the environment, and where it has none those of .env beside the lab', () => {
  writeFileSync(join(folder, '.env'), 'VMLAN_A=file\nexport VMLAN_B="of the file" # a comment\n');
  vi.stubEnv('VMLAN_A', 'environment');
  const { variable } = labSurroundings(join(folder, 'lab.yaml'));
  expect(['VMLAN_A', 'VMLAN_B', 'VMLAN_C', 'toString'].map(variable)).toEqual([
    'environment',
    'of the file',
    undefined,
    undefined,
  ]);
});

it('a file is read, or it is told why not', () => {
  writeFileSync(join(folder, 'base.yaml'), 'name: base\n');
  const { read } = labSurroundings(join(folder, 'lab.yaml'));
  expect(read(join(folder, 'base.yaml'))).toEqual({ text: 'name: base\n' });
  expect(read(join(folder, 'none.yaml'))).toEqual({ fault: 'there is no such file' });
  expect(read(folder)).toEqual({ fault: expect.stringMatching(/directory/) });
});

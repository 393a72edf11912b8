import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatPath } from '../../src/base/issue.ts';
import type { LabIssue } from '../../src/lab/issue.ts';
import { readLab } from '../../src/lab/read-lab.ts';
import type { LabSurroundings } from '../../src/lab/surroundings.ts';
import { planText } from '../support/plan-text.ts';

const FOLDER = new URL('../../fixtures/labs/', import.meta.url);
const VARIABLES: Readonly<Record<string, string>> = { LAB_NET: '10.7.0.0/24', LAB_MTU: '9000', LAB_NOTHING: '' };

describe('a lab that is valid', () => {
  it.each(labsIn('valid'))('%s becomes its plan', async (name) => {
    const result = readLab(read(`valid/${name}.yaml`), `${name}.yaml`, surroundings('valid'));
    if ('issues' in result) expect(result.issues).toEqual([]);
    else await expect(planText(result.plan)).toMatchFileSnapshot(fileURLToPath(new URL(`valid/${name}.plan`, FOLDER)));
  });
});

describe('a lab that is wrong', () => {
  it.each(labsIn('invalid'))('%s yields exactly its issues, each with its line', (name) => {
    expect(issuesOf(name).map(place).join('')).toBe(read(`invalid/${name}.issues`));
  });

  it.each(labsIn('invalid'))('%s is told in sentences without a stop, over one line', (name) => {
    for (const { message, hint = '' } of issuesOf(name)) {
      expect(message).toMatch(/^\S[^\n]*[^.\n]$/);
      expect(hint).toMatch(/^[^\n]*[^.\n]?$/);
    }
  });
});

function labsIn(kind: 'valid' | 'invalid'): string[] {
  const files = readdirSync(new URL(kind, FOLDER)).filter((file) => file.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(kind === 'valid' ? 5 : 24);
  return files.map((file) => file.replace(/\.yaml$/, ''));
}

function issuesOf(name: string): readonly LabIssue[] {
  const result = readLab(read(`invalid/${name}.yaml`), `${name}.yaml`, surroundings('invalid'));
  return 'issues' in result ? result.issues : [];
}

/** The folder of the labs, and a few variables; ports from 1024 on are open to everyone. */
function surroundings(kind: 'valid' | 'invalid'): LabSurroundings {
  const open = (file: string) => ({ text: read(`${kind}/${file}`) });
  return {
    read: (file) => (existsSync(new URL(`${kind}/${file}`, FOLDER)) ? open(file) : { fault: 'there is no such file' }),
    variable: (name) => VARIABLES[name],
    firstOpenPort: 1024,
  };
}

function read(path: string): string {
  return readFileSync(new URL(path, FOLDER), 'utf8');
}

/** `4:42 nodes.web.nics[0].address address-taken`; a dot is the lab itself, and a file that it extends is named in front. */
function place({ file, line, column, path, code }: LabIssue): string {
  const extended = file.includes('/') ? `${file}:` : '';
  return `${extended}${line}:${column} ${formatPath(path) || '.'} ${code}\n`;
}

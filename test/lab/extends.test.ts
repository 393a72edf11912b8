import { expect, it } from 'vitest';
import { formatLabIssue } from '../../src/lab/issue.ts';
import { readLab } from '../../src/lab/read-lab.ts';
import type { LabSurroundings } from '../../src/lab/surroundings.ts';
import { NO_SURROUNDINGS } from '../../src/lab/surroundings.ts';

const REST = 'networks: { lan: {} }\nnodes: { vm: { nics: [lan] } }\n';

it('finds files from the folder of the file that names them, and tells of them as the lab file was named', () => {
  const files = {
    'labs/parts/base.yaml': 'extends: more/low.yaml',
    'labs/parts/more/low.yaml': 'networks: { lan: { mtu: 1 } }',
  };
  expect(issueLines('labs/office.yaml', `extends: ./parts/base.yaml\n${REST}`, files)).toEqual([
    'labs/parts/more/low.yaml:1:25 networks.lan.mtu: must be at least 68',
  ]);
});

it('takes files that are named from the root of the file system', () => {
  const files = { '/srv/base.yaml': 'capture: lan.pcapng' };
  const result = readLab(`extends: /srv/base.yaml\n${REST}`, 'office.yaml', surroundings(files));
  expect(result).toMatchObject({ plan: { captures: [{ file: '/srv/lan.pcapng' }] } });
});

it('reads a limited number of files, however they extend each other', () => {
  const twice = (i: number) => [`${i}.yaml`, `extends: [${i + 1}.yaml, ${i + 1}.yaml]`] as const;
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => twice(i)));
  const lines = issueLines('lab.yaml', `extends: [0.yaml, 1.yaml]\n${REST}`, { ...files, '40.yaml': '' });
  expect(lines).toEqual([expect.stringMatching(/^\d+\.yaml:1:\d+ extends\[\d\]: these are more than 64 files; /)]);
});

it('asks for no file and no variable in a lab that names none', () => {
  const never = () => expect.unreachable();
  expect(readLab(REST, 'lab.yaml', { read: never, variable: never, firstOpenPort: 0 })).toHaveProperty('plan');
});

function surroundings(files: Readonly<Record<string, string>>): LabSurroundings {
  const read = (file: string) => (files[file] === undefined ? { fault: 'it is not there' } : { text: files[file] });
  return { ...NO_SURROUNDINGS, read };
}

function issueLines(file: string, text: string, files: Readonly<Record<string, string>>): readonly string[] {
  const result = readLab(text, file, surroundings(files));
  return 'issues' in result ? result.issues.map(formatLabIssue) : [];
}

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { machineFindings } from '../../src/host/machine-files.ts';
import { readLab } from '../../src/lab/read-lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LAB = `networks: { lan: {} }
nodes:
  web:
    nics: [lan]
    qemu:
      command: ./qemu
      kernel: vmlinuz
      initrd: initrd.img
      append: quiet
      disk: [root.img, nbd:localhost:10809]
`;

function findingsIn(folder: string): string[] {
  const read = readLab(LAB, 'lab.yaml');
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  return machineFindings(read.plan.machines![0]!, folder).map(({ code, path }) => `${path.at(-1)} ${code}`);
}

it('what a machine needs and is not there is found, and a raw image that is none', () => {
  const folder = temporaryFolder();
  expect(findingsIn(folder)).toEqual(['command no-program', 'kernel no-file', 'initrd no-file', 'disk no-file']);
  for (const name of ['qemu', 'vmlinuz', 'initrd.img']) writeFileSync(join(folder, name), '');
  chmodSync(join(folder, 'qemu'), 0o755);
  writeFileSync(join(folder, 'root.img'), 'QFI\xfb', 'latin1');
  expect(findingsIn(folder)).toEqual(['disk bad-format']);
  writeFileSync(join(folder, 'root.img'), 'QFI');
  expect(findingsIn(folder)).toEqual([]);
});

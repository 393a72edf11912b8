import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { missingFiles } from '../../src/host/lab-files.ts';
import { readLab } from '../../src/lab/read-lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LAB = `capture: all.pcapng
networks:
  lan:
    capture: captures/lan.pcapng
    boot: { tftp: ./boot, bootfile: menu.ipxe }
nodes:
  web: { nics: [lan, { network: lan, capture: none/web.pcapng }] }
`;

function findingsIn(folder: string): string[] {
  const read = readLab(LAB, 'lab.yaml');
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  const { plan, locate } = read;
  return missingFiles(plan, folder)
    .map((finding) => locate(finding))
    .map(({ line, column, path, code }) => `${line}:${column} ${path.join('.')} ${code}`);
}

it('what a lab file names and is not there is found with its place', () => {
  const folder = temporaryFolder();
  const captures = ['4:14 networks.lan.capture no-folder', '7:47 nodes.web.nics.1.capture no-folder'];
  expect(findingsIn(folder).sort()).toEqual([captures[0], '5:19 networks.lan.boot.tftp no-folder', captures[1]].sort());
  mkdirSync(join(folder, 'boot'));
  mkdirSync(join(folder, 'captures'));
  expect(findingsIn(folder)).toEqual(['5:37 networks.lan.boot.bootfile no-file', captures[1]]);
  writeFileSync(join(folder, 'boot', 'menu.ipxe'), '');
  mkdirSync(join(folder, 'none'));
  expect(findingsIn(folder)).toEqual([]);
});

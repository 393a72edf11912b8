import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFolderTree } from '../../src/host/folder-tree.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A folder `tftp` with files and traps, beside a secret. */
function folder(): string {
  const root = temporaryFolder();
  mkdirSync(join(root, 'tftp', 'grub'), { recursive: true });
  mkdirSync(join(root, 'tftp-other'));
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(root, 'tftp-other', 'secret'), 'secret');
  writeFileSync(join(root, 'tftp', 'boot'), '0123456789');
  writeFileSync(join(root, 'tftp', 'grub', 'grub.cfg'), 'menu');
  symlinkSync('../boot', join(root, 'tftp', 'grub', 'inside'));
  symlinkSync('../secret', join(root, 'tftp', 'outside'));
  symlinkSync('../tftp-other', join(root, 'tftp', 'outside-folder'));
  symlinkSync('/etc', join(root, 'tftp', 'etc'));
  execFileSync('mkfifo', [join(root, 'tftp', 'pipe')]);
  return join(root, 'tftp');
}

async function content(path: string): Promise<string | undefined> {
  const file = await (await openFolderTree(folder())).open(path);
  if (file === undefined) return undefined;
  const octets = await file.read(0, file.size);
  await file.close();
  return new TextDecoder().decode(octets);
}

describe('reaches the files of the folder', () => {
  it.each([
    ['boot', '0123456789'],
    ['/boot', '0123456789'],
    ['//./boot', '0123456789'],
    ['grub/grub.cfg', 'menu'],
    ['\\grub\\grub.cfg', 'menu'],
    ['grub/inside', '0123456789'],
  ])('%s', async (path, expected) => {
    expect(await content(path)).toBe(expected);
  });
});

describe('reaches nothing else', () => {
  it.each([
    '../secret',
    'grub/../../secret',
    '..\\secret',
    '../tftp-other/secret',
    'outside',
    'outside-folder/secret',
    'etc/passwd',
    '/etc/passwd',
    'nothing',
    'grub',
    'pipe',
    '',
    '/',
    '.',
    'boot\0.txt',
    `${'a'.repeat(5000)}`,
  ])('%j', async (path) => {
    expect(await content(path)).toBeUndefined();
  });
});

it('reads pieces, shorter ones only at the end', async () => {
  const file = await (await openFolderTree(folder())).open('boot');
  const piece = async (at: number, length: number) => new TextDecoder().decode(await file!.read(at, length));
  expect([await piece(2, 3), await piece(8, 10), await piece(20, 5)]).toEqual(['234', '89', '']);
  await file!.close();
});

it('rejects what is not a folder', async () => {
  await expect(openFolderTree(join(folder(), 'boot'))).rejects.toThrow('not a folder');
  await expect(openFolderTree(join(folder(), 'nothing'))).rejects.toThrow();
});

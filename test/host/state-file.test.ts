import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStateFile } from '../../src/host/state-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('gives back what was saved last', async () => {
  const file = openStateFile(join(temporaryFolder(), 'leases.json'));
  await file.save('one');
  await file.save('two');
  expect(await file.load()).toBe('two');
});

it('knows nothing before the first save', async () => {
  expect(await openStateFile(join(temporaryFolder(), 'none', 'leases.json')).load()).toBeUndefined();
});

it('makes its folder for the user alone, and leaves nothing beside the document', async () => {
  const folder = join(temporaryFolder(), 'vmlan', 'lab');
  await openStateFile(join(folder, 'leases.json')).save('text');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'leases.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['leases.json']);
});

it('leaves the old document whole where the new one cannot be written', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'leases.json');
  const file = openStateFile(path);
  await file.save('old');
  mkdirSync(`${path}.new`);
  await expect(file.save('new')).rejects.toThrow();
  expect(await file.load()).toBe('old');
});

it('keeps a useless document aside', async () => {
  const path = join(temporaryFolder(), 'leases.json');
  writeFileSync(path, 'garbage');
  const file = openStateFile(path);
  await file.setAside();
  expect(await file.load()).toBeUndefined();
  expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe('garbage');
});

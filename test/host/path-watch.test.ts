import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { awaitPath } from '../../src/host/path-watch.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

const freshPath = (): string => join(temporaryFolder(), 'vm.sock');

it('tells everybody who waits for a file when it is there, once, and nobody else', async () => {
  const path = freshPath();
  const told: string[] = [];
  awaitPath(path, () => told.push('first'));
  awaitPath(path, () => told.push('second'));
  awaitPath(path, () => told.push('gone'))!();
  const stop = awaitPath(`${path}.other`, () => told.push('other'))!;
  writeFileSync(path, '');
  await waitFor(() => told.length > 0);
  expect(told).toEqual(['first', 'second']);
  stop();
});

it('tells when the folder goes, and waits in the next one of its name', async () => {
  const path = freshPath();
  const told: string[] = [];
  awaitPath(path, () => told.push('folder'));
  rmSync(dirname(path), { recursive: true });
  await waitFor(() => told.length > 0);
  expect(awaitPath(path, () => told.push('never'))).toBe(undefined);
  mkdirSync(dirname(path));
  awaitPath(path, () => told.push('file'));
  writeFileSync(path, '');
  await waitFor(() => told.length > 1);
  expect(told).toEqual(['folder', 'file']);
});

it('does not wait for what is there', () => {
  const path = freshPath();
  writeFileSync(path, '');
  expect(awaitPath(path, () => undefined)).toBe(undefined);
});

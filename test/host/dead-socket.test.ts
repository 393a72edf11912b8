import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { removeDeadSockets } from '../../src/host/dead-socket.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('what a killed vmlan listened at is removed, and nothing else of its folder', async () => {
  const folder = temporaryFolder();
  const dying = `process.chdir(${JSON.stringify(folder)});
    const listen = (path, then) => require('net').createServer().listen(path, then);
    listen('exec-1.port.sock', () => listen('web.lan.qemu', () => process.kill(process.pid, 'SIGKILL')));`;
  spawnSync(process.execPath, ['-e', dying]);
  expect(readdirSync(folder).sort()).toEqual(['exec-1.port.sock', 'web.lan.qemu']);
  writeFileSync(join(folder, 'file.sock'), '');
  const living = createServer().listen(join(folder, 'living.sock'));
  onTestFinished(() => void living.close());
  await once(living, 'listening');
  await removeDeadSockets(folder);
  expect(readdirSync(folder).sort()).toEqual(['file.sock', 'living.sock', 'web.lan.qemu']);
});

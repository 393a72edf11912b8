import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openSmbShare } from '../../src/host/smb-share.ts';
import type { FolderShare } from '../../src/lab/environment.ts';
import { describeWith } from '../support/describe-with.ts';
import { Workbench } from '../support/workbench.ts';

/** A TCP port of the share: smbclient knows no unix sockets. */
async function portOf(share: FolderShare): Promise<string> {
  const server = createServer((client) => {
    const smbd = connect(share.path);
    client.on('error', () => smbd.destroy()).pipe(smbd);
    smbd.on('error', () => client.destroy()).pipe(client);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return String((server.address() as AddressInfo).port);
}

describeWith(['smbclient', '/usr/sbin/smbd'], 'an SMB share', () => {
  it('lets smbclient read and write the folder, and leaves nothing behind', async () => {
    const bench = new Workbench();
    const folder = bench.makeFolder('shared');
    writeFileSync(bench.path('shared/a.txt'), 'from the host');
    const share = await openSmbShare(folder);
    const words = ['-N', '-p', await portOf(share), '//127.0.0.1/qemu', '-c'];
    const read = await bench.run('smbclient', [
      ...words,
      `get a.txt ${bench.path('b.txt')}; put ${bench.path('b.txt')} c.txt`,
    ]);
    expect(read.status, read.transcript).toBe(0);
    expect(readFileSync(bench.path('shared/c.txt'), 'utf8')).toBe('from the host');
    await share.close();
    expect(existsSync(dirname(share.path))).toBe(false);
  });

  it('leaves nothing behind where its socket cannot be', async () => {
    const bench = new Workbench();
    const folder = bench.makeFolder('x'.repeat(100));
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(openSmbShare(folder)).rejects.toMatchObject({ code: 'cannot-listen' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is refused for what is no folder', async () => {
    await expect(openSmbShare('/dev/null')).rejects.toMatchObject({ code: 'cannot-listen' });
  });
});

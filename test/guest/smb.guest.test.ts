import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HostListener, HostStream, HostStreamEvents } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { SmbServer } from '../../src/host/smb-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A port of loopback whose clients reach the server, each over a stream of its own. */
async function portOf(server: SmbServer): Promise<number> {
  const listener: HostListener = await new NodeHostNet().listen(
    { kind: 'tcp', endpoint: { address: new Uint8Array([127, 0, 0, 1]), port: 0 } },
    (client) => {
      const far = server.connect(into(client));
      client.resume();
      return into(far);
    },
  );
  onTestFinished(() => listener.close());
  return listener.at.kind === 'tcp' ? listener.at.endpoint.port : 0;
}

function into(other: HostStream): HostStreamEvents {
  return {
    opened: () => undefined,
    failed: () => other.reset(),
    received: (bytes) => other.write(bytes.slice()),
    ended: () => other.finish(),
    drained: () => undefined,
    closed: (how) => (how === 'finished' ? undefined : other.reset()),
  };
}

describe('a folder shared by smbd, which with smbclient must be installed', () => {
  it('is read and written by a real client', async () => {
    const folder = join(temporaryFolder(), 'shared folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'from-host'), 'hello guest');
    const server = await SmbServer.open(folder);
    onTestFinished(() => server.close());
    const port = await portOf(server);
    const [got, put] = [join(temporaryFolder(), 'got'), join(temporaryFolder(), 'put')];
    writeFileSync(put, 'hello host');
    const words = `get from-host ${got}; put ${put} from-guest`;
    await promisify(execFile)('smbclient', ['//127.0.0.1/qemu', '-p', `${port}`, '-U%', '-c', words]);
    expect(readFileSync(got, 'utf8')).toBe('hello guest');
    expect(readFileSync(join(folder, 'from-guest'), 'utf8')).toBe('hello host');
  });
});

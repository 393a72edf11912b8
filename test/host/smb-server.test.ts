import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HostListener, HostStream, HostStreamEvents } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { findSmbd, SmbServer } from '../../src/host/smb-server.ts';
import { HeardStream } from '../support/heard-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

function sharedFolder(): string {
  const folder = join(temporaryFolder(), 'shared folder');
  mkdirSync(folder);
  return folder;
}

async function openServer(folder: string, program?: string): Promise<SmbServer> {
  const server = await SmbServer.open(folder, { program });
  onTestFinished(() => server.close());
  return server;
}

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

/** Programs in the place of smbd. */
function program(script: string): string {
  const path = join(temporaryFolder(), 'smbd');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe('a folder shared by smbd', () => {
  it.runIf(findSmbd() !== undefined)('is read and written by a real client', async () => {
    const folder = sharedFolder();
    writeFileSync(join(folder, 'from-host'), 'hello guest');
    const port = await portOf(await openServer(folder));
    const [got, put] = [join(temporaryFolder(), 'got'), join(temporaryFolder(), 'put')];
    writeFileSync(put, 'hello host');
    const words = `get from-host ${got}; put ${put} from-guest`;
    await promisify(execFile)('smbclient', ['//127.0.0.1/qemu', '-p', `${port}`, '-U%', '-c', words]);
    expect(readFileSync(got, 'utf8')).toBe('hello guest');
    expect(readFileSync(join(folder, 'from-guest'), 'utf8')).toBe('hello host');
  });

  it('gives each connection a process whose standard input and output are one Internet socket', async () => {
    const server = await openServer(sharedFolder(), program('readlink /proc/$$/fd/0 /proc/$$/fd/1; cat'));
    const heard = [new HeardStream(), new HeardStream()] as const;
    const streams = heard.map(({ events }) => server.connect(events));
    for (const [i, stream] of streams.entries()) stream.write(new TextEncoder().encode(`over ${i}`));
    for (const stream of streams) stream.finish();
    await waitFor(() => heard.every(({ log }) => log.includes('closed finished')));
    for (const [i, { text }] of heard.entries()) {
      const [input, output, rest] = text.split('\n');
      expect(input).toMatch(/^socket:/);
      expect([output, rest]).toEqual([input, `over ${i}`]);
    }
  });

  it('is refused to whoever else connects', async () => {
    const before = new Set(loopbackPorts());
    await openServer(sharedFolder(), program('echo served'));
    const [port] = loopbackPorts().filter((each) => !before.has(each));
    const stranger = connect({ host: '127.0.0.1', port: port! });
    let heard = '';
    stranger.on('data', (bytes) => {
      heard += bytes;
    });
    await new Promise((resolve) => stranger.on('error', resolve).on('close', resolve));
    expect(heard).toBe('');
  });

  it('leaves nothing behind', async () => {
    const server = await SmbServer.open(sharedFolder(), { program: program('exec sleep 600') });
    const heard = new HeardStream();
    server.connect(heard.events);
    const state = readdirSync(tmpdir()).filter((name) => name.startsWith('vmlan-smb-'));
    expect(state).not.toEqual([]);
    await waitFor(() => heard.log.includes('opened'));
    await server.close();
    await waitFor(() => heard.log.some((event) => event.startsWith('closed') || event === 'ended'));
    expect(state.filter((name) => existsSync(join(tmpdir(), name))).length).toBeLessThan(state.length);
  });

  it('says what is missing', async () => {
    expect(findSmbd('/nowhere') ?? 'none').toMatch(/none|\/s?bin\/smbd$/);
    const missing = SmbServer.open('/nowhere/at/all');
    await expect(missing).rejects.toThrow('there is no folder /nowhere/at/all to share; make it first');
    const odd = join(temporaryFolder(), '100%');
    mkdirSync(odd);
    await expect(SmbServer.open(odd)).rejects.toThrow(/cannot be shared; choose a folder of a simpler name$/);
  });
});

/** Ports that somebody of this machine listens on at 127.0.0.1. */
function loopbackPorts(): readonly number[] {
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const match = /^\s*\d+: 0100007F:([0-9A-F]{4}) 00000000:0000 0A/.exec(line);
    return match === null ? [] : [Number.parseInt(match[1]!, 16)];
  });
}

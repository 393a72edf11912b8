import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
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
  const server = await SmbServer.open(folder, program);
  onTestFinished(() => server.close());
  return server;
}

/** Programs in the place of smbd. */
function program(script: string): string {
  const path = join(temporaryFolder(), 'smbd');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe('a folder shared by smbd', () => {
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
    const server = await SmbServer.open(sharedFolder(), program('exec sleep 600'));
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

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HostStream, StreamTarget } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { Child } from '../support/child.ts';
import { HeardStream } from '../support/heard-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

const LOOPBACK = new Uint8Array([127, 0, 0, 1]);
const PROBE = fileURLToPath(new URL('../support/descriptor-probe.ts', import.meta.url));
const net = new NodeHostNet();

function tcp(port: number, address = LOOPBACK): StreamTarget {
  return { kind: 'tcp', endpoint: { address, port } };
}

async function listen(at: StreamTarget, heard = new HeardStream()) {
  const accepted: HostStream[] = [];
  const listener = await net.listen(at, (stream) => {
    accepted.push(stream);
    return heard.events;
  });
  onTestFinished(async () => {
    for (const stream of accepted) stream.reset();
    await listener.close();
  });
  return { listener, accepted };
}

async function outcomeOf(to: StreamTarget, source?: Uint8Array): Promise<string> {
  const heard = new HeardStream();
  const stream = net.connect(to, heard.events, source === undefined ? {} : { source });
  onTestFinished(() => stream.reset());
  await waitFor(() => heard.log.length > 0);
  return heard.log[0]!;
}

describe('a stream that cannot connect', () => {
  it('was refused where nobody listens', async () => {
    const { listener } = await listen(tcp(0));
    await listener.close();
    expect(await outcomeOf(listener.at)).toBe('failed refused');
  });

  it('finds no file where there is no unix socket, and a refusal where its owner is dead', async () => {
    const path = join(temporaryFolder(), 'none');
    expect(await outcomeOf({ kind: 'unix', path })).toBe('failed no-such-file');
  });

  it('leaves from the address that was asked for', async () => {
    const from: (Uint8Array | undefined)[] = [];
    const listener = await net.listen(tcp(0), (stream, client) => {
      from.push(client?.address);
      onTestFinished(() => stream.reset());
      return new HeardStream().events;
    });
    onTestFinished(() => listener.close());
    expect(await outcomeOf(listener.at, new Uint8Array([127, 0, 0, 9]))).toBe('opened');
    await waitFor(() => from.length === 1);
    expect(from).toEqual([new Uint8Array([127, 0, 0, 9])]);
  });
});

describe('a listener', () => {
  it('says whose address it is not, and that one is taken', async () => {
    const elsewhere = net.listen(tcp(0, new Uint8Array([192, 0, 2, 1])), () => new HeardStream().events);
    await expect(elsewhere).rejects.toMatchObject({
      code: 'no-such-address',
      message: 'tcp:192.0.2.1:0 is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are',
    });
    const { listener } = await listen(tcp(0));
    const taken = net.listen(listener.at, () => new HeardStream().events);
    await expect(taken).rejects.toThrow(/is taken; stop its owner or choose another$/);
  });

  it("keeps a unix socket for its user, removes it at the end, and replaces a dead one's", async () => {
    const path = join(temporaryFolder(), 'socket');
    const { listener } = await listen({ kind: 'unix', path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await listener.close();
    await waitFor(() => !existsSync(path));
    const dying = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', dying]);
    expect(existsSync(path)).toBe(true);
    const { listener: second } = await listen({ kind: 'unix', path });
    expect(await outcomeOf(second.at)).toBe('opened');
  });

  it('listens over IPv6 beside IPv4', async () => {
    const loopback6 = new Uint8Array(16);
    loopback6[15] = 1;
    const { listener } = await listen(tcp(0, loopback6));
    expect(await outcomeOf(listener.at)).toBe('opened');
  });
});

describe('streams of one process', () => {
  it('carry more octets than the kernel holds, in order, while the other end is paused at times', async () => {
    const heard = new HeardStream();
    const { listener, accepted } = await listen(tcp(0), heard);
    const near = new HeardStream();
    const client = net.connect(listener.at, near.events);
    onTestFinished(() => client.reset());
    await waitFor(() => accepted.length === 1 && near.log.length === 1);
    const piece = new Uint8Array(100_000).map((_, i) => i % 251);
    for (let i = 0; i < 200; i++) client.write(piece.slice());
    expect(client.queued).toBeGreaterThan(1_000_000);
    client.finish();
    accepted[0]!.resume();
    await waitFor(() => heard.log.includes('ended'));
    expect(heard.octets).toBe(200 * 100_000);
    expect(heard.sum).toBe(200 * piece.reduce((sum, octet) => sum + octet, 0));
    expect(near.log).toContain('drained');
  });

  it('are refused by name without descriptors; clients that come then do no harm, and all goes on afterwards', async () => {
    const probe = `ulimit -n 120; exec "$0" --import tsx "$1"`;
    const child = new Child('/bin/sh', ['-c', probe, process.execPath, PROBE], process.env);
    const lines = () => child.stdout.split('\n').slice(0, -1);
    const line = async (count: number) => {
      await waitFor(() => lines().length >= count || !child.running);
      expect(child.stderr).toBe('');
      return JSON.parse(lines()[count - 1]!);
    };
    const at = tcp(await line(1));
    child.write('exhaust\n');
    const refused = 'failed no-descriptors';
    expect(await line(2)).toEqual({
      connect: refused,
      run: refused,
      listen: 'no-descriptors',
      bind: 'no-descriptors',
      sends: true,
    });
    const unlucky = new HeardStream();
    net.connect(at, unlucky.events);
    await waitFor(() => unlucky.log.some((event) => /^(ended|closed|failed)/.test(event)));
    child.write('recover\n');
    expect(await line(3)).toBe('opened');
    const lucky = new HeardStream();
    const stream = net.connect(at, lucky.events);
    await waitFor(() => lucky.text === 'hello');
    stream.reset();
    await child.stop();
  });
});

describe('a command', () => {
  it('has the stream as its standard input and output', async () => {
    const heard = new HeardStream();
    const stream = net.run('tr a-z A-Z', heard.events);
    expect(heard.log).toEqual([]);
    stream.write(new TextEncoder().encode('hello'));
    stream.finish();
    await waitFor(() => heard.log.includes('closed finished'));
    expect(heard.text).toBe('HELLO');
    expect(heard.log).toEqual(['opened', 'received', 'ended', 'closed finished']);
  });

  it('ends its side when it exits, and is a line for the shell', async () => {
    const heard = new HeardStream();
    const stream = net.run('printf "%s" "$((6 * 7))"; exit 3', heard.events);
    onTestFinished(() => stream.reset());
    await waitFor(() => heard.log.includes('ended'));
    expect(heard.text).toBe('42');
  });

  it('is killed with its children by a reset', async () => {
    const heard = new HeardStream();
    // In the background a shell gives its child no input, so the child is one that needs none.
    const stream = net.run('sh -c "echo \\$\\$; exec sleep 600" & wait', heard.events);
    await waitFor(() => heard.text.endsWith('\n'));
    const grandchild = Number(heard.text);
    expect(isRunning(grandchild)).toBe(true);
    stream.reset();
    await waitFor(() => !isRunning(grandchild));
    expect(heard.log).toEqual(['opened', 'received']);
  });
});

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

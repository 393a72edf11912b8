import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SocketAddress } from '../../src/base/socket-address.ts';
import { openDoor } from '../../src/host/doors.ts';
import { StartError } from '../../src/host/start-error.ts';
import type { Arrival, DoorMode, LeaveReason } from '../../src/link/arrival.ts';
import { batchOf } from '../../src/link/frame-batch.ts';
import type { Port } from '../../src/link/port.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

interface Guest {
  readonly port: Port;
  readonly heard: FakePort;
  readonly drops: FakeDrops;
  readonly left: LeaveReason[];
}

/** A door that takes everybody; `guests` are those who came, in order. */
async function doorAt(mode: DoorMode, address: SocketAddress) {
  const guests: Guest[] = [];
  const door = await openDoor(mode, address, (arrival: Arrival) => {
    const guest = { heard: new FakePort(), drops: new FakeDrops(), left: [] as LeaveReason[] };
    const port = arrival.accept(guest.drops, (why) => guest.left.push(why));
    port.attach(guest.heard);
    guests.push({ port, ...guest });
  });
  onTestFinished(() => door.close());
  return { door, guests };
}

function framed(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

function machineAt(address: SocketAddress): Socket {
  const socket = connect(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const unixAddress = (): SocketAddress => ({ kind: 'unix', path: join(temporaryFolder(), 'vm.sock') });

describe.each([
  ['a unix socket', unixAddress],
  ['a TCP socket', (): SocketAddress => ({ kind: 'tcp', host: '127.0.0.1', port: 0 })],
])('a door that listens at %s', (_name, address) => {
  it('carries frames both ways and tells when the machine hangs up', async () => {
    const { door, guests } = await doorAt('listen', address());
    const machine = machineAt(door.address);
    const received: Buffer[] = [];
    machine.on('data', (chunk) => received.push(chunk));
    machine.write(Buffer.concat([framed(frame(B, A)), framed(frame(B, A, 9000))]));
    await waitFor(() => guests[0]?.heard.frames.length === 2);
    expect(guests[0]!.heard.frames).toEqual([frame(B, A), frame(B, A, 9000)]);

    guests[0]!.port.push(batchOf([frame(A, B), frame(A, B, 1514)]), 0, 2);
    const expected = Buffer.concat([framed(frame(A, B)), framed(frame(A, B, 1514))]);
    await waitFor(() => Buffer.concat(received).length === expected.length);
    expect(Buffer.concat(received).equals(expected)).toBe(true);

    machine.destroy();
    await waitFor(() => guests[0]!.left.length > 0);
    expect(guests[0]!.left).toEqual([{ kind: 'hung-up' }]);
  });

  it('takes several machines', async () => {
    const { door, guests } = await doorAt('listen', address());
    for (let i = 0; i < 3; i++) machineAt(door.address).write(framed(frame(B, A + i)));
    await waitFor(() => guests.length === 3 && guests.every(({ heard }) => heard.frames.length === 1));
  });

  it.each([
    [0, 'zero-length'],
    [69_633, 'oversized-length'],
  ] as const)('closes on length %i, with the reason', async (length, kind) => {
    const { door, guests } = await doorAt('listen', address());
    const machine = machineAt(door.address);
    let isClosed = false;
    machine.on('close', () => (isClosed = true)).resume();
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(length);
    machine.write(prefix);
    await waitFor(() => guests[0]?.left.length === 1 && isClosed);
    expect(guests[0]!.left).toEqual([{ kind, length }]);
  });
});

it('says how much waits for a machine that does not read, and what waits arrives whole', async () => {
  const { door, guests } = await doorAt('listen', unixAddress());
  const machine = machineAt(door.address);
  machine.pause();
  await waitFor(() => guests.length === 1);
  const { port } = guests[0]!;
  const sent = Buffer.concat(Array.from({ length: 400 }, (_, i) => framed(frame(A, B, 1500, i))));
  for (let i = 0; i < 400; i++) {
    const batch = batchOf([frame(A, B, 1500, i)]);
    port.push(batch, 0, 1);
    if (batch.loan === undefined) batch.bytes.fill(0xff); // whoever lent the bytes uses them again
  }
  expect(port.queued).toBeGreaterThan(100_000);
  const received: Buffer[] = [];
  machine.on('data', (chunk) => received.push(chunk)).resume();
  await waitFor(() => Buffer.concat(received).length === sent.length);
  expect(Buffer.concat(received).equals(sent)).toBe(true);
});

describe('a door that connects', () => {
  it('waits for the machine and comes back whenever it does', async () => {
    const address = unixAddress() as { readonly kind: 'unix'; readonly path: string };
    const { guests } = await doorAt('connect', address);
    for (let round = 0; round < 2; round++) {
      const server = createServer((socket) => socket.write(framed(frame(B, A, 60, round))));
      const sockets: Socket[] = [];
      server.on('connection', (socket) => sockets.push(socket));
      await new Promise<void>((resolve) => server.listen(address.path, resolve));
      await waitFor(() => guests[round]?.heard.frames.length === 1);
      for (const socket of sockets) socket.destroy();
      server.close();
      await waitFor(() => guests[round]!.left.length === 1);
    }
    expect(guests.map(({ heard }) => heard.frames[0]![20])).toEqual([0, 1]);
  });
});

it('a door that cannot connect says why, once, and a machine that is not there yet is no trouble', async () => {
  const troubles: string[] = [];
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  const trouble = (code: string) => troubles.push(code);
  const absent = await openDoor('connect', { kind: 'unix', path: join(folder, 'none') }, () => undefined, trouble);
  const wrong = await openDoor('connect', { kind: 'unix', path: join(folder, 'file', 'x') }, () => undefined, trouble);
  onTestFinished(async () => void (await Promise.all([absent.close(), wrong.close()])));
  await waitFor(() => troubles.length > 0);
  expect(troubles).toEqual(['ENOTDIR']);
});

it('counts what it is given for a machine that has hung up', async () => {
  const { door, guests } = await doorAt('listen', unixAddress());
  const machine = machineAt(door.address);
  await waitFor(() => guests.length === 1);
  const { port, drops } = guests[0]!;
  machine.pause();
  while (port.queued === 0) port.push(batchOf([frame(A, B, 9000)]), 0, 1);
  machine.end();
  await waitFor(() => {
    port.push(batchOf([frame(A, B)]), 0, 1);
    return drops.counts['port-closing'] === 1;
  });
});

describe('a path', () => {
  it('is taken over when its owner was killed, and unlinked at the end', async () => {
    const address = unixAddress() as { readonly kind: 'unix'; readonly path: string };
    await leaveDeadSocket(address.path);
    const { door } = await doorAt('listen', address);
    expect(statSync(address.path).mode & 0o777).toBe(0o600);
    await door.close();
    expect(existsSync(address.path)).toBe(false);
  });

  it('that somebody listens at is refused, with the remedy', async () => {
    const address = unixAddress();
    await doorAt('listen', address);
    await expect(doorAt('listen', address)).rejects.toThrow(/in use by a running program; stop it or choose another/);
  });

  it('in a folder that does not exist, too long, or of another file is refused', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'precious');
    for (const path of [join(folder, 'none', 'a.sock'), join(folder, 'x'.repeat(120)), join(folder, 'file')]) {
      await expect(doorAt('listen', { kind: 'unix', path })).rejects.toThrow(StartError);
    }
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('precious');
  });
});

/** What a killed process leaves: the path of a socket that nobody listens at. */
async function leaveDeadSocket(path: string): Promise<void> {
  const { execFileSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script, path]);
  } catch {
    // it was killed, as it should be
  }
  expect(existsSync(path)).toBe(true);
}

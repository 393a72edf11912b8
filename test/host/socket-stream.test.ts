import { readdirSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import type { HostStreamEvents } from '../../src/base/host-net.ts';
import { Loan } from '../../src/base/loan.ts';
import { SocketStream } from '../../src/host/socket-stream.ts';
import { waitFor } from '../support/wait-for.ts';

const CHUNK = new Uint8Array(64 * 1024);
const PIECES = 20_000;

let server: Server | undefined;
const streams: SocketStream[] = [];

afterEach(() => {
  for (const stream of streams.splice(0)) stream.reset();
  server?.close();
});

/** Streams to a server that does not read before it is told to. */
async function stalled(count: number) {
  const clients: Socket[] = [];
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    clients.push(socket.on('error', () => undefined)); // the stream resets it
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const near = await Promise.all(Array.from({ length: count }, () => connected(port)));
  await waitFor(() => clients.length === count);
  return { near, clients };
}

async function connected(port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const write = vi.spyOn(socket, 'write');
  await new Promise((resolve) => socket.once('connect', resolve));
  const stream = new SocketStream(() => socket);
  streams.push(stream);
  let drained = 0;
  const silent = () => undefined;
  const events: HostStreamEvents = {
    opened: silent,
    failed: silent,
    received: silent,
    ended: silent,
    drained: () => void drained++,
    closed: silent,
  };
  stream.tell(events);
  stream.open();
  let sent = 0;
  while (stream.queued === 0) {
    stream.write(CHUNK.slice());
    sent += CHUNK.length;
  }
  return { stream, write, sent, drains: () => drained };
}

/** Lends one buffer and tells how often it is held. */
function lending() {
  let held = 0;
  return {
    retain: () => {
      held++;
      const loan = new Loan(CHUNK);
      loan.extend();
      return loan;
    },
    get held() {
      return held;
    },
  };
}

it('small pieces for a peer that does not read cost few writes and no loans, and arrive in order', async () => {
  const { near, clients } = await stalled(1);
  const [{ stream, write, sent, drains }] = near as [(typeof near)[0]];
  const lender = lending();
  write.mockClear();
  const before = stream.queued;
  for (let i = 0; i < PIECES; i++) stream.write(Uint8Array.of(i & 0xff), lender);
  expect(stream.queued).toBe(before + PIECES);
  expect(write.mock.calls.length).toBeLessThan(20);
  expect(lender.held).toBe(0);
  stream.finish();
  const heard: Buffer[] = [];
  let hasEnded = false;
  clients[0]!
    .on('data', (bytes: Buffer) => void heard.push(bytes))
    .on('end', () => {
      hasEnded = true;
    });
  clients[0]!.resume();
  await waitFor(() => hasEnded);
  const all = Buffer.concat(heard);
  expect(all.length).toBe(sent + PIECES);
  expect(all.subarray(sent).every((octet, i) => octet === (i & 0xff))).toBe(true);
  await waitFor(() => drains() > 0);
  expect(stream.queued).toBe(0);
});

it('small pieces leave when what was before them has left, without an end', async () => {
  const { near, clients } = await stalled(1);
  const [{ stream, sent }] = near as [(typeof near)[0]];
  stream.write(Uint8Array.of(1, 2, 3), lending());
  let octets = 0;
  clients[0]!.on('data', ({ length }: Buffer) => {
    octets += length;
  });
  clients[0]!.resume();
  await waitFor(() => octets === sent + 3);
});

it('many streams that wait borrow few buffers', async () => {
  const { near } = await stalled(100);
  const lender = lending();
  for (const { stream } of near) stream.write(new Uint8Array(20_000), lender);
  expect(lender.held).toBe(64);
});

it.each([0, 1])('a stream that is reset %d turns after its end gives its descriptor back', async (turns) => {
  const { clients } = await stalled(0);
  const { port } = server!.address() as { port: number };
  const before = readdirSync('/proc/self/fd').length;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  const stream = new SocketStream(() => socket);
  await waitFor(() => clients.length === 1);
  stream.finish();
  for (let i = 0; i < turns; i++) await new Promise((resolve) => process.nextTick(resolve));
  stream.reset();
  clients[0]!.destroy();
  await waitFor(() => readdirSync('/proc/self/fd').length <= before);
});

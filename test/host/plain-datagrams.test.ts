import { Socket } from 'node:dgram';
import { afterEach, expect, it, vi } from 'vitest';
import type { HostDatagramEvents, HostDatagramSocket } from '../../src/base/host-net.ts';
import { bindPlainDatagrams, plainDatagrams } from '../../src/host/plain-datagrams.ts';
import { octets } from '../support/stack-peer.ts';
import { waitFor } from '../support/wait-for.ts';

const sockets: HostDatagramSocket[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.close();
});

async function pair() {
  const heard: number[] = [];
  const events: HostDatagramEvents = {
    received: ({ length }) => void heard.push(length),
    refused: () => undefined,
  };
  const far = await bindPlainDatagrams({ address: octets('127.0.0.1'), port: 0 }, events);
  const near = plainDatagrams(4, events);
  sockets.push(near, far);
  await waitFor(() => far.local !== undefined && near.local !== undefined);
  return { near, to: far.local!, heard };
}

it('datagrams beyond what waits already are lost, and those that come later are not', async () => {
  const { near, to, heard } = await pair();
  const waiting = vi.spyOn(Socket.prototype, 'getSendQueueSize').mockReturnValue(256 * 1024 - 100);
  expect(near.send(new Uint8Array(101), to)).toBe(true);
  near.send(new Uint8Array(100), to);
  waiting.mockReturnValue(0);
  near.send(new Uint8Array(102), to);
  await waitFor(() => heard.length === 2);
  expect(heard).toEqual([100, 102]);
});

it('a time to live of none, and a port of none, do no harm', async () => {
  const { near, to, heard } = await pair();
  near.send(new Uint8Array(1), { ...to, port: 0 });
  near.send(new Uint8Array(2), to, { ttl: 0 });
  await waitFor(() => heard.length === 1);
  expect(heard).toEqual([2]);
});

it('a port that is taken is refused, and nothing is left open', async () => {
  const { to } = await pair();
  const closed = vi.spyOn(Socket.prototype, 'close');
  const silent = { received: () => undefined, refused: () => undefined };
  await expect(bindPlainDatagrams(to, silent)).rejects.toMatchObject({ code: 'address-in-use' });
  expect(closed).toHaveBeenCalledTimes(1);
});

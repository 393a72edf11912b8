import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { CallingMachine } from '../support/calling-machine.ts';
import { startVmlan, status } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

const CALLS = 64;

it('a connection that finds no descriptor waits for one, is refused in the end, and is counted', async () => {
  const bench = new Workbench();
  const to = { address: Uint8Array.of(10, 0, 2, 2), port: await startEchoServer() };
  const socket = bench.path('net.sock');
  const vmlan = await startVmlan(bench, ['serve', '--listen', `unix:${socket}`, '--user', 'net=10.0.2.0/24']);
  await status(bench);
  await bench.run('prlimit', ['--pid', String(vmlan.pid), `--nofile=${CALLS}`]); // later: starting, and the first answer, open every file of the program at once
  const machine = await CallingMachine.plugIn(socket);
  onTestFinished(() => machine.unplug());

  for (let i = 0; i < CALLS; i++) machine.call(to, true);
  const refused = () => machine.ends.get('refused') ?? 0;
  await machine.until('an echo or a refusal for each', () => machine.latencies.length + refused() === CALLS);
  expect(refused()).toBeGreaterThan(0);
  expect(machine.latencies.length).toBeGreaterThan(0);

  machine.finishAll();
  await machine.until('the end of each', () => machine.calls.size === 0);
  expect((await status(bench)).networks[0]?.gateway?.counters['fd-limit']).toBe(refused());

  const before = machine.latencies.length;
  machine.call(to, true);
  await machine.until('one more echo', () => machine.latencies.length > before);
});

async function startEchoServer(): Promise<number> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.on('error', () => {}).pipe(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of clients) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

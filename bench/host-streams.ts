/** What an idle connection of the host's network costs in memory, beside a bare socket of Node's. Run with `node --expose-gc --import tsx`. */
import { connect, createServer } from 'node:net';
import type { HostStreamEvents } from '../src/base/host-net.ts';
import { NodeHostNet } from '../src/host/node-host-net.ts';

const CONNECTIONS = 2000;
const LOOPBACK = new Uint8Array([127, 0, 0, 1]);
const silent: HostStreamEvents = {
  opened: () => undefined,
  failed: () => undefined,
  received: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};

function memory(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Octets for a connection with both its ends in this process. */
async function cost(open: (opened: () => void) => unknown): Promise<number> {
  const kept: unknown[] = [];
  const before = memory();
  for (let i = 0; i < CONNECTIONS; i++) await new Promise<void>((resolve) => kept.push(open(resolve)));
  await new Promise(setImmediate);
  return (memory() - before) / kept.length;
}

const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
console.log(
  `bare sockets, both ends: ${Math.round(await cost((opened) => connect(port, '127.0.0.1', opened)))} octets`,
);

const net = new NodeHostNet();
const listener = await net.listen({ kind: 'tcp', endpoint: { address: LOOPBACK, port: 0 } }, (stream) => {
  stream.resume();
  return silent;
});
const streams = await cost((opened) => net.connect(listener.at, { ...silent, opened }));
console.log(`host streams, both ends: ${Math.round(streams)} octets`);
process.exit(0);

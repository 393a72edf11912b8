/**
 * What a connection costs Node itself: opens COUNT sockets, an echo on each, and says how many octets of memory each took.
 *
 *     node --expose-gc bare-clients.mjs COUNT ADDRESS...
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const PORT = 7000;
const [count, ...addresses] = process.argv.slice(2);
const sockets = [];

async function open(address) {
  const socket = connect({ host: address, port: PORT, allowHalfOpen: true, noDelay: true });
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write('x');
  await once(socket, 'data');
  socket.removeAllListeners('data').resume();
}

function resident() {
  globalThis.gc();
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}

for (const address of addresses) await open(address);
const before = resident();
for (let i = 0; i < count; i += 100)
  await Promise.all(Array.from({ length: 100 }, (_, j) => open(addresses[j % addresses.length])));
process.stdout.write(`${(resident() - before) / count}\n`);
process.exit(0);

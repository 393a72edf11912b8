/**
 * Echoes on each address it is given, port 7000, and finishes when its client does. Answers each line of standard input with how many clients
 * it has.
 *
 *     node server.mjs ADDRESS...
 */
import { createServer } from 'node:net';

const PORT = 7000;
const addresses = process.argv.slice(2);
let clients = 0;
let listening = 0;

for (const address of addresses) {
  const server = createServer({ noDelay: true }, (socket) => {
    clients++;
    socket.on('data', (octets) => socket.write(octets));
    socket.on('error', () => socket.destroy()).on('close', () => clients--);
  });
  server.listen({ port: PORT, host: address, backlog: 16_384 }, () => {
    if (++listening === addresses.length) process.stdout.write('ready\n');
  });
}
process.stdin.on('data', () => process.stdout.write(`${clients}\n`));

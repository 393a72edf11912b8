/** Servers of the host for a guest to find, on 127.0.0.1 and a free port; they end with the test. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers what it hears in capitals, and finishes when its client does; `resets`: ends every client with a reset instead. */
export async function startShouter({ resets = false } = {}): Promise<number> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.on('error', () => {}); // a client that resets is a client that left
    if (resets) socket.once('data', () => socket.resetAndDestroy());
    else socket.on('data', (octets) => socket.write(octets.toString('latin1').toUpperCase()));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of clients) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Returns each datagram to its sender; counts them. */
export async function startEcho(): Promise<{ readonly port: number; readonly heard: () => number }> {
  const socket = await boundSocket();
  let heard = 0;
  socket.on('message', (octets, from) => {
    heard++;
    socket.send(octets, from.port, from.address);
  });
  return { port: socket.address().port, heard: () => heard };
}

export async function boundSocket(): Promise<DatagramSocket> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** A client on the host of a forwarded port. */
export async function callHost(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}); // `close` says with an error
  await once(socket, 'connect');
  return socket;
}

/** A port that was free a moment ago, for programs that do not tell which port they were given. */
export async function freePort(kind: 'tcp' | 'udp' = 'tcp'): Promise<number> {
  if (kind === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return port;
  }
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** A listener for programs that reach a lab by SOCKS 5 or by HTTP: the first octet tells which. */
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { SOCKS_VERSION } from '../../wire/socks5.ts';
import { StartError } from '../start-error.ts';
import { httpProxy } from './http-proxy.ts';
import { serveSocks } from './socks-session.ts';
import type { WayIn } from './way-in.ts';

/** Clients at a time; those that come then are closed. */
const MOST_CLIENTS = 512;
/** Milliseconds that a client has to say what it wants. */
const PATIENCE = 10_000;
const LOOPBACK = '127.0.0.1';

export interface ProxyServer {
  readonly port: number;
  /** Clients are cut off. */
  close(): void;
}

/** Listens on 127.0.0.1; port 0 asks for a free one. Rejects with a `StartError` where it cannot. */
export async function listenAsProxy(port: number, way: WayIn): Promise<ProxyServer> {
  const http = httpProxy(way);
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('error', () => undefined); // it has gone
    client.setTimeout(PATIENCE, () => client.destroy());
    client.once('data', (first: Buffer) => {
      client.pause();
      if (first[0] === SOCKS_VERSION) serveSocks(client, way);
      else http.emit('connection', client);
      client.unshift(first);
      client.resume();
    });
  });
  server.maxConnections = MOST_CLIENTS;
  await listening(server, port);
  return {
    port: (server.address() as { readonly port: number }).port,
    close: () => {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is taken; choose another by --port, or 0 for a free one' : `: ${error.message}`;
      reject(new StartError('cannot-listen', `port ${port} of ${LOOPBACK} ${why}`));
    });
    server.listen(port, LOOPBACK);
  });
}

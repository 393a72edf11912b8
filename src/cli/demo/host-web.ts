/** The host's part of the demo: a web server on its loopback, and a client of the forward. */
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PAGE_PATH, PAGE_TEXT } from './lab.ts';

export interface PageServer {
  readonly port: number;
  close(): void;
}

/** Listens on a free port of 127.0.0.1. */
export async function startPageServer(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const isThere = request.url === PAGE_PATH;
    const text = isThere ? PAGE_TEXT : '';
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'text/plain', 'content-length': text.length });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a web server at a port of the host's loopback says; rejects where it says nothing. */
export async function readPage(port: number, path: string): Promise<string> {
  const call = get({ host: '127.0.0.1', port, path, agent: false, timeout: PATIENCE });
  call.on('timeout', () => call.destroy(new Error('no answer')));
  const [answer] = await once(call, 'response');
  return text(answer);
}

/** Milliseconds. */
const PATIENCE = 3000;

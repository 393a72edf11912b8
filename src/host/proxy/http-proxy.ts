/** The part of the proxy that speaks HTTP, RFC 9110: CONNECT, 9.3.6, and requests in absolute form, RFC 9112, 3.2.2. */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, STATUS_CODES, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { joinStreams } from './joined-streams.ts';
import type { WayIn } from './way-in.ts';
import { WayFailure } from './way-in.ts';

/** RFC 9110, 7.6.1: between two neighbours only. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const HTTP_PORT = 80;

/** Connections are given to it by its event `connection`; it listens nowhere. */
export function httpProxy(way: WayIn): Server {
  const server = createServer((request, answer) => void passOn(request, answer, way));
  server.on('connect', (request: IncomingMessage, client: Socket, early: Buffer) => {
    void tunnel(request, client, early, way);
  });
  return server;
}

async function tunnel({ url = '' }: IncomingMessage, client: Socket, early: Buffer, way: WayIn): Promise<void> {
  client.setTimeout(0);
  client.on('error', () => undefined); // who asked has gone
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(url) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    client.end(answerHead(400, `${url} is no HOST:PORT`));
    return;
  }
  try {
    const far = await way.connect(host, Number(port));
    if (early.length > 0) far.write(early);
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    joinStreams(client, far);
  } catch (error) {
    client.end(answerHead(statusOf(error), (error as Error).message));
  }
}

async function passOn(request: IncomingMessage, answer: ServerResponse, way: WayIn): Promise<void> {
  request.socket.setTimeout(0);
  const url = URL.canParse(request.url ?? '') ? new URL(request.url!) : undefined;
  if (url?.protocol !== 'http:') {
    refuse(answer, 400, 'this is a proxy: ask it for http://HOST/PATH, or for CONNECT HOST:PORT');
    return;
  }
  let far: Duplex;
  try {
    far = await way.connect(url.hostname, Number(url.port || HTTP_PORT));
  } catch (error) {
    refuse(answer, statusOf(error), (error as Error).message);
    return;
  }
  if (request.socket.destroyed) {
    far.destroy();
    return;
  }
  const passed = sendRequest(
    {
      createConnection: () => far,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...endToEnd(request.headers), host: url.host, connection: 'close' },
    },
    (said) => {
      if (!begin(answer, said)) far.destroy();
      else pipeline(said, answer, () => far.destroy());
    },
  );
  answer.on('close', () => far.destroy());
  pipeline(request, passed, (error) => {
    if (!error) return;
    if (answer.headersSent) answer.destroy();
    else refuse(answer, 502, `${url.host} gave no answer that is HTTP (${error.message})`);
  });
  passed.on('error', (error) => {
    if (!answer.headersSent) refuse(answer, 502, `${url.host} gave no answer that is HTTP (${error.message})`);
    else answer.destroy();
  });
  passed.on('close', () => refuse(answer, 502, `${url.host} gave no answer that can be passed on`));
}

/** Passes on the head of an answer; false where Node, which reads more than it writes, does not write such a one. */
function begin(answer: ServerResponse, said: IncomingMessage): boolean {
  try {
    answer.writeHead(said.statusCode!, said.statusMessage, endToEnd(said.headers));
    return true;
  } catch {
    return false; // the end of the connection has it refused
  }
}

/** Headers that are not only for the next neighbour. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name) && !named.includes(name));
  return Object.fromEntries(kept);
}

/** RFC 9110, 15.6.3 and 15.6.5: 502 of a server that refuses or is not there, 504 of one that does not answer. */
function statusOf(error: unknown): number {
  if (!(error instanceof WayFailure)) throw error;
  return error.reason === 'timeout' ? 504 : 502;
}

function refuse(answer: ServerResponse, status: number, sentence: string): void {
  if (answer.headersSent) return;
  const headers = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };
  answer.writeHead(status, STATUS_CODES[status], headers);
  answer.end(`vmlan: ${sentence}\n`);
}

function answerHead(status: number, sentence: string): string {
  const body = `vmlan: ${sentence}\n`;
  const length = Buffer.byteLength(body);
  const headers = ['content-type: text/plain; charset=utf-8', `content-length: ${length}`, 'connection: close'];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`;
}

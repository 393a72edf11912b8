/**
 * HTTP by Node's server for clients whose TCP is a stack's of ours.
 *
 * Each connection has one request: its head within Node's limit, no body, one answer, and a limited life, whatever its client does or
 * does not read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { HttpDoor, HttpHandler } from '../service/http/http-door.ts';
import type { TcpEvents, TcpRequest } from '../stack/tcp-layer.ts';
import { ConnectionError, ConnectionStream } from './connection-stream.ts';

const CONNECTION_LIMIT = 16;
/** Octets of a request's first line and headers. */
const HEAD_LIMIT = 8192;
/** Milliseconds. */
const LIFETIME = 30_000;

export function openHttpDoor(handler: HttpHandler, lifetime = LIFETIME): HttpDoor {
  const open = new Map<TcpRequest, ConnectionStream>();
  const server = createServer({ maxHeaderSize: HEAD_LIMIT }, (request, response) =>
    respond(request, response, handler),
  );
  server.on('clientError', (error, socket) => {
    if (error instanceof ConnectionError) return; // it has gone, whatever it wanted
    handler.refused('http-bad-request');
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  const take = (request: TcpRequest) => {
    if (open.size >= CONNECTION_LIMIT) {
      handler.refused('http-busy');
      request.refuse();
      return;
    }
    const accept = (events: TcpEvents) => {
      request.onCancel(() => events.closed('reset'));
      return request.accept(events);
    };
    let overdue: NodeJS.Timeout | undefined;
    let isOver = false;
    const client = new ConnectionStream(accept, true, {
      opened: () => undefined,
      over: () => {
        isOver = true;
        clearTimeout(overdue);
        open.delete(request);
      },
    });
    if (isOver) return;
    open.set(request, client);
    overdue = setTimeout(() => {
      handler.refused('http-slow');
      client.cutOff();
    }, lifetime);
    server.emit('connection', client.stream);
  };
  return {
    take,
    close: () => {
      for (const client of [...open.values()]) client.cutOff();
    },
  };
}

function respond({ method, url = '/' }: IncomingMessage, response: ServerResponse, handler: HttpHandler): void {
  response.shouldKeepAlive = false;
  if (method !== 'GET' && method !== 'HEAD') {
    handler.refused('http-method');
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const { status, type, text } = handler.answer(url.replace(/\?.*$/s, ''));
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(method === 'HEAD' ? undefined : text);
}

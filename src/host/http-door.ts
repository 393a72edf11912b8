/**
 * HTTP by Node's server for clients whose TCP is a stack's of ours.
 *
 * Each connection has one request: its head within Node's limit, no body, one answer, and a limited life, whatever its client does or
 * does not read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import type { HttpDoor, HttpHandler } from '../service/http/http-door.ts';
import type { TcpConnection, TcpRequest } from '../stack/tcp-layer.ts';

const CONNECTION_LIMIT = 16;
/** Octets of a request's first line and headers. */
const HEAD_LIMIT = 8192;
/** Milliseconds. */
const LIFETIME = 30_000;

export function openHttpDoor(handler: HttpHandler, lifetime = LIFETIME): HttpDoor {
  const open = new Set<Client>();
  const server = createServer({ maxHeaderSize: HEAD_LIMIT }, (request, response) =>
    respond(request, response, handler),
  );
  server.on('clientError', (_, socket) => {
    handler.refused('http-bad-request');
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  const take = (request: TcpRequest) => {
    if (open.size >= CONNECTION_LIMIT) {
      handler.refused('http-busy');
      request.refuse();
      return;
    }
    const client = new Client(request, () => {
      clearTimeout(overdue);
      open.delete(client);
    });
    const overdue = setTimeout(() => {
      handler.refused('http-slow');
      client.cutOff();
    }, lifetime);
    open.add(client);
    client.begin((stream) => server.emit('connection', stream));
  };
  return {
    take,
    close: () => {
      for (const client of [...open]) client.cutOff();
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

/** A connection as a stream. */
class Client {
  readonly #request: TcpRequest;
  readonly #onGone: () => void;
  readonly #stream: Duplex;
  #connection: TcpConnection | undefined;
  #isFinished = false;
  #isGone = false;
  /** Octets that the stream has taken in and not asked for more behind. */
  #unread = 0;
  #onDrained: (() => void) | undefined;

  /** `onGone` is called once, when TCP has done with it. */
  constructor(request: TcpRequest, onGone: () => void) {
    this.#request = request;
    this.#onGone = onGone;
    this.#stream = new Duplex({
      read: () => this.#read(),
      write: (bytes: Buffer, _encoding, done) => this.#write(bytes, done),
      final: (done) => this.#finish(done),
      destroy: (error, done) => {
        // What was finished in order may still be on its way.
        if (error !== null || !this.#isFinished) this.cutOff();
        done(error);
      },
    });
    this.#stream.on('error', () => undefined); // whoever it was has gone
  }

  /** Answers the handshake; what the client then says waits until the stream is read. */
  begin(use: (stream: Duplex) => void): void {
    this.#request.onCancel(() => this.#gone());
    const connection = this.#request.accept({
      opened: () => undefined,
      received: (bytes) => this.#received(bytes),
      ended: () => void (this.#stream.destroyed || this.#stream.push(null)),
      drained: () => {
        const done = this.#onDrained;
        this.#onDrained = undefined;
        done?.();
      },
      closed: () => this.#gone(),
    });
    if (this.#isGone) return;
    this.#connection = connection;
    use(this.#stream);
  }

  cutOff(): void {
    this.#connection?.reset();
    this.#gone();
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#connection = undefined;
    this.#onGone();
    this.#stream.destroy();
  }

  #received(bytes: Uint8Array): void {
    this.#unread += bytes.length;
    if (!this.#stream.destroyed) this.#stream.push(Buffer.from(bytes));
  }

  #read(): void {
    this.#connection?.consumed(this.#unread);
    this.#unread = 0;
  }

  #write(bytes: Buffer, done: () => void): void {
    this.#connection?.send(bytes);
    if (this.#connection?.isFull === true) this.#onDrained = done;
    else done();
  }

  #finish(done: () => void): void {
    this.#isFinished = true;
    this.#connection?.finish();
    done();
  }
}

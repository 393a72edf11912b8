/** Serves texts over HTTP (RFC 9112) from a built-in machine: one request, one answer, and the connection ends. */
import { joined } from '../base/joined.ts';
import type { TcpConnection, TcpEvents, TcpLayer, TcpListener } from '../stack/tcp-layer.ts';
import { headEnd } from './http-head.ts';

/** Octets of a request's head that are read. */
const HEAD_LIMIT = 8192;
/** Connections at a time; more are refused. */
const CONNECTION_LIMIT = 64;

/** Listens at `port`; `textAt` gives the text of a path, undefined where there is none. Throws where the port is taken. */
export function serveHttp(tcp: TcpLayer, port: number, textAt: (path: string) => string | undefined): TcpListener {
  let connections = 0;
  return tcp.listen(port, (request) => {
    if (connections >= CONNECTION_LIMIT) {
      request.refuse();
      return;
    }
    connections++;
    const exchange = new Exchange(textAt, () => {
      connections--;
    });
    exchange.connection = request.accept(exchange);
  });
}

class Exchange implements TcpEvents {
  connection: TcpConnection | undefined;
  readonly #textAt: (path: string) => string | undefined;
  readonly #onEnd: () => void;
  #head = new Uint8Array(0);
  #isAnswered = false;

  constructor(textAt: (path: string) => string | undefined, onEnd: () => void) {
    this.#textAt = textAt;
    this.#onEnd = onEnd;
  }

  opened(): void {}

  drained(): void {}

  received(bytes: Uint8Array): void {
    this.connection?.consumed(bytes.length);
    if (this.#isAnswered) return;
    this.#head = joined([this.#head, bytes]);
    if (headEnd(this.#head) !== undefined) this.#answer(new TextDecoder('latin1').decode(this.#head));
    else if (this.#head.length > HEAD_LIMIT) this.#send('431 Request Header Fields Too Large', '');
  }

  ended(): void {
    this.connection?.finish();
  }

  closed(): void {
    this.#onEnd();
  }

  #answer(head: string): void {
    const path = /^GET (\S+) HTTP\/1\.[01]\r\n/.exec(head)?.[1];
    const text = path === undefined ? undefined : this.#textAt(path);
    if (path === undefined) this.#send('400 Bad Request', '');
    else if (text === undefined) this.#send('404 Not Found', `there is no ${path} here\n`);
    else this.#send('200 OK', text);
  }

  #send(status: string, text: string): void {
    this.#isAnswered = true;
    const body = new TextEncoder().encode(text);
    const head = `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n`;
    this.connection?.send(new TextEncoder().encode(head));
    this.connection?.send(body);
    this.connection?.finish();
  }
}

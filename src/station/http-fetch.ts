/** Reads one resource over HTTP/1.0 (RFC 1945): the answer ends with the connection. */
import type { Endpoint } from '../base/endpoint.ts';
import { joined } from '../base/joined.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { TcpConnection, TcpEnd, TcpLayer } from '../stack/tcp-layer.ts';
import { headEnd, headerOf } from './http-head.ts';

export type HttpResult =
  | { readonly kind: 'done'; readonly status: number; readonly octets: Uint8Array }
  /** How the connection ended before the answer was complete, or what was wrong with the answer. */
  | { readonly kind: 'failed'; readonly why: TcpEnd | 'silence' | 'malformed' | 'too-long' };

/** Without a word of the server for so long the fetch has failed. */
const PATIENCE: Millis = 5000;
/** Octets that a machine keeps of one answer. */
const ANSWER_LIMIT = 64 * 1024 * 1024;

export class HttpFetch {
  readonly #scheduler: Scheduler;
  readonly #on: (result: HttpResult) => void;
  #connection: TcpConnection | undefined;
  readonly #timer: Timer;
  readonly #pieces: Uint8Array[] = [];
  #octets = 0;
  #isOver = false;

  /** Connects at once; `on` hears one result. */
  constructor(
    tcp: TcpLayer,
    scheduler: Scheduler,
    from: Uint8Array,
    to: Endpoint,
    { host, path }: { readonly host: string; readonly path: string },
    on: (result: HttpResult) => void,
  ) {
    this.#scheduler = scheduler;
    this.#on = on;
    this.#timer = scheduler.timer(() => this.#fail('silence'));
    this.#wait();
    // On a LAN within this process the whole conversation may pass before `connect` returns: what is sent waits until then.
    let isOpen = false;
    this.#connection = tcp.connect({ address: from, port: 0 }, to, {
      opened: () => {
        isOpen = true;
        if (this.#connection !== undefined) this.#request(host, path);
      },
      received: (bytes) => this.#receive(bytes),
      ended: () => this.#complete(),
      drained: () => undefined,
      closed: (how) => this.#closed(how),
    });
    if (isOpen) this.#request(host, path);
  }

  #request(host: string, path: string): void {
    this.#connection?.send(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n`));
  }

  #wait(): void {
    this.#timer.arm(this.#scheduler.now() + PATIENCE);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#pieces.push(bytes.slice());
    this.#octets += bytes.length;
    this.#connection?.consumed(bytes.length);
    if (this.#octets > ANSWER_LIMIT) this.#fail('too-long');
    else this.#wait();
  }

  #complete(): void {
    if (this.#isOver) return;
    this.#connection?.finish();
    this.#end(resultOf(joined(this.#pieces)));
  }

  #closed(how: TcpEnd): void {
    if (!this.#isOver) this.#end({ kind: 'failed', why: how });
  }

  #fail(why: 'silence' | 'too-long'): void {
    this.#connection?.reset();
    this.#end({ kind: 'failed', why });
  }

  #end(result: HttpResult): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#on(result);
  }
}

/** What an answer says; shorter than it announces, it is malformed. */
function resultOf(answer: Uint8Array): HttpResult {
  const bodyStart = headEnd(answer);
  if (bodyStart === undefined) return { kind: 'failed', why: 'malformed' };
  const head = new TextDecoder('latin1').decode(answer.subarray(0, bodyStart));
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  const length = headerOf(head, 'content-length');
  const octets = answer.subarray(bodyStart);
  if (!(status >= 100) || (length !== undefined && Number(length) !== octets.length))
    return { kind: 'failed', why: 'malformed' };
  return { kind: 'done', status, octets };
}

/**
 * Queries over TCP, RFC 7766: each message behind its length; many in one segment, or one over many; answers in the order in which they
 * are known. A client that has nothing to ask for a while is let go, and when all places are taken the one that has been quiet longest.
 *
 * Limits: `CONNECTION_LIMIT` connections, `PIPELINE_LIMIT` queries of each at a time, and `UNREAD_LIMIT` octets of answers that it has
 * not read; beyond them its octets stay unread and TCP's window closes.
 */
import type { Counters } from '../../base/counters.ts';
import { joined } from '../../base/joined.ts';
import type { Millis, Scheduler, Timer } from '../../base/time.ts';
import type { TcpConnection, TcpEvents, TcpLayer, TcpListener, TcpRequest } from '../../stack/tcp-layer.ts';
import { DNS_PORT } from '../../wire/dns-message.ts';
import { readUint16 } from '../../wire/octets.ts';
import type { DnsClient } from './client.ts';

export const CONNECTION_LIMIT = 64;
export const PIPELINE_LIMIT = 32;
const UNREAD_LIMIT = 128 * 1024;
/** RFC 7766, 6.2.3: in the order of seconds. */
const IDLE: Millis = 10_000;
/** No query is longer. */
const QUERY_LIMIT = 4096;
const LENGTH_PREFIX = 2;

/** Takes a query; false where it is none and the connection makes no sense. `answer` of the client may be called before it returns. */
export type OnQuery = (bytes: Uint8Array, client: DnsClient) => boolean;

export interface StreamsOutside {
  readonly scheduler: Scheduler;
  readonly counters: Counters;
}

/** What the streams need of the gateway's stack. */
export interface StreamsStack {
  readonly tcp: TcpLayer;
  leadsTo(address: Uint8Array): boolean;
}

export class DnsStreams {
  readonly #outside: StreamsOutside;
  readonly #onQuery: OnQuery;
  /** The one that was quiet longest first. */
  readonly #clients = new Set<StreamClient>();
  #listeners: readonly TcpListener[] = [];

  constructor(outside: StreamsOutside, onQuery: OnQuery) {
    this.#outside = outside;
    this.#onQuery = onQuery;
  }

  start(stack: StreamsStack, addresses: readonly Uint8Array[]): void {
    this.#listeners = addresses.map((address) =>
      stack.tcp.listen(DNS_PORT, (request) => this.#request(request, stack), address),
    );
  }

  stop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
    for (const client of [...this.#clients]) client.reset();
  }

  get size(): number {
    return this.#clients.size;
  }

  #request(request: TcpRequest, stack: StreamsStack): void {
    if (!stack.leadsTo(request.from.address)) {
      this.#outside.counters.add('dns-off-link');
      request.refuse();
    } else if (this.#clients.size >= CONNECTION_LIMIT && !this.#makeRoom()) {
      this.#outside.counters.add('dns-tcp-busy');
      request.refuse();
    } else {
      const client = new StreamClient(this.#outside, this.#onQuery, {
        active: () => this.#moveLast(client),
        closed: () => this.#clients.delete(client),
      });
      this.#clients.add(client);
      client.accept(request);
    }
  }

  #makeRoom(): boolean {
    for (const client of this.#clients) {
      if (!client.isIdle) continue;
      client.reset();
      return true;
    }
    return false;
  }

  #moveLast(client: StreamClient): void {
    this.#clients.delete(client);
    this.#clients.add(client);
  }
}

interface StreamClientEvents {
  active(): void;
  closed(): void;
}

/** One connection, as who asks and as what TCP tells. */
class StreamClient implements DnsClient, TcpEvents {
  readonly limit = 0;
  readonly isStream = true;
  readonly #outside: StreamsOutside;
  readonly #onQuery: OnQuery;
  readonly #events: StreamClientEvents;
  readonly #timer: Timer;
  #connection: TcpConnection | undefined;
  /** Octets that are not asked yet. */
  #input: Uint8Array = new Uint8Array(0);
  /** Queries that are not answered yet. */
  #waiting = 0;
  #isReading = false;
  #hasEnded = false;
  #isFinished = false;
  #isOver = false;

  constructor(outside: StreamsOutside, onQuery: OnQuery, events: StreamClientEvents) {
    this.#outside = outside;
    this.#onQuery = onQuery;
    this.#events = events;
    this.#timer = outside.scheduler.timer(() => this.#idled());
  }

  accept(request: TcpRequest): void {
    this.#rearm();
    request.onCancel(() => this.closed());
    this.#connection = request.accept(this);
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  opened(): void {}

  received(bytes: Uint8Array): void {
    if (this.#isOver || this.#isFinished) {
      this.#connection?.consumed(bytes.length);
      return;
    }
    this.#rearm();
    this.#events.active();
    this.#input = joined([this.#input, bytes]);
    this.#read();
  }

  /** Asks what is whole, as far as the limits let it. */
  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    let at = 0;
    while (!this.#isOver && this.#mayAsk() && this.#input.length - at >= LENGTH_PREFIX) {
      const length = readUint16(this.#input, at);
      if (length > QUERY_LIMIT) {
        this.#outside.counters.add('dns-malformed');
        this.reset();
        break;
      }
      const end = at + LENGTH_PREFIX + length;
      if (end > this.#input.length) break;
      this.#waiting++;
      this.#outside.counters.add('dns-tcp-queries');
      if (!this.#onQuery(this.#input.subarray(at + LENGTH_PREFIX, end), this)) {
        this.reset();
        break;
      }
      at = end;
    }
    this.#isReading = false;
    if (this.#isOver) return;
    if (at > 0) {
      this.#input = this.#input.slice(at);
      this.#connection?.consumed(at);
    }
    this.#finishIfDone();
  }

  #mayAsk(): boolean {
    return this.#waiting < PIPELINE_LIMIT && (this.#connection?.unacknowledged ?? 0) < UNREAD_LIMIT;
  }

  answer(framed: Uint8Array): void {
    if (this.#isOver) return;
    this.#waiting--;
    this.#rearm();
    this.#connection?.send(framed);
    this.#read();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#finishIfDone();
  }

  /** RFC 7766, 6.2.4: who has finished asking is still answered. */
  #finishIfDone(): void {
    const isReadOut = this.#input.length < LENGTH_PREFIX || !this.#hasWhole();
    if (this.#hasEnded && this.#waiting === 0 && isReadOut) this.#finish();
  }

  #hasWhole(): boolean {
    return this.#input.length >= LENGTH_PREFIX + readUint16(this.#input, 0);
  }

  drained(): void {
    this.#read();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#events.closed();
  }

  reset(): void {
    if (this.#isOver) return;
    this.#connection?.reset();
    this.closed();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#connection?.finish();
  }

  #rearm(): void {
    this.#timer.arm(this.#outside.scheduler.now() + IDLE);
  }

  #idled(): void {
    if (this.#waiting > 0) {
      this.#rearm();
    } else if (this.#isFinished) {
      this.reset();
    } else {
      this.#finish();
      this.#rearm();
    }
  }
}

/** A TCP connection of a stack of our own as a stream of Node's: what is not read closes the window, what is not acknowledged in time stops the writer. */
import { Duplex } from 'node:stream';
import type { TcpConnection, TcpEnd, TcpEvents } from '../stack/tcp-layer.ts';

/** The connection did not open, or was cut off. */
export class ConnectionError extends Error {
  readonly end: TcpEnd;

  constructor(end: TcpEnd) {
    super(`the connection ended: ${end}`);
    this.name = 'ConnectionError';
    this.end = end;
  }
}

export type OpenConnection = (events: TcpEvents) => TcpConnection;

export interface ConnectionStreamEvents {
  opened(stream: Duplex): void;
  /** The connection is over; undefined where we cut it off. Comes once. */
  over(end: TcpEnd | undefined): void;
}

export class ConnectionStream {
  readonly stream: Duplex;
  readonly #events: ConnectionStreamEvents;
  #connection: TcpConnection | undefined;
  /** Octets that were given to the stream since its reader asked for more. */
  #unread = 0;
  #onRoom: (() => void) | undefined;
  #isFinished = false;
  #isOver = false;

  /** With `lingers` what was finished still arrives when the stream is destroyed; without it both directions must have ended, or the other side is reset. */
  constructor(open: OpenConnection, lingers: boolean, events: ConnectionStreamEvents) {
    this.#events = events;
    this.stream = new Duplex({
      read: () => this.#read(),
      write: (bytes: Buffer, _encoding, done) => this.#write(bytes, done),
      final: (done) => {
        this.#isFinished = true;
        this.#connection?.finish();
        done();
      },
      destroy: (error, done) => {
        const isDone = this.#isFinished && (lingers || this.stream.readableEnded);
        if (error !== null || !isDone) this.cutOff();
        done(error);
      },
    });
    this.stream.on('error', () => undefined); // whoever uses it hears of it, too
    const connection = open({
      opened: () => events.opened(this.stream),
      received: (bytes) => this.#received(bytes),
      ended: () => void (this.stream.destroyed || this.stream.push(null)),
      drained: () => this.#drained(),
      closed: (end) => this.#closed(end),
    });
    if (!this.#isOver) this.#connection = connection;
  }

  /** Resets the connection, even if the stream is destroyed already. */
  cutOff(): void {
    this.#connection?.reset();
    this.#end(undefined);
    this.stream.destroy();
  }

  #closed(end: TcpEnd): void {
    this.#end(end);
    if (end !== 'finished') this.stream.destroy(new ConnectionError(end));
  }

  #end(end: TcpEnd | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection = undefined;
    this.#drained();
    this.#events.over(end);
  }

  #received(bytes: Uint8Array): void {
    this.#unread += bytes.length;
    if (!this.stream.destroyed) this.stream.push(Buffer.from(bytes));
  }

  #read(): void {
    if (this.#connection === undefined) return;
    this.#connection.consumed(this.#unread);
    this.#unread = 0;
  }

  #write(bytes: Buffer, done: () => void): void {
    this.#connection?.send(bytes);
    if (this.#connection?.isFull === true) this.#onRoom = done;
    else done();
  }

  #drained(): void {
    const done = this.#onRoom;
    this.#onRoom = undefined;
    done?.();
  }
}

/** Opens a connection by `open`; resolves when it is open, and rejects with a `ConnectionError` where it does not. */
export function connectionStream(open: OpenConnection): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    new ConnectionStream(open, false, {
      opened: resolve,
      over: (end = 'reset') => reject(new ConnectionError(end)), // without effect where it was open
    });
  });
}

/** A TCP connection of a stack of our own as a stream of Node's: what is not read closes the window, what is not acknowledged in time stops the writer. */
import { Duplex } from 'node:stream';
import type { TcpConnection, TcpEnd, TcpEvents } from '../../stack/tcp-layer.ts';

/** The connection did not open, or was cut off. */
export class ConnectionError extends Error {
  readonly end: TcpEnd;

  constructor(end: TcpEnd) {
    super(`the connection ended: ${end}`);
    this.name = 'ConnectionError';
    this.end = end;
  }
}

/** Opens a connection by `open`; resolves when it is open, and rejects with a `ConnectionError` where it does not. */
export function connectionStream(open: (events: TcpEvents) => TcpConnection): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let connection: TcpConnection | undefined;
    let isOver = false;
    /** Octets that were given to the stream and that its reader has not asked beyond. */
    let unread = 0;
    let onRoom: (() => void) | undefined;
    const stream = new Duplex({
      allowHalfOpen: true,
      read: () => {
        connection?.consumed(unread);
        unread = 0;
      },
      write: (chunk: Buffer, _encoding, done) => {
        connection?.send(chunk);
        if (connection?.isFull === true) onRoom = done;
        else done();
      },
      final: (done) => {
        connection?.finish();
        done();
      },
      destroy: (error, done) => {
        const isFinished = stream.writableFinished && stream.readableEnded;
        if (!isOver && !isFinished) connection?.reset();
        isOver = true;
        done(error);
      },
    });
    connection = open({
      opened: () => resolve(stream),
      received: (bytes) => {
        const hasRoom = stream.push(Buffer.from(bytes));
        if (hasRoom && connection !== undefined) connection.consumed(bytes.length);
        else unread += bytes.length;
      },
      ended: () => void stream.push(null),
      drained: () => {
        const done = onRoom;
        onRoom = undefined;
        done?.();
      },
      closed: (end) => {
        isOver = true;
        reject(new ConnectionError(end)); // without effect where it was open
        if (end !== 'finished') stream.destroy(new ConnectionError(end));
      },
    });
    stream.on('error', () => undefined); // whoever reads it hears of it, too
  });
}

/**
 * A machine behind a stream socket, in QEMU's framing.
 *
 * Reads land in the framing's own buffer (`onread`), so a chunk costs no allocation. Node offers that for sockets it connects; for
 * accepted ones the handle is moved to a second Socket, which is not public API: where that does not work, 'data' events and one
 * copy do the same.
 */
import { Socket } from 'node:net';
import type { Loan } from '../base/loan.ts';
import type { LeaveReason } from '../link/arrival.ts';
import type { DropSink } from '../link/drops.ts';
import type { FrameBatch, FrameSink } from '../link/frame-batch.ts';
import { LENGTH_PREFIX } from '../link/frame-batch.ts';
import type { Port, PortReceiver } from '../link/port.ts';
import type { FramingFault } from '../link/stream-framing.ts';
import { StreamFraming } from '../link/stream-framing.ts';
import { ReadModeration } from './read-moderation.ts';

/** Milliseconds of silence after which TCP asks whether the other host is still there. */
const KEEPALIVE_DELAY = 10_000;
/** Runs from this length on wait where they lie, shorter ones as copies. */
const RETAINED_OCTETS = 16 * 1024;

export class StreamPort implements Port {
  readonly #socket: Socket;
  readonly #framing: StreamFraming;
  readonly #drops: DropSink;
  readonly #moderation = new ReadModeration();
  readonly #onWritten = () => this.#written();
  /** Of each write that the kernel has not confirmed, oldest first: what is retained until then. */
  readonly #loans: (Loan | undefined)[] = [];
  #receiver: PortReceiver | undefined;
  /** The kernel did not take all at once. */
  #isWaiting = false;
  #leave: LeaveReason = { kind: 'hung-up' };

  /** Takes over a connected, paused socket. `onLeave` is called once, when it is closed. */
  constructor(socket: Socket, drops: DropSink, onLeave: (why: LeaveReason) => void) {
    this.#drops = drops;
    const inward: FrameSink = { push: (batch, first, end) => this.#receiver?.push(batch, first, end) };
    this.#framing = new StreamFraming(inward, drops, (fault, length) => this.#onFault(fault, length));
    this.#socket = readInto(this.#framing, this.#moderation, socket);
    this.#socket.setNoDelay(true).setKeepAlive(true, KEEPALIVE_DELAY);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#socket.on('close', () => {
      for (const loan of this.#loans.splice(0)) loan?.release();
      onLeave(this.#leave);
    });
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  attach(receiver: PortReceiver): void {
    this.#receiver = receiver;
  }

  detach(): void {
    this.#receiver = undefined;
  }

  /** One write for the run. The bytes are kept only where the kernel did not take them at once. */
  push(batch: FrameBatch, first: number, end: number): void {
    const socket = this.#socket;
    if (!socket.writable) {
      this.#drops.dropped('port-closing', batch, first, end);
      return;
    }
    const { bytes } = batch;
    const from = batch.starts[first]! - LENGTH_PREFIX;
    const length = batch.ends[end - 1]! - from;
    this.#moderation.wrote(length);
    if (socket.writableLength > 0 && length < RETAINED_OCTETS) {
      // It will wait in any case: a copy of its own size, or a small frame would hold a whole read buffer.
      this.#loans.push(undefined);
      socket.write(bytes.slice(from, from + length), this.#onWritten);
      return;
    }
    socket.write(Buffer.from(bytes.buffer, bytes.byteOffset + from, length), this.#onWritten);
    const isTaken = socket.writableLength === 0;
    this.#loans.push(isTaken ? undefined : batch.retain());
    if (!isTaken) this.#isWaiting = true;
  }

  close(): void {
    this.#end({ kind: 'closed' });
  }

  /** Writes are confirmed in their order. */
  #written(): void {
    this.#loans.shift()?.release();
    if (this.#socket.writableLength > 0 || !this.#isWaiting) return;
    this.#isWaiting = false;
    this.#receiver?.drained?.();
  }

  #onFault(kind: FramingFault, length: number): void {
    this.#end({ kind, length });
  }

  #onError(error: NodeJS.ErrnoException): void {
    // A killed QEMU resets the connection or breaks the pipe; that is how machines are switched off.
    const isHangUp = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    if (!isHangUp) this.#leave = { kind: 'socket-error', code: error.code ?? error.name };
  }

  #end(why: LeaveReason): void {
    if (this.#socket.destroyed) return;
    this.#leave = why;
    this.#socket.destroy();
  }
}

/** What Node's sockets have beside their public interface, checked before use. */
interface SocketInternals {
  _handle?: { useUserBuffer?: unknown } | null;
}

/** Lets the socket's octets land in the framing's buffer; returns the socket to use from now on. */
function readInto(framing: StreamFraming, moderation: ReadModeration, socket: Socket): Socket {
  const internals = socket as unknown as SocketInternals;
  const handle = internals._handle;
  if (typeof handle?.useUserBuffer !== 'function') return copyInto(framing, socket);
  internals._handle = null;
  const onread = {
    buffer: () => framing.space(),
    callback: (length: number) => {
      moderation.beforeRead();
      moderation.afterRead(framing.received(length), length);
      return true;
    },
  };
  return new Socket({ handle, onread } as unknown as ConstructorParameters<typeof Socket>[0]).resume();
}

function copyInto(framing: StreamFraming, socket: Socket): Socket {
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const space = framing.space();
      const taken = Math.min(space.length, chunk.length - at);
      space.set(chunk.subarray(at, at + taken));
      framing.received(taken);
      at += taken;
    }
  });
  return socket.resume();
}

/**
 * A `HostStream` over one of Node's sockets: TCP, unix, or a child's pipe.
 *
 * All streams read into one buffer: libuv fills it and calls back at once, and its octets are on loan only until `received` returns.
 * So an idle connection owns no buffer. Sockets that Node made itself are moved into one that reads so, which is not public API:
 * where that does not work, 'data' events do the same at the price of an allocation for each read.
 */
import { Socket } from 'node:net';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import type { Lender, Loan } from '../base/loan.ts';
import { connectFailure } from './connect-failure.ts';
import { plainOctets } from './plain-octets.ts';
import { resetSocket } from './reset-socket.ts';

/** Octets that one read takes at most. */
const READ_LENGTH = 256 * 1024;
/** No Buffer: whoever keeps octets says `slice`, which copies them here and does not there. */
const readBuffer = new Uint8Array(READ_LENGTH);

/** A piece up to this size that has to wait is copied: it would hold a whole buffer of its lender. */
const COPY_LIMIT = 16 * 1024;

/** Room for small pieces that wait behind a write: at first, and at most. */
const FIRST_ROOM = 1024;
const MOST_ROOM = 64 * 1024;
/** Loans of all streams; each holds a whole buffer of its lender. Beyond them what is written is copied before. */
const LOAN_LIMIT = 64;
let loansOut = 0;

/** Makes the socket of a stream: half-open allowed, its octets passed to `onBytes`. */
export type MakeSocket = (onBytes: (bytes: Uint8Array) => void) => Socket;

export class SocketStream implements HostStream {
  readonly #socket: Socket;
  readonly #onReset: (() => void) | undefined;
  readonly #onWritten = () => this.#written();
  #events: HostStreamEvents | undefined;
  #isOpen = false;
  #isPaused = false;
  #isReset = false;
  /** The peer's end was read but not told: the stream is paused. */
  #owesEnd = false;
  /** The socket is closed, which is told behind the end. */
  #owesClose = false;
  #error: NodeJS.ErrnoException | undefined;
  /** `queued` has been more than 0 since `drained` was called last. */
  #hasQueued = false;
  #writesBegun = 0;
  #writesDone = 0;
  /** Small pieces that wait: as a write each, one octet would cost hundreds. */
  #gathered: Buffer | undefined;
  #gatheredLength = 0;
  #loans: { readonly write: number; readonly loan: Loan }[] | undefined;

  /** `onReset` is called when we reset the stream. */
  constructor(make: MakeSocket, onReset?: () => void) {
    this.#onReset = onReset;
    this.#socket = make((bytes) => {
      if (!this.#isReset) this.#events?.received(bytes);
    });
    this.#socket.on('end', () => {
      this.#owesEnd = true;
      this.#settle();
    });
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('close', () => {
      this.#owesClose = true;
      this.#returnLoans(Number.POSITIVE_INFINITY);
      this.#settle();
    });
  }

  /** It is open already, and paused. */
  beginPaused(): void {
    this.#isOpen = true;
    this.#isPaused = true;
  }

  /** Says who hears the events. */
  tell(events: HostStreamEvents): void {
    this.#events = events;
  }

  /** The socket has connected. */
  open(): void {
    if (this.#isReset || this.#isOpen) return;
    this.#isOpen = true;
    this.#events?.opened();
    if (!this.#isPaused && !this.#isReset) this.#socket.resume();
  }

  get queued(): number {
    return this.#socket.writableLength + this.#gatheredLength;
  }

  write(bytes: Uint8Array, lender?: Lender): void {
    const socket = this.#socket;
    if (!socket.writable || bytes.length === 0) return;
    if (lender !== undefined && socket.writableLength > 0 && bytes.length <= COPY_LIMIT) {
      this.#gather(bytes);
      return;
    }
    this.#writeGathered();
    if (lender !== undefined && loansOut >= LOAN_LIMIT) {
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      copy.set(bytes);
      this.#writeNow(copy, undefined);
    } else {
      this.#writeNow(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), lender);
    }
  }

  #writeNow(bytes: Buffer, lender: Lender | undefined): void {
    const socket = this.#socket;
    this.#writesBegun++;
    socket.write(bytes, this.#onWritten);
    if (socket.writableLength === 0) return;
    this.#hasQueued = true;
    if (lender === undefined) return;
    loansOut++;
    this.#loans ??= [];
    this.#loans.push({ write: this.#writesBegun, loan: lender.retain() });
  }

  /** Keeps a copy of a small piece until what was written before it is gone, or its room is full. */
  #gather(bytes: Uint8Array): void {
    const room = this.#gathered?.length ?? 0;
    if (this.#gatheredLength + bytes.length > room) {
      this.#writeGathered();
      const wanted = Math.min(MOST_ROOM, Math.max(FIRST_ROOM, 2 * room));
      this.#gathered = Buffer.allocUnsafeSlow(Math.max(wanted, bytes.length));
    }
    this.#gathered!.set(bytes, this.#gatheredLength);
    this.#gatheredLength += bytes.length;
  }

  #writeGathered(): void {
    const bytes = this.#gathered?.subarray(0, this.#gatheredLength);
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    if (bytes !== undefined) this.#writeNow(bytes, undefined);
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
    if (this.#owesEnd) queueMicrotask(() => this.#settle());
  }

  finish(): void {
    this.#writeGathered();
    this.#socket.end();
  }

  reset(): void {
    if (this.#isReset) return;
    this.#isReset = true;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    this.#onReset?.();
    if (!this.#socket.destroyed) resetSocket(this.#socket);
  }

  #written(): void {
    this.#writesDone++;
    this.#returnLoans(this.#writesDone);
    if (this.#isReset || this.#socket.destroyed || this.#socket.writableLength > 0) return;
    this.#writeGathered();
    if (!this.#hasQueued || this.#socket.writableLength > 0) return;
    this.#hasQueued = false;
    if (this.#isOpen) this.#events?.drained();
  }

  /** Releases what the writes up to a number have borrowed. */
  #returnLoans(upTo: number): void {
    const loans = this.#loans;
    while (loans !== undefined && loans.length > 0 && loans[0]!.write <= upTo) {
      loansOut--;
      loans.shift()!.loan.release();
    }
  }

  /** Tells the end and the closing, in this order; both wait while the stream is paused, but for an error. */
  #settle(): void {
    if (this.#isReset) return;
    if (this.#owesEnd && !this.#isPaused) {
      this.#owesEnd = false;
      this.#events?.ended();
    }
    if (!this.#owesClose || this.#isReset || (this.#owesEnd && this.#error === undefined)) return;
    this.#owesClose = false;
    this.#isReset = true; // nothing follows
    if (this.#isOpen) this.#events?.closed(endOf(this.#error));
    else this.#events?.failed(connectFailure(this.#error?.code));
  }
}

function endOf(error: NodeJS.ErrnoException | undefined): 'finished' | 'reset' | 'broken' {
  if (error === undefined) return 'finished';
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'broken';
}

/** How a socket that we make reads into the shared buffer. */
export function onreadInto(onBytes: (bytes: Uint8Array) => void) {
  return {
    buffer: readBuffer,
    callback: (length: number) => {
      onBytes(readBuffer.subarray(0, length));
      return true;
    },
  };
}

/** What Node's sockets have beside their public interface, checked before use. */
interface SocketInternals {
  _handle?: { useUserBuffer?: unknown } | null;
}

/** Moves a paused socket that Node made into one that reads into the shared buffer, paused as well. */
export function moved(socket: Socket, onBytes: (bytes: Uint8Array) => void): Socket {
  const internals = socket as unknown as SocketInternals;
  const handle = internals._handle;
  if (typeof handle?.useUserBuffer !== 'function') {
    return socket.on('data', (chunk: Buffer) => onBytes(plainOctets(chunk))).pause();
  }
  internals._handle = null;
  const options = { handle, onread: onreadInto(onBytes), allowHalfOpen: true, pauseOnCreate: true };
  return new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
}

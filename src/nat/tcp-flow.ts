/**
 * One TCP conversation between a guest and something on the host: two connections, and the octets between them.
 *
 * Theory of operation. The gateway's stack speaks with the guest, the kernel with the other side; a flow carries octets, ends and
 * resets across. Each direction has its own end. Backpressure is the window's and the kernel's: what the host stream has not taken
 * is not given back to the guest's window, and while much waits for the guest's acknowledgement the host stream is paused. A flow is
 * over when both connections are, and every end has a name that is counted.
 *
 *     guest ── received ──> write ──> host       credit: received − queued
 *     guest <── send <── received ── host        paused while it is full, resumed by `drained`
 *
 * Who began waits for the other side: until it is there the flow is `opening`, and a `TcpOpening` decides what its events mean.
 */
import type { Endpoint } from '../base/endpoint.ts';
import type { ConnectFailure, HostStream, HostStreamEnd, HostStreamEvents, StreamTarget } from '../base/host-net.ts';
import type { Lender } from '../base/loan.ts';
import type { TcpConnection, TcpEnd, TcpEvents } from '../stack/tcp-layer.ts';
import type { Flow } from './flow.ts';

/** Waits for the side that was called. Exactly one of these is called. */
export interface TcpOpening {
  opened(): void;
  failed(why: ConnectFailure | TcpEnd): void;
  /** The flow ended before: whoever called is told. */
  abandoned(): void;
}

/** Hears how a flow ended; `cause` is a name to count, undefined of a flow that never opened: why is known to its opening. */
export interface TcpFlowOwner {
  flowEnded(flow: TcpFlow, cause: TcpFlowEnd | undefined): void;
}

export type TcpFlowEnd =
  | 'tcp-finished'
  | 'tcp-guest-reset'
  | 'tcp-guest-timeout'
  /** It did not read, and others needed the memory. */
  | 'tcp-guest-stalled'
  | 'tcp-host-reset'
  | 'tcp-host-broken'
  /** By `close`. */
  | 'tcp-closed';

const GUEST_ENDS: Partial<Record<TcpEnd, TcpFlowEnd>> = { reset: 'tcp-guest-reset', stalled: 'tcp-guest-stalled' };

export interface TcpFlowParties {
  readonly initiator: Flow['initiator'];
  readonly guest: Endpoint;
  readonly peer: Endpoint;
  readonly target: StreamTarget | string | undefined;
}

export class TcpFlow implements Flow {
  readonly initiator: Flow['initiator'];
  readonly guest: Endpoint;
  readonly target: StreamTarget | string | undefined;
  peer: Endpoint;
  fromGuest = 0;
  toGuest = 0;
  readonly #owner: TcpFlowOwner;
  #opening: TcpOpening | undefined;
  #connection: TcpConnection | undefined;
  #stream: HostStream | undefined;
  /** Octets from the guest that its window still misses. */
  #uncredited = 0;
  #isHostPaused = false;
  #hasGuestOpened = false;
  #hasGuestEnded = false;
  #hasHostEnded = false;
  #isGuestOver = false;
  #isHostOver = false;
  #isOver = false;

  constructor({ initiator, guest, peer, target }: TcpFlowParties, owner: TcpFlowOwner) {
    this.initiator = initiator;
    this.guest = guest;
    this.peer = peer;
    this.target = target;
    this.#owner = owner;
  }

  get protocol(): 'tcp' {
    return 'tcp';
  }

  get state(): Flow['state'] {
    if (this.#opening !== undefined) return 'opening';
    return this.#hasGuestEnded || this.#hasHostEnded || this.#isOver ? 'closing' : 'open';
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    this.#end('tcp-closed');
  }

  /** Ends a flow that does not open; its opening hears no more. */
  giveUp(): void {
    this.#opening = undefined;
    this.#end(undefined);
  }

  /** Whose events decide how the flow opens; from now on it is `opening`. */
  awaitOpening(opening: TcpOpening): void {
    this.#opening = opening;
  }

  /** The called side is there; the opening hears no more. */
  opened(): void {
    this.#opening = undefined;
  }

  /** On a LAN whose stations answer at once, events of the connection may have come before the call that made it returned. */
  setConnection(connection: TcpConnection): void {
    if (this.#isOver) {
      connection.reset();
    } else if (!this.#isGuestOver) {
      this.#connection = connection;
      if (this.#hasGuestOpened) this.#opening?.opened();
      this.#credit();
    }
  }

  setStream(stream: HostStream): void {
    if (this.#isOver) stream.reset();
    else this.#stream = stream;
  }

  /** Sends octets of the gateway's own to the guest, before any of the host's. */
  greetGuest(bytes: Uint8Array): void {
    this.#connection?.send(bytes);
  }

  /** Reads an accepted host stream from now on. */
  readHost(): void {
    this.#stream?.resume();
  }

  guestOpened(): void {
    this.#hasGuestOpened = true;
    if (this.#connection !== undefined) this.#opening?.opened();
  }

  guestReceived(bytes: Uint8Array, lender: Lender): void {
    this.fromGuest += bytes.length;
    if (this.#isHostOver) {
      this.#guestOutlivesHost(bytes.length);
      return;
    }
    this.#uncredited += bytes.length;
    this.#stream?.write(bytes, lender);
    this.#credit();
  }

  guestEnded(): void {
    this.#hasGuestEnded = true;
    this.#stream?.finish();
  }

  guestDrained(): void {
    if (!this.#isHostPaused) return;
    this.#isHostPaused = false;
    this.#stream?.resume();
  }

  guestClosed(how: TcpEnd): void {
    const opening = this.#opening;
    this.#isGuestOver = true;
    this.#connection = undefined;
    if (opening !== undefined) {
      this.#opening = undefined;
      opening.failed(how);
    } else if (how === 'finished') {
      if (this.#isHostOver) this.#end('tcp-finished');
    } else {
      this.#end(GUEST_ENDS[how] ?? 'tcp-guest-timeout');
    }
  }

  hostOpened(): void {
    this.#opening?.opened();
  }

  hostFailed(why: ConnectFailure): void {
    this.#stream = undefined;
    this.#opening?.failed(why);
  }

  hostReceived(bytes: Uint8Array): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.toGuest += bytes.length;
    connection.send(bytes);
    if (this.#isHostPaused || !connection.isFull) return;
    this.#isHostPaused = true;
    this.#stream?.pause();
  }

  hostEnded(): void {
    this.#hasHostEnded = true;
    this.#connection?.finish();
  }

  hostDrained(): void {
    this.#credit();
  }

  hostClosed(how: HostStreamEnd): void {
    this.#isHostOver = true;
    this.#stream = undefined;
    if (how === 'finished') {
      if (this.#isGuestOver) this.#end('tcp-finished');
    } else if (!this.#hasHostEnded || this.#connection === undefined || this.#connection.unacknowledged === 0) {
      this.#end(how === 'reset' ? 'tcp-host-reset' : 'tcp-host-broken');
    }
    // otherwise the guest still gets all that the host sent before its end; what the guest sends or closes ends the flow
  }

  /** Ends what has not ended by itself with a reset. */
  #end(cause: TcpFlowEnd | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#connection?.reset();
    this.#stream?.reset();
    this.#connection = undefined;
    this.#stream = undefined;
    opening?.abandoned();
    this.#owner.flowEnded(this, cause);
  }

  /** The guest's window may grow by what the kernel has taken. */
  #credit(): void {
    if (this.#connection === undefined) return;
    const taken = this.#uncredited - (this.#stream?.queued ?? 0);
    if (taken <= 0) return;
    this.#uncredited -= taken;
    this.#connection.consumed(taken);
  }

  /** Octets for a host that is gone, from a guest that may still miss some of its octets. */
  #guestOutlivesHost(octets: number): void {
    if (this.#connection?.unacknowledged === 0) this.#end('tcp-host-reset');
    else this.#connection?.consumed(octets);
  }
}

/** What the stack tells a flow. */
export class GuestSide implements TcpEvents {
  readonly #flow: TcpFlow;

  constructor(flow: TcpFlow) {
    this.#flow = flow;
  }

  opened(): void {
    this.#flow.guestOpened();
  }

  received(bytes: Uint8Array, lender: Lender): void {
    this.#flow.guestReceived(bytes, lender);
  }

  ended(): void {
    this.#flow.guestEnded();
  }

  drained(): void {
    this.#flow.guestDrained();
  }

  closed(how: TcpEnd): void {
    this.#flow.guestClosed(how);
  }
}

/** What the host's network tells a flow. */
export class HostSide implements HostStreamEvents {
  readonly #flow: TcpFlow;

  constructor(flow: TcpFlow) {
    this.#flow = flow;
  }

  opened(): void {
    this.#flow.hostOpened();
  }

  failed(why: ConnectFailure): void {
    this.#flow.hostFailed(why);
  }

  received(bytes: Uint8Array): void {
    this.#flow.hostReceived(bytes);
  }

  ended(): void {
    this.#flow.hostEnded();
  }

  drained(): void {
    this.#flow.hostDrained();
  }

  closed(how: HostStreamEnd): void {
    this.#flow.hostClosed(how);
  }
}

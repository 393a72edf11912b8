/**
 * The host's network, as a gateway uses it for its guests: streams, datagrams, echo requests and processes. `host/` offers the real
 * one, tests one in memory.
 *
 * Everything here is asynchronous and never throws for what the network does: outcomes are events. No event is called before the
 * call that made its object has returned.
 */
import type { Endpoint } from './endpoint.ts';
import type { Lender } from './loan.ts';

export interface HostNet {
  /** Begins to connect. `opened` or `failed` follows, unless the stream is reset first. */
  connect(to: StreamTarget, events: HostStreamEvents, options?: ConnectOptions): HostStream;
  /** Listens; rejects with a `HostNetError` where the address cannot be had. */
  listen(at: StreamTarget, onStream: OnHostStream): Promise<HostListener>;
  /** A UDP socket, bound to `at`, whose port 0 asks for a free one; rejects with a `HostNetError`. */
  bind(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket>;
  /** A UDP socket for what a guest sends: no address to fail on, so it is there at once. */
  socket(family: 4 | 6, events: HostDatagramEvents, options?: ConnectOptions): HostDatagramSocket;
  /** Echo requests under one identifier. */
  echo(family: 4 | 6, events: HostEchoEvents): HostEcho;
  /** Starts a process whose standard input and output are the stream; `command` is a line for the shell. */
  run(command: string, events: HostStreamEvents): HostStream;
}

export type StreamTarget =
  | { readonly kind: 'tcp'; readonly endpoint: Endpoint }
  | { readonly kind: 'unix'; readonly path: string };

export interface ConnectOptions {
  /** The host's own address that the conversation leaves from. */
  readonly source?: Uint8Array;
}

/** Why a stream did not open. `no-descriptors`: the process has as many files open as it may. */
export type ConnectFailure =
  | 'refused'
  | 'host-unreachable'
  | 'network-unreachable'
  | 'timeout'
  | 'prohibited'
  | 'no-descriptors'
  | 'no-such-file'
  | 'other';

/** How a stream ended: both sides finished, the peer reset it, or the system broke it. A stream that we reset has no `closed`. */
export type HostStreamEnd = 'finished' | 'reset' | 'broken';

export interface HostStreamEvents {
  opened(): void;
  /** Instead of `opened`; nothing follows. */
  failed(why: ConnectFailure): void;
  /** Octets arrived; they are on loan until the call returns. */
  received(bytes: Uint8Array): void;
  /** The peer has finished sending. We may go on. */
  ended(): void;
  /** The kernel took all that was written, after something had been queued. */
  drained(): void;
  /** The last event of a stream that had opened. */
  closed(how: HostStreamEnd): void;
}

export interface HostStream {
  /** Octets that were written and that the kernel has not taken yet. */
  readonly queued: number;
  /** Writes all of it. Where the kernel does not take it at once, the bytes are retained from `lender` until it has; without one they are the stream's now. */
  write(bytes: Uint8Array, lender?: Lender): void;
  /** No `received` and no `ended` from now on. A connected stream reads at once, an accepted one begins paused. */
  pause(): void;
  resume(): void;
  /** Finishes our direction behind what is queued: a half-close. */
  finish(): void;
  /** Ends it at once, with a reset where the protocol has one. No event follows. */
  reset(): void;
}

/** A client of a listener; the answer says who hears its events. It begins paused. */
export type OnHostStream = (stream: HostStream, from: Endpoint | undefined) => HostStreamEvents;

export interface HostListener {
  /** Where it listens; a port that was asked for as 0 is known here. */
  readonly at: StreamTarget;
  /** Streams that came stay open. A unix socket is unlinked. */
  close(): Promise<void>;
}

export interface HostDatagramEvents {
  /** A datagram arrived; its octets are on loan until the call returns. */
  received(bytes: Uint8Array, from: Endpoint): void;
  /** The host heard an ICMP error about something this socket sent (only where the system tells: Linux, with koffi; connection refused elsewhere is not told). */
  refused(error: HostIcmpError): void;
}

/** An ICMP error, with type and code of the family's ICMP. */
export interface HostIcmpError {
  readonly type: number;
  readonly code: number;
  /** Of `fragmentation needed` and `packet too big`: octets of the next hop's MTU. */
  readonly mtu: number;
  /** Who reports it; undefined where the host itself does. */
  readonly reporter: Uint8Array | undefined;
  /** Where what it is about was sent to. The port is 0 for an echo request. */
  readonly to: Endpoint;
  /** What was sent, as far as it is known: the datagram's payload, or the echo message from its ICMP header on. */
  readonly quote: Uint8Array;
}

export interface DatagramOptions {
  /** Time to live, hop limit. */
  readonly ttl?: number;
  /** The datagram must not be cut (IPv4). */
  readonly dontFragment?: boolean;
}

export interface HostDatagramSocket {
  /** Where it is bound; its port is known once something was sent or `bind` has resolved. */
  readonly local: Endpoint | undefined;
  /** Sends, or loses, the datagram; copied before the call returns. False: it is longer than the host can send. */
  send(bytes: Uint8Array, to: Endpoint, options?: DatagramOptions): boolean;
  close(): void;
}

export interface HostEchoEvents {
  /** An echo reply: its sequence number and payload, on loan until the call returns; `ttl` where the host tells. */
  replied(from: Uint8Array, sequence: number, payload: Uint8Array, ttl: number | undefined): void;
  /** An ICMP error about the request with this sequence number. */
  refused(sequence: number, error: HostIcmpError): void;
}

export interface HostEcho {
  /** Sends an echo request, or nothing where the host has no way to. */
  send(to: Uint8Array, sequence: number, payload: Uint8Array, ttl: number): void;
  close(): void;
}

/** What cannot be had of the host's network. `code` is stable; the message names the thing and the remedy. */
export class HostNetError extends Error {
  readonly code: 'address-in-use' | 'no-such-address' | 'permission-denied' | 'no-descriptors' | 'cannot-listen';

  constructor(code: HostNetError['code'], message: string) {
    super(message);
    this.name = 'HostNetError';
    this.code = code;
  }
}

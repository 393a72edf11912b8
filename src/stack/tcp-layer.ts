/** What the TCP layer of a stack offers to services and to those who translate conversations with hosts off the link. */
import type { Endpoint } from '../base/endpoint.ts';
import type { Lender } from '../base/loan.ts';
import type { Unreachable } from './ip-network.ts';

export interface TcpLayer {
  /** Takes connections to `port` at an address of the stack's own (all of them, of both families, where undefined); throws where the port is taken. */
  listen(port: number, onRequest: OnTcpRequest, address?: Uint8Array): TcpListener;
  /**
   * Takes the connections that no listener takes: those to other hosts, of a stack that takes transit, and those to ports of its own
   * addresses. Without a handler they are refused.
   */
  onUnclaimed(handler: OnTcpRequest | undefined): void;
  /** Opens a connection; `from` may be another host's, and its port 0 asks for a free one. `opened` or `closed` follows. Throws where the two have a connection already, or no port is free. */
  connect(from: Endpoint, to: Endpoint, events: TcpEvents): TcpConnection;
  /** Resets every connection and every request that is held: what guests are told when the network goes away. */
  resetAll(): void;
  /** Connections that are not closed. */
  readonly size: number;
}

export type OnTcpRequest = (request: TcpRequest) => void;

export interface TcpListener {
  readonly port: number;
  /** Connections that came stay open. */
  close(): void;
}

/** A SYN that waits for an answer: exactly one of the methods is called, at once or later. The SYN's repetitions wait with it. */
export interface TcpRequest {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Answers with SYN-ACK. */
  accept(events: TcpEvents): TcpConnection;
  /** Answers with RST. */
  refuse(): void;
  /** Answers with destination unreachable, of the family's ICMP. */
  unreachable(why: Unreachable): void;
  /** Says nothing; when the guest repeats its SYN, that is a new request. */
  ignore(): void;
  /** The guest gave up (it sent RST) or the layer needed the room: no method has an effect any more. */
  onCancel(handler: () => void): void;
}

export interface TcpEvents {
  /** The handshake is complete. */
  opened(): void;
  /** The octets that come next. They are on loan: retain them from `lender` to need them after the call. Once per batch of frames where they fit. */
  received(bytes: Uint8Array, lender: Lender): void;
  /** The other side has finished sending. We may go on. */
  ended(): void;
  /** Much was unacknowledged, and little is now: there is room for more after `isFull`. */
  drained(): void;
  /** The last event; none follows our own `reset`. */
  closed(how: TcpEnd): void;
}

/** `finished`: both directions, in order. `reset`: by the other side. `timeout`: it answers no more. `refused`, `unreachable`: a `connect` that failed. `stalled`: it did not read, and others needed the memory. */
export type TcpEnd = 'finished' | 'reset' | 'timeout' | 'refused' | 'unreachable' | 'stalled';

export interface TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Octets that were given to `send` and that the other side has not acknowledged. */
  readonly unacknowledged: number;
  /** Who feeds the connection should stop until `drained`: it holds its share of memory. */
  readonly isFull: boolean;
  /** Sends a copy of the octets; what the window does not allow yet waits. Leaves with the batch or the piece of work that caused it. */
  send(bytes: Uint8Array): void;
  /** Octets of `received` have been used up: the window may open again by as many. */
  consumed(octets: number): void;
  /** Finishes our direction behind what was sent. */
  finish(): void;
  /** Ends it at once with RST. No event follows. */
  reset(): void;
}

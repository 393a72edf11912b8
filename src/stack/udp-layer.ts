/** What the UDP layer of a stack offers to services and to stations' programs. */
import type { Endpoint } from '../base/endpoint.ts';
import type { Mac } from '../wire/mac.ts';

/** A datagram that arrived. `payload` is on loan until the handler returns. */
export interface UdpDatagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Of the packet, as it arrived. */
  readonly ttl: number;
  readonly dontFragment: boolean;
  /** Who put it on the LAN. */
  readonly sourceMac: Mac;
  readonly payload: Uint8Array;
}

export interface UdpLayer {
  /** Takes datagrams of both families for `port` (0: a free port from 49152 up, RFC 6335), or those to the address of `options`; throws where the port is taken. */
  open(port: number, onDatagram: (datagram: UdpDatagram) => void, options?: UdpBindOptions): UdpSocket;
  /**
   * Takes the datagrams that nobody else takes: those for other hosts, of a stack that takes transit, and those for ports of its own
   * addresses. Without a handler the port is unreachable.
   */
  onUnclaimed(handler: OnUnclaimed | undefined): void;
  /**
   * Opens a conversation that has what `to` sends to `from` for itself. `from` may be another host's, of a stack that takes transit;
   * its port 0 asks for a free one. Undefined where the two talk already, or no port is free.
   */
  connect(from: Endpoint, to: Endpoint, events: UdpEvents): UdpConversation | undefined;
  /** Sends `payload` (copied before the call returns) in the name of another host. */
  sendFrom(from: Endpoint, to: Endpoint, payload: Uint8Array): void;
}

export interface UdpBindOptions {
  /** One of the stack's own addresses; all of them where undefined. */
  readonly address?: Uint8Array;
}

export interface UdpSocket {
  readonly port: number;
  /** Sends `payload` (copied before the call returns). */
  send(to: Endpoint, payload: Uint8Array, options?: UdpSendOptions): void;
  close(): void;
}

export interface UdpSendOptions {
  /** Link address of the receiver: nobody is asked by ARP. For clients that have no address yet. */
  readonly mac?: Mac;
  /** Source address, one of the stack's own; its first address where undefined. */
  readonly source?: Uint8Array;
}

/** A datagram that nobody took. One object that moves from datagram to datagram; its octets are on loan until the handler returns. */
export interface UnclaimedDatagram {
  readonly source: Uint8Array;
  readonly sourcePort: number;
  readonly destination: Uint8Array;
  readonly destinationPort: number;
  /** It is for another host. */
  readonly isTransit: boolean;
  /** Of the packet, as it arrived. */
  readonly ttl: number;
  readonly dontFragment: boolean;
  readonly payload: Uint8Array;
}

/** `port-unreachable`, `prohibited`: the sender is told by ICMP (RFC 1812, 5.2.7.1; RFC 4443, 3.1). */
export type UnclaimedVerdict = 'taken' | 'port-unreachable' | 'prohibited';

export type OnUnclaimed = (datagram: UnclaimedDatagram) => UnclaimedVerdict;

export interface UdpEvents {
  /** The octets of a datagram, on loan until the call returns. */
  received(payload: Uint8Array): void;
  /** An ICMP error about what was sent, or nobody has the next hop. The conversation stays open. */
  refused(): void;
}

export interface UdpConversation {
  readonly local: Endpoint;
  /** Sends `payload`, copied before the call returns. */
  send(payload: Uint8Array): void;
  close(): void;
}

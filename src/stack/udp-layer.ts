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
  /** Takes datagrams for `port` (0: a free port from 49152 up, RFC 6335) on the address of `options`; throws where the port is taken. */
  open(port: number, onDatagram: (datagram: UdpDatagram) => void, options?: UdpBindOptions): UdpSocket;
  /**
   * Takes the datagrams that no listener takes: those for other hosts, of a stack that takes transit, and those for ports of its own
   * addresses. Where the handler answers false, or there is none, the port is unreachable.
   */
  onUnclaimed(handler: ((datagram: UdpDatagram) => boolean) | undefined): void;
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

/** What the UDP layer of a stack offers to services and to stations' programs. */
import type { Mac } from '../wire/mac.ts';

/** An address of 4 or 16 octets and a port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly port: number;
}

/** A datagram that arrived. `payload` is on loan until the handler returns. */
export interface UdpDatagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Who put it on the LAN. */
  readonly sourceMac: Mac;
  readonly payload: Uint8Array;
}

export interface UdpLayer {
  /** Takes datagrams for `port` (0: a free port from 49152 up, RFC 6335) on all addresses of the stack; throws where the port is taken. */
  open(port: number, onDatagram: (datagram: UdpDatagram) => void): UdpSocket;
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

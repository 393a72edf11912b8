/** How a machine comes to a port from outside. `host/` makes arrivals of connections, tests make them of cables. */
import type { SocketAddress } from '../base/socket-address.ts';
import type { DropSink } from './drops.ts';
import type { Port } from './port.ts';
import type { FramingFault } from './stream-framing.ts';

/** A machine's connection that waits to be plugged in. */
export interface Arrival {
  /** The other side, for people. */
  readonly peer: string;
  /** Takes the machine; `onLeave` is called once, when its connection is gone. */
  accept(drops: DropSink, onLeave: (why: LeaveReason) => void): Port;
  /** Turns it away: the connection is closed. */
  refuse(): void;
}

/** Why a machine's connection ended: it hung up, it broke the framing, the socket failed (`code` is the system's), or we closed it. */
export type LeaveReason =
  | { readonly kind: 'hung-up' }
  | { readonly kind: FramingFault; readonly length: number }
  | { readonly kind: 'socket-error'; readonly code: string }
  | { readonly kind: 'closed' };

export type DoorMode = 'listen' | 'connect';

/** A socket at which machines arrive: vmlan listens on it, or connects to it again and again. */
export interface Door {
  readonly mode: DoorMode;
  /** Where it is; a port that was asked for as 0 is known now. */
  readonly address: SocketAddress;
  /** Stops listening or connecting, unlinks what it made, and closes the connections that came through it. */
  close(): Promise<void>;
}

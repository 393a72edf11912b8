/** A network card of the kernel whose wire is this process. */

/** What the card is called where the command lives. */
export const CARD_NAME = 'eth0';

export interface Card {
  readonly kind: 'tap' | 'veth';
  /** Readable when the kernel has sent a frame. */
  readonly fd: number;
  /** Reads one frame to `bytes` from `at`; its octets, or below 1 where none waits. `room` is the longest frame and a VLAN tag. */
  read(bytes: Uint8Array, at: number, room: number): number;
  /** Hands one frame to the kernel; false where it had no room. */
  write(frame: Uint8Array): boolean;
}

export interface CardSettings {
  /** `52:54:00:12:34:56`. */
  readonly mac: string;
  readonly mtu: number;
}

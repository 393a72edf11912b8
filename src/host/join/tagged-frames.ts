/**
 * Frames of a packet socket with the VLAN tags that the kernel took out of them: recvmsg(2) with `PACKET_AUXDATA`, packet(7).
 *
 *     msghdr           16 iovec    24 count    32 control    40 control length
 *     cmsghdr           0 length    8 level    12 type       16 tpacket_auxdata
 *     tpacket_auxdata   0 status    4 length   8 kept   12 mac   14 net   16 vlan_tci   18 vlan_tpid
 */
import type { SystemCalls } from '../system-calls.ts';

const HEADER_LENGTH = 56;
const CONTROL_ROOM = 64;
const AUXILIARY = 16;
const TP_STATUS_VLAN_VALID = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID = 1 << 6;
const ETHERTYPE_VLAN = 0x8100;
const TAG_LENGTH = 4;
/** Where a tag stands in a frame. */
const ADDRESSES_LENGTH = 12;

export class TaggedFrames {
  readonly #system: SystemCalls;
  readonly #fd: number;
  readonly #header = Buffer.allocUnsafeSlow(HEADER_LENGTH).fill(0);
  readonly #pieces = Buffer.allocUnsafeSlow(16);
  readonly #control = Buffer.allocUnsafeSlow(CONTROL_ROOM);
  /** The buffer that the pieces point into, and where it lies. */
  #buffer: Uint8Array | undefined;
  #base = 0n;

  constructor(system: SystemCalls, fd: number) {
    this.#system = system;
    this.#fd = fd;
    this.#header.writeBigUInt64LE(system.addressOf(this.#pieces), 16);
    this.#header.writeBigUInt64LE(1n, 24);
    this.#header.writeBigUInt64LE(system.addressOf(this.#control), 32);
  }

  /** Octets of the frame, which lies at `bytes` from `at`; below 1 where none waits. */
  read(bytes: Uint8Array, at: number, room: number): number {
    if (this.#buffer !== bytes) {
      this.#buffer = bytes;
      this.#base = this.#system.addressOf(bytes);
    }
    this.#pieces.writeBigUInt64LE(this.#base + BigInt(at), 0);
    this.#pieces.writeBigUInt64LE(BigInt(room - TAG_LENGTH), 8);
    this.#header.writeBigUInt64LE(BigInt(CONTROL_ROOM), 40);
    const length = this.#system.recvmsg(this.#fd, this.#header, 0);
    if (length < ADDRESSES_LENGTH) return length;
    const status = this.#control.readUInt32LE(AUXILIARY);
    if ((status & TP_STATUS_VLAN_VALID) === 0) return length;
    const tpid =
      (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? this.#control.readUInt16LE(AUXILIARY + 18) : ETHERTYPE_VLAN;
    const tci = this.#control.readUInt16LE(AUXILIARY + 16);
    const tag = at + ADDRESSES_LENGTH;
    bytes.copyWithin(tag + TAG_LENGTH, tag, at + length);
    bytes[tag] = tpid >> 8;
    bytes[tag + 1] = tpid & 0xff;
    bytes[tag + 2] = tci >> 8;
    bytes[tag + 3] = tci & 0xff;
    return length + TAG_LENGTH;
  }
}

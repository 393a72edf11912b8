/**
 * What recvmsg(2) fills: the octets, whom they came from, and what the kernel says about them in control messages, cmsg(3).
 *
 *     msghdr   0 name    8 name length   16 iovec    24 count   32 control   40 control length   48 flags
 *     iovec    0 base    8 length
 *     cmsghdr  0 length  8 level        12 type      16 data, padded to 8
 */
import type { Endpoint } from '../base/endpoint.ts';
import type { HostIcmpError } from '../base/host-net.ts';
import { ADDRESS_ROOM, readKernelAddress } from './kernel-address.ts';
import type { SystemCalls } from './system-calls.ts';

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_TTL = 2;
const IP_RECVERR = 11;
const IPV6_RECVERR = 25;
const IPV6_HOPLIMIT = 52;

const HEADER_LENGTH = 56;
const CONTROL_ROOM = 512;
const CONTROL_HEADER = 16;
/** A datagram is never longer. */
const OCTETS = 65_536;

/** `sock_extended_err`, ip(7). */
const ERROR = { number: 0, origin: 4, type: 5, code: 6, info: 8, offender: 16 } as const;
const ORIGIN_LOCAL = 1;
const ORIGIN_ICMP = 2;
const ORIGIN_ICMP6 = 3;
const EMSGSIZE = 90;

/** One long-lived set of buffers that all sockets receive into, one after the other. */
export class KernelMessage {
  readonly #system: SystemCalls;
  /** No Buffer: whoever keeps octets says `slice`, which copies them here and does not there. */
  readonly #octets = new Uint8Array(OCTETS);
  readonly #name = Buffer.allocUnsafeSlow(ADDRESS_ROOM);
  readonly #control = Buffer.allocUnsafeSlow(CONTROL_ROOM);
  readonly #pieces = Buffer.allocUnsafeSlow(16);
  readonly #header = Buffer.allocUnsafeSlow(HEADER_LENGTH);
  #length = 0;

  constructor(system: SystemCalls) {
    this.#system = system;
    this.#pieces.writeBigUInt64LE(system.addressOf(this.#octets), 0);
    this.#pieces.writeBigUInt64LE(BigInt(OCTETS), 8);
    this.#header.fill(0);
    this.#header.writeBigUInt64LE(system.addressOf(this.#name), 0);
    this.#header.writeBigUInt64LE(system.addressOf(this.#pieces), 16);
    this.#header.writeBigUInt64LE(1n, 24);
    this.#header.writeBigUInt64LE(system.addressOf(this.#control), 32);
  }

  /** Receives one message; false where none is there. */
  receive(fd: number, flags: number): boolean {
    this.#header.writeUInt32LE(ADDRESS_ROOM, 8);
    this.#header.writeUInt32LE(CONTROL_ROOM, 40);
    this.#length = this.#system.recvmsg(fd, this.#header, flags);
    return this.#length >= 0;
  }

  /** Valid until the next message is received. */
  get octets(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  /** Whom it came from; of an error: where the message that failed was sent to. */
  get name(): Endpoint | undefined {
    return readKernelAddress(this.#name, 0, this.#header.readUInt32LE(8));
  }

  /** Its time to live, where the socket asked for it. */
  get ttl(): number | undefined {
    const at = this.#find(IPPROTO_IP, IP_TTL) ?? this.#find(IPPROTO_IPV6, IPV6_HOPLIMIT);
    return at === undefined ? undefined : this.#control.readUInt32LE(at);
  }

  /** What a message of the error queue says; undefined where it is no error of the network. */
  get error(): HostIcmpError | undefined {
    const at = this.#find(IPPROTO_IP, IP_RECVERR) ?? this.#find(IPPROTO_IPV6, IPV6_RECVERR);
    const to = this.name;
    if (at === undefined || to === undefined) return undefined;
    const control = this.#control;
    const origin = control[at + ERROR.origin];
    const mtu = control.readUInt32LE(at + ERROR.info);
    const quote = this.octets.slice();
    if (origin === ORIGIN_LOCAL && control.readUInt32LE(at + ERROR.number) === EMSGSIZE) {
      const tooBig = to.address.length === 4 ? { type: 3, code: 4 } : { type: 2, code: 0 };
      return { ...tooBig, mtu, reporter: undefined, to, quote };
    }
    if (origin !== ORIGIN_ICMP && origin !== ORIGIN_ICMP6) return undefined;
    return {
      type: control[at + ERROR.type]!,
      code: control[at + ERROR.code]!,
      mtu,
      reporter: readKernelAddress(control, at + ERROR.offender, CONTROL_ROOM)?.address,
      to,
      quote,
    };
  }

  /** Where the data of a control message begins. */
  #find(level: number, type: number): number | undefined {
    const control = this.#control;
    const end = this.#header.readUInt32LE(40);
    for (let at = 0; at + CONTROL_HEADER <= end; ) {
      if (control.readUInt32LE(at + 8) === level && control.readUInt32LE(at + 12) === type) return at + CONTROL_HEADER;
      at += (Math.max(control.readUInt32LE(at), CONTROL_HEADER) + 7) & ~7;
    }
    return undefined;
  }
}

/** A datagram socket that the kernel tells about ICMP errors: a descriptor of our own in Node's event loop. */
import { constants } from 'node:os';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostIcmpError } from '../base/host-net.ts';
import { ADDRESS_ROOM, AF_INET, AF_INET6, readKernelAddress, writeKernelAddress } from './kernel-address.ts';
import { KernelMessage } from './kernel-message.ts';
import type { SystemCalls, Watch } from './system-calls.ts';

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;
/** Messages that one socket may take before others have their turn. */
const BURST = 64;

const { EAGAIN, EMSGSIZE } = constants.errno;

export interface KernelSocketEvents {
  /** The octets are on loan until the call returns. */
  received(bytes: Uint8Array, from: Endpoint, ttl: number | undefined): void;
  refused(error: HostIcmpError): void;
}

/** All that are open: a watch that nobody holds is collected, and falls silent. */
const open = new Set<KernelSocket>();
const messages = new WeakMap<SystemCalls, KernelMessage>();

export class KernelSocket {
  readonly #system: SystemCalls;
  readonly #message: KernelMessage;
  readonly #events: KernelSocketEvents;
  readonly #address = Buffer.allocUnsafeSlow(ADDRESS_ROOM);
  readonly #value = Buffer.allocUnsafeSlow(4);
  readonly #fd: number;
  readonly #watch: Watch | undefined;
  /** Why there is no socket: an errno. */
  readonly failure: number = 0;
  #isOpen: boolean;

  constructor(system: SystemCalls, family: 4 | 6, type: number, protocol: number, events: KernelSocketEvents) {
    this.#system = system;
    this.#events = events;
    this.#message = messages.get(system) ?? new KernelMessage(system);
    messages.set(system, this.#message);
    this.#fd = system.socket(family === 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    this.#isOpen = this.#fd >= 0;
    if (!this.#isOpen) {
      this.failure = system.errno();
      return;
    }
    this.#watch = system.watch(this.#fd, () => this.#onReady());
    open.add(this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sets an option to an `int`. */
  set(level: number, option: number, value: number): boolean {
    this.#value.writeInt32LE(value);
    return this.#isOpen && this.#system.setsockopt(this.#fd, level, option, this.#value, 4) === 0;
  }

  /** Sets an option to a structure. */
  setOctets(level: number, option: number, value: Uint8Array): boolean {
    return this.#isOpen && this.#system.setsockopt(this.#fd, level, option, Buffer.from(value), value.length) === 0;
  }

  /** 0, or the errno. */
  bind(at: Endpoint): number {
    const length = writeKernelAddress(this.#address, at);
    return this.#system.bind(this.#fd, this.#address, length) === 0 ? 0 : this.#system.errno();
  }

  get local(): Endpoint | undefined {
    if (!this.#isOpen) return undefined;
    this.#value.writeUInt32LE(ADDRESS_ROOM);
    if (this.#system.getsockname(this.#fd, this.#address, this.#value) !== 0) return undefined;
    return readKernelAddress(this.#address, 0, this.#value.readUInt32LE());
  }

  /** 0, or the errno; 0 as well where the kernel has no room: the datagram is lost. */
  send(bytes: Uint8Array, to: Endpoint): number {
    if (!this.#isOpen) return 0;
    const length = writeKernelAddress(this.#address, to);
    // The kernel tells of an ICMP error about an earlier datagram by refusing this one, once.
    const errno = this.#sendOnce(bytes, length);
    return errno === 0 || errno === EMSGSIZE ? errno : this.#sendOnce(bytes, length);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    open.delete(this);
    this.#watch?.close();
    this.#system.close(this.#fd);
  }

  #sendOnce(bytes: Uint8Array, length: number): number {
    if (this.#system.sendto(this.#fd, bytes, bytes.length, MSG_DONTWAIT, this.#address, length) >= 0) return 0;
    const errno = this.#system.errno();
    return errno === EAGAIN ? 0 : errno;
  }

  #onReady(): void {
    const message = this.#message;
    for (let i = 0; i < BURST && this.#isOpen && message.receive(this.#fd, MSG_ERRQUEUE | MSG_DONTWAIT); i++) {
      const { error } = message;
      if (error !== undefined) this.#events.refused(error);
    }
    for (let i = 0; i < BURST && this.#isOpen; i++) {
      if (message.receive(this.#fd, MSG_DONTWAIT)) {
        const { name } = message;
        if (name !== undefined) this.#events.received(message.octets, name, message.ttl);
      } else if (this.#system.errno() === EAGAIN) return;
    }
  }
}

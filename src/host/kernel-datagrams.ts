/** UDP by system calls: ICMP errors are told (`IP_RECVERR`, ip(7)), time to live and "don't fragment" go with each datagram. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Endpoint } from '../base/endpoint.ts';
import type { DatagramOptions, HostDatagramEvents, HostDatagramSocket, HostIcmpError } from '../base/host-net.ts';
import { KernelSocket } from './kernel-socket.ts';
import { listenError } from './listen-error.ts';
import { LONGEST_DATAGRAM } from './plain-datagrams.ts';
import type { SystemCalls } from './system-calls.ts';

const SOCK_DGRAM = 2;

/** Options of a socket, per family: level, names, values. */
const OPTIONS = {
  4: { level: 0, ttl: 2, discover: 10, errors: 11 },
  6: { level: 41, ttl: 16, discover: 23, errors: 25 },
} as const;
const IPV6_V6ONLY = 26;
const DISCOVER_NEVER = 0;
const DISCOVER_ALWAYS = 2;
/** The value that brings back the system's own. */
const SYSTEM_TTL = -1;

/** Binds, or rejects with a `HostNetError`. */
export async function bindKernelDatagrams(
  system: SystemCalls,
  at: Endpoint,
  events: HostDatagramEvents,
): Promise<HostDatagramSocket> {
  const socket = new KernelDatagrams(system, at.address.length === 4 ? 4 : 6, events, at);
  const errno = socket.open();
  if (errno === 0) return socket;
  socket.close();
  const code = getSystemErrorName(-errno);
  throw listenError(Object.assign(new Error(code), { code }), { kind: 'tcp', endpoint: at }, 'udp');
}

export class KernelDatagrams implements HostDatagramSocket {
  readonly #system: SystemCalls;
  readonly #family: 4 | 6;
  readonly #events: HostDatagramEvents;
  readonly #at: Endpoint | undefined;
  #socket: KernelSocket | undefined;
  #local: Endpoint | undefined;
  #ttl = SYSTEM_TTL;
  #discover = DISCOVER_NEVER;
  /** What was longer than the way to its destination allows; the kernel tells the MTU, but not of what. */
  #tooLong: { readonly to: Endpoint; readonly quote: Uint8Array } | undefined;
  #isClosed = false;

  /** `at` is where it is bound to; opened when something is sent, or by `open`. */
  constructor(system: SystemCalls, family: 4 | 6, events: HostDatagramEvents, at: Endpoint | undefined) {
    this.#system = system;
    this.#family = family;
    this.#events = events;
    this.#at = at;
  }

  /** 0, or the errno. */
  open(): number {
    const { level, discover, errors } = OPTIONS[this.#family];
    const socket = new KernelSocket(this.#system, this.#family, SOCK_DGRAM, 0, {
      received: (bytes, from) => this.#events.received(bytes, from),
      refused: (error) => this.#refused(error),
    });
    if (!socket.isOpen) return socket.failure;
    if (this.#family === 6) socket.set(level, IPV6_V6ONLY, 1);
    socket.set(level, errors, 1);
    socket.set(level, discover, DISCOVER_NEVER);
    const errno = this.#at === undefined ? 0 : socket.bind(this.#at);
    if (errno === 0) this.#socket = socket;
    else socket.close();
    return errno;
  }

  get local(): Endpoint | undefined {
    const local = this.#local ?? this.#socket?.local;
    if (local !== undefined && local.port !== 0) this.#local = local;
    return this.#local;
  }

  send(bytes: Uint8Array, to: Endpoint, options: DatagramOptions = {}): boolean {
    if (bytes.length > LONGEST_DATAGRAM) return false;
    if (this.#isClosed) return true; // lost
    const errno = this.#send(bytes, to, options);
    if (errno === constants.errno.EMSGSIZE) {
      this.#tooLong = { to: { address: new Uint8Array(to.address), port: to.port }, quote: new Uint8Array(bytes) };
    }
    const error = errno === 0 ? undefined : localError(errno, to);
    if (error === undefined) return true;
    const quote = new Uint8Array(bytes);
    queueMicrotask(() => {
      if (!this.#isClosed) this.#events.refused({ ...error, quote });
    });
    return true;
  }

  /** 0, or the errno; 0 as well where there is no socket and the datagram is lost. */
  #send(bytes: Uint8Array, to: Endpoint, options: DatagramOptions): number {
    const failure = this.#socket === undefined ? this.open() : 0;
    // A host that does not have the family, or the address to leave from, has no way there.
    if (failure === constants.errno.EAFNOSUPPORT) return constants.errno.ENETUNREACH;
    if (failure === constants.errno.EADDRNOTAVAIL) return failure;
    if (failure !== 0) return 0;
    const socket = this.#socket!;
    this.#prepare(socket, options);
    return socket.send(bytes, to);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  #refused(error: HostIcmpError): void {
    const isLocal = error.reporter === undefined;
    this.#events.refused(isLocal && this.#tooLong !== undefined ? { ...error, ...this.#tooLong } : error);
    if (isLocal) this.#tooLong = undefined;
  }

  #prepare(socket: KernelSocket, options: DatagramOptions): void {
    const names = OPTIONS[this.#family];
    const ttl = options.ttl ?? SYSTEM_TTL;
    if (ttl !== this.#ttl) {
      socket.set(names.level, names.ttl, ttl === 0 ? 1 : ttl);
      this.#ttl = ttl;
    }
    const discover = options.dontFragment === true ? DISCOVER_ALWAYS : DISCOVER_NEVER;
    if (discover !== this.#discover) {
      socket.set(names.level, names.discover, discover);
      this.#discover = discover;
    }
  }
}

/** Codes of "destination unreachable" for what the host itself knows: RFC 792, RFC 1122 3.2.2.1; RFC 4443 3.1. */
const UNREACHABLE: ReadonlyMap<number, { readonly v4: number; readonly v6: number }> = new Map([
  [constants.errno.ENETUNREACH, { v4: 0, v6: 0 }],
  [constants.errno.EADDRNOTAVAIL, { v4: 0, v6: 0 }],
  [constants.errno.EHOSTUNREACH, { v4: 1, v6: 3 }],
  [constants.errno.EACCES, { v4: 13, v6: 1 }],
  [constants.errno.EPERM, { v4: 13, v6: 1 }],
]);

/** What a failed send means to who sent it; undefined where the datagram is just lost. */
export function localError(errno: number, to: Endpoint): HostIcmpError | undefined {
  const codes = UNREACHABLE.get(errno);
  if (codes === undefined) return undefined;
  const unreachable = to.address.length === 4 ? { type: 3, code: codes.v4 } : { type: 1, code: codes.v6 };
  return { ...unreachable, mtu: 0, reporter: undefined, to, quote: new Uint8Array(0) };
}

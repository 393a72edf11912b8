/**
 * Echo requests by system calls. A ping socket (icmp(7)) needs no privilege where `net.ipv4.ping_group_range` allows it; the kernel
 * gives it an identifier and sorts the answers. A raw socket (raw(7)) needs CAP_NET_RAW and hears all ICMP that the host hears.
 */
import { randomInt } from 'node:crypto';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostEcho, HostEchoEvents, HostIcmpError } from '../base/host-net.ts';
import type { Icmpv4Header } from '../wire/icmpv4.ts';
import {
  emitIcmpv4,
  ICMPV4_ECHO_REPLY,
  ICMPV4_ECHO_REQUEST,
  ICMPV4_HEADER_LENGTH,
  isIcmpv4Error,
} from '../wire/icmpv4.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP } from '../wire/ipv4.ts';
import { readUint16 } from '../wire/octets.ts';
import { localError } from './kernel-datagrams.ts';
import { KernelSocket } from './kernel-socket.ts';
import type { SystemCalls } from './system-calls.ts';

const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOL_IP = 0;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
const IP_RECVERR = 11;
const IP_RECVTTL = 12;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
/** A raw socket hears answers and errors; the other types are filtered out. */
const HEARD_TYPES = (1 << ICMPV4_ECHO_REPLY) | (1 << 3) | (1 << 11) | (1 << 12);

const CODE = 1;
const IDENTIFIER = 4;
const SEQUENCE = 6;
/** Octets of payload that an echo request has at most, in one IPv4 packet. */
const LONGEST_PAYLOAD = 65_507;

const IP = { ttl: 8, protocol: 9, source: 12, destination: 16 } as const;

/** The kinds of sockets that send echo requests, the ones without privilege first; undefined where there is neither. */
export function echoKindOf(system: SystemCalls): 'ping-socket' | 'raw' | undefined {
  const opens = (type: number) => {
    const events = { received: () => undefined, refused: () => undefined };
    const socket = new KernelSocket(system, 4, type, PROTOCOL_ICMP, events);
    socket.close();
    return socket.failure === 0;
  };
  if (opens(SOCK_DGRAM)) return 'ping-socket';
  return opens(SOCK_RAW) ? 'raw' : undefined;
}

export class KernelEcho implements HostEcho {
  readonly #events: HostEchoEvents;
  readonly #socket: KernelSocket;
  /** Ours among all that ping; a ping socket's kernel puts its own into its place. */
  readonly #identifier = randomInt(0x10000);
  #ttl = 0;
  #isClosed = false;

  constructor(system: SystemCalls, kind: 'ping-socket' | 'raw', events: HostEchoEvents) {
    this.#events = events;
    const isRaw = kind === 'raw';
    this.#socket = new KernelSocket(system, 4, isRaw ? SOCK_RAW : SOCK_DGRAM, PROTOCOL_ICMP, {
      received: (bytes, from, ttl) => (isRaw ? this.#packet(bytes) : this.#reply(bytes, 0, from.address, ttl)),
      refused: (error) => this.#refused(error),
    });
    this.#socket.set(SOL_IP, IP_MTU_DISCOVER, 0);
    if (isRaw) {
      this.#socket.set(SOL_RAW, ICMP_FILTER, ~HEARD_TYPES);
    } else {
      this.#socket.set(SOL_IP, IP_RECVERR, 1);
      this.#socket.set(SOL_IP, IP_RECVTTL, 1);
    }
  }

  send(to: Uint8Array, sequence: number, payload: Uint8Array, ttl: number): void {
    if (this.#isClosed || to.length !== 4 || payload.length > LONGEST_PAYLOAD) return;
    const message = new Uint8Array(ICMPV4_HEADER_LENGTH + payload.length);
    const header: Icmpv4Header = { type: ICMPV4_ECHO_REQUEST, code: 0, identifier: this.#identifier, sequence };
    message.set(payload, emitIcmpv4(header, payload, message, 0));
    const hops = Math.max(1, ttl);
    if (hops !== this.#ttl) this.#socket.set(SOL_IP, IP_TTL, hops);
    this.#ttl = hops;
    const endpoint: Endpoint = { address: to.slice(), port: 0 };
    const errno = this.#socket.send(message, endpoint);
    const error = errno === 0 ? undefined : localError(errno, endpoint);
    if (error === undefined) return;
    queueMicrotask(() => {
      if (!this.#isClosed) this.#events.refused(sequence, { ...error, quote: message });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #refused(error: HostIcmpError): void {
    if (error.quote.length < ICMPV4_HEADER_LENGTH) return;
    this.#events.refused(readUint16(error.quote, SEQUENCE), { ...error, to: { ...error.to, port: 0 } });
  }

  #reply(bytes: Uint8Array, at: number, from: Uint8Array, ttl: number | undefined): void {
    if (bytes.length - at < ICMPV4_HEADER_LENGTH || bytes[at] !== ICMPV4_ECHO_REPLY) return;
    this.#events.replied(from, readUint16(bytes, at + SEQUENCE), bytes.subarray(at + ICMPV4_HEADER_LENGTH), ttl);
  }

  /** A whole IPv4 packet, checked by the kernel as far as ICMP's header. */
  #packet(bytes: Uint8Array): void {
    const at = headerLength(bytes, 0);
    if (at === undefined || bytes.length < at + ICMPV4_HEADER_LENGTH) return;
    const from = bytes.slice(IP.source, IP.source + 4);
    const type = bytes[at]!;
    if (type === ICMPV4_ECHO_REPLY && readUint16(bytes, at + IDENTIFIER) === this.#identifier) {
      this.#reply(bytes, at, from, bytes[IP.ttl]);
    }
    if (!isIcmpv4Error(type)) return;
    const inner = at + ICMPV4_HEADER_LENGTH;
    const length = headerLength(bytes, inner);
    if (length === undefined || bytes[inner + IP.protocol] !== PROTOCOL_ICMP) return;
    const quote = bytes.slice(inner + length);
    const isOurs = quote[0] === ICMPV4_ECHO_REQUEST && readUint16(quote, IDENTIFIER) === this.#identifier;
    if (quote.length < ICMPV4_HEADER_LENGTH || !isOurs) return;
    this.#events.refused(readUint16(quote, SEQUENCE), {
      type,
      code: bytes[at + CODE]!,
      // RFC 1191, 4: the next hop's MTU is in the low half of the second word.
      mtu: type === 3 && bytes[at + CODE] === 4 ? readUint16(bytes, at + SEQUENCE) : 0,
      reporter: from,
      to: { address: bytes.slice(inner + IP.destination, inner + IP.destination + 4), port: 0 },
      quote,
    });
  }
}

/** The length of the IPv4 header that begins there; undefined where it is not whole. */
function headerLength(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length < at + IPV4_HEADER_LENGTH) return undefined;
  const length = (bytes[at]! & 0x0f) * 4;
  return length < IPV4_HEADER_LENGTH || bytes.length < at + length ? undefined : length;
}

/**
 * Echo requests by system calls. A ping socket (icmp(7)) needs no privilege where `net.ipv4.ping_group_range` allows it, of either family;
 * the kernel gives it an identifier and sorts the answers. A raw socket (raw(7)) needs CAP_NET_RAW and hears all ICMP that the host
 * hears: of IPv4 whole packets, of IPv6 messages alone (RFC 3542, 3), whose errors come by the error queue as a ping socket's do.
 */
import { randomInt } from 'node:crypto';
import { constants } from 'node:os';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostEcho, HostEchoEvents, HostIcmpError } from '../base/host-net.ts';
import {
  emitIcmpv4,
  ICMPV4_ECHO_REPLY,
  ICMPV4_ECHO_REQUEST,
  ICMPV4_HEADER_LENGTH,
  isIcmpv4Error,
} from '../wire/icmpv4.ts';
import { emitIcmpv6Around, ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST } from '../wire/icmpv6.ts';
import { IPV4_HEADER_LENGTH, PROTOCOL_ICMP } from '../wire/ipv4.ts';
import { NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import { readUint16 } from '../wire/octets.ts';
import { localError } from './kernel-datagrams.ts';
import { KernelSocket } from './kernel-socket.ts';
import type { SystemCalls } from './system-calls.ts';

const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
/** A raw socket hears answers and errors; the other types are filtered out. */
const HEARD_TYPES = (1 << ICMPV4_ECHO_REPLY) | (1 << 3) | (1 << 11) | (1 << 12);
const ICMPV6_FILTER = 1;

/** Per family: the protocol; of socket options their level and names; of messages their types, and the longest payload in one packet. */
const FAMILIES = {
  4: {
    protocol: PROTOCOL_ICMP,
    options: { level: 0, ttl: 2, discover: 10, errors: 11, heardTtl: 12 },
    request: ICMPV4_ECHO_REQUEST,
    reply: ICMPV4_ECHO_REPLY,
    longestPayload: 65_507,
  },
  6: {
    protocol: NEXT_HEADER_ICMPV6,
    options: { level: 41, ttl: 16, discover: 23, errors: 25, heardTtl: 51 },
    request: ICMPV6_ECHO_REQUEST,
    reply: ICMPV6_ECHO_REPLY,
    longestPayload: 65_527,
  },
} as const;

/** Of an echo message, in both families. */
const CODE = 1;
const IDENTIFIER = 4;
const SEQUENCE = 6;
const HEADER_LENGTH = ICMPV4_HEADER_LENGTH;

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
  readonly #family: 4 | 6;
  readonly #isRaw: boolean;
  readonly #events: HostEchoEvents;
  readonly #socket: KernelSocket;
  /** Ours among all that ping; a ping socket's kernel puts its own into its place. */
  readonly #identifier = randomInt(0x10000);
  #ttl = 0;
  #isClosed = false;

  constructor(system: SystemCalls, kind: 'ping-socket' | 'raw', family: 4 | 6, events: HostEchoEvents) {
    this.#family = family;
    this.#isRaw = kind === 'raw';
    this.#events = events;
    const { protocol, options } = FAMILIES[family];
    const hearsPackets = this.#isRaw && family === 4;
    this.#socket = new KernelSocket(system, family, this.#isRaw ? SOCK_RAW : SOCK_DGRAM, protocol, {
      received: (bytes, from, ttl) => (hearsPackets ? this.#packet(bytes) : this.#reply(bytes, 0, from.address, ttl)),
      refused: (error) => this.#refused(error),
    });
    this.#socket.set(options.level, options.discover, 0);
    if (hearsPackets) {
      this.#socket.set(SOL_RAW, ICMP_FILTER, ~HEARD_TYPES);
    } else {
      this.#socket.set(options.level, options.errors, 1);
      this.#socket.set(options.level, options.heardTtl, 1);
      if (this.#isRaw) this.#socket.setOctets(protocol, ICMPV6_FILTER, allBut(ICMPV6_ECHO_REPLY));
    }
  }

  send(to: Uint8Array, sequence: number, payload: Uint8Array, ttl: number): void {
    const { options, longestPayload } = FAMILIES[this.#family];
    const isOfFamily = (to.length === 4) === (this.#family === 4);
    if (this.#isClosed || !isOfFamily || payload.length > longestPayload) return;
    const message = this.#request(sequence, payload);
    const hops = Math.max(1, ttl);
    if (hops !== this.#ttl) this.#socket.set(options.level, options.ttl, hops);
    this.#ttl = hops;
    const endpoint: Endpoint = { address: to.slice(), port: 0 };
    // A host that cannot open the socket does not have the family.
    const errno = this.#socket.isOpen ? this.#socket.send(message, endpoint) : constants.errno.ENETUNREACH;
    const error = errno === 0 ? undefined : localError(errno, endpoint);
    if (error === undefined) return;
    queueMicrotask(() => {
      if (!this.#isClosed) this.#events.refused(sequence, { ...error, quote: message });
    });
  }

  /** An echo request; over IPv6 the kernel writes the checksum, which covers addresses that only it knows. */
  #request(sequence: number, payload: Uint8Array): Uint8Array {
    const message = new Uint8Array(HEADER_LENGTH + payload.length);
    const identifier = this.#identifier;
    if (this.#family === 4) {
      const header = { type: ICMPV4_ECHO_REQUEST, code: 0, identifier, sequence };
      message.set(payload, emitIcmpv4(header, payload, message, 0));
    } else {
      const header = { type: ICMPV6_ECHO_REQUEST, code: 0, parameter: identifier * 0x1_0000 + sequence };
      message.set(payload, emitIcmpv6Around(header, payload, 0, message, 0));
    }
    return message;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #refused(error: HostIcmpError): void {
    const { quote } = error;
    if (quote.length < HEADER_LENGTH || quote[0] !== FAMILIES[this.#family].request || !this.#isOurs(quote)) return;
    this.#events.refused(readUint16(quote, SEQUENCE), { ...error, to: { ...error.to, port: 0 } });
  }

  /** An echo message at `at` is of this identifier. */
  #isOurs(bytes: Uint8Array, at = 0): boolean {
    return !this.#isRaw || readUint16(bytes, at + IDENTIFIER) === this.#identifier;
  }

  #reply(bytes: Uint8Array, at: number, from: Uint8Array, ttl: number | undefined): void {
    if (bytes.length - at < HEADER_LENGTH || bytes[at] !== FAMILIES[this.#family].reply) return;
    if (!this.#isOurs(bytes, at)) return;
    this.#events.replied(from, readUint16(bytes, at + SEQUENCE), bytes.subarray(at + HEADER_LENGTH), ttl);
  }

  /** A whole IPv4 packet, checked by the kernel as far as ICMP's header. */
  #packet(bytes: Uint8Array): void {
    const at = headerLength(bytes, 0);
    if (at === undefined || bytes.length < at + HEADER_LENGTH) return;
    const from = bytes.slice(IP.source, IP.source + 4);
    const type = bytes[at]!;
    this.#reply(bytes, at, from, bytes[IP.ttl]);
    if (!isIcmpv4Error(type)) return;
    const inner = at + HEADER_LENGTH;
    const length = headerLength(bytes, inner);
    if (length === undefined || bytes[inner + IP.protocol] !== PROTOCOL_ICMP) return;
    this.#refused({
      type,
      code: bytes[at + CODE]!,
      // RFC 1191, 4: the next hop's MTU is in the low half of the second word.
      mtu: type === 3 && bytes[at + CODE] === 4 ? readUint16(bytes, at + SEQUENCE) : 0,
      reporter: from,
      to: { address: bytes.slice(inner + IP.destination, inner + IP.destination + 4), port: 0 },
      quote: bytes.slice(inner + length),
    });
  }
}

/** The length of the IPv4 header that begins there; undefined where it is not whole. */
function headerLength(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length < at + IPV4_HEADER_LENGTH) return undefined;
  const length = (bytes[at]! & 0x0f) * 4;
  return length < IPV4_HEADER_LENGTH || bytes.length < at + length ? undefined : length;
}

/** `icmp6_filter`, RFC 3542, 3.2, on a machine that writes the low octet first: a bit that is set keeps a type out. */
function allBut(type: number): Uint8Array {
  const filter = new Uint8Array(32).fill(0xff);
  filter[type >>> 3] = filter[type >>> 3]! & ~(1 << (type & 7));
  return filter;
}

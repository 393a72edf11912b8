/**
 * ICMPv6 as a node speaks it, RFC 4443: answers echo requests, reports what it cannot deliver, hears what others report, asks `ping`s,
 * and hands neighbour discovery and multicast listener discovery on.
 */
import type { Random } from '../base/chance.ts';
import type { Scheduler } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import type { Icmpv6Header } from '../wire/icmpv6.ts';
import {
  emitIcmpv6Around,
  ICMPV6_ADDRESS_UNREACHABLE,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_HEADER_LENGTH,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_PROHIBITED,
  ICMPV6_REDIRECT,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
  Icmpv6View,
  isIcmpv6Error,
} from '../wire/icmpv6.ts';
import {
  IPV6_DESTINATION,
  IPV6_HEADER_LENGTH,
  IPV6_MAX_PAYLOAD,
  IPV6_MIN_MTU,
  IPV6_SOURCE,
  Ipv6View,
  ipv6PseudoHeaderSum,
  NEXT_HEADER_ICMPV6,
} from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ipv6Key, isUnspecifiedIpv6 } from '../wire/ipv6-address.ts';
import type { ParameterProblem } from '../wire/ipv6-extensions.ts';
import { isMldType } from '../wire/mld.ts';
import { isNdpType } from '../wire/ndp.ts';
import type { EchoReply, IcmpError, IcmpLayer, OnTransitEcho } from './icmp-layer.ts';
import type { OnReportedError } from './ip-network.ts';
import type { IncomingPacket, IpProtocol } from './ip-packet.ts';
import { destinationOf, pseudoHeaderOf, sourceOf } from './ip-packet.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import { isUnicastIpv6 } from './ipv6-addressing.ts';
import type { IncomingIpv6 } from './ipv6-input.ts';
import type { Ipv6Output } from './ipv6-output.ts';
import type { Mld } from './mld.ts';
import type { Ndp } from './ndp.ts';
import type { PathMtu } from './path-mtu.ts';
import type { PingOptions, PingResult } from './pings.ts';
import { Pings } from './pings.ts';
import { TokenBucket } from './token-bucket.ts';

/** RFC 4443, 2.4 (f): the rate of error messages is limited by a token bucket. */
const ERRORS_PER_SECOND = 100;
const ERRORS_BURST = 50;
/** RFC 4443, 2.4 (c): an error message quotes as much as fits into the smallest MTU. */
const MAX_QUOTE = IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMPV6_HEADER_LENGTH;
const MAX_PING_LENGTH = IPV6_MAX_PAYLOAD - ICMPV6_HEADER_LENGTH;

export interface Icmpv6Parts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly addressing: Ipv6Addressing;
  readonly output: Ipv6Output;
  readonly pathMtu: PathMtu;
  readonly ndp: Ndp;
  readonly mld: Mld;
  readonly drops: DropSink;
}

export class Icmpv6 implements IpProtocol, IcmpLayer {
  readonly #parts: Icmpv6Parts;
  readonly #errorAllowance: TokenBucket;
  readonly #message = new Icmpv6View();
  readonly #quotedIp = new Ipv6View();
  readonly #quotedMessage = new Icmpv6View();
  /** By `ipv6Key`. */
  readonly #pings: Pings<string>;
  /** By next header. */
  readonly #onError = new Map<number, OnReportedError>();
  #onTransitEcho: OnTransitEcho | undefined;

  constructor(parts: Icmpv6Parts) {
    this.#parts = parts;
    this.#errorAllowance = new TokenBucket(parts.scheduler, ERRORS_PER_SECOND, ERRORS_BURST);
    this.#pings = new Pings(parts.scheduler, parts.random, MAX_PING_LENGTH);
  }

  receive(packet: IncomingIpv6): void {
    const { batch, index, payloadStart, payloadEnd } = packet;
    const sum = pseudoHeaderOf(packet, NEXT_HEADER_ICMPV6, payloadEnd - payloadStart);
    const defect = this.#message.bind(batch.bytes, payloadStart, payloadEnd, sum);
    const reason =
      defect === undefined
        ? this.#handle(packet)
        : defect === 'bad-checksum'
          ? 'icmpv6-bad-checksum'
          : 'icmpv6-malformed';
    if (reason !== undefined) this.#parts.drops.dropped(reason, batch, index, index + 1);
  }

  /** Acts on the message; says why where it was not taken. */
  #handle(packet: IncomingIpv6): DropReason | undefined {
    const { type } = this.#message;
    if (type === ICMPV6_ECHO_REQUEST) return this.#answerEcho(packet);
    if (isNdpType(type)) return packet.isTransit ? 'ndp-malformed' : this.#parts.ndp.receive(packet);
    if (isMldType(type)) return packet.isTransit ? 'mld-malformed' : this.#parts.mld.receive(packet, type);
    if (type === ICMPV6_ECHO_REPLY) return this.#takeReply(packet);
    return isIcmpv6Error(type) ? this.#takeError(packet) : 'icmpv6-unknown-type';
  }

  /** RFC 4443, 4.2: who asked a group hears one of our addresses. */
  #answerEcho(packet: IncomingIpv6): DropReason | undefined {
    const { batch, ttl, isTransit, isGroup, sourceMac } = packet;
    const source = sourceOf(packet);
    const destination = destinationOf(packet);
    if (isUnspecifiedIpv6(source)) return 'ipv6-bad-source';
    const { identifier, sequence, payloadStart, payloadEnd } = this.#message;
    const payload = batch.bytes.subarray(payloadStart, payloadEnd);
    if (isTransit) {
      if (this.#onTransitEcho === undefined) return 'ipv6-not-local';
      const request = { from: source, to: destination, ttl, identifier, sequence, payload };
      if (this.#onTransitEcho(request) === 'taken') return undefined;
      this.unreachable(ICMPV6_PROHIBITED, packet);
      return 'icmpv6-prohibited';
    }
    const { addressing } = this.#parts;
    const from = isGroup && !addressing.isOurs(destination) ? addressing.sourceFor(source) : destination;
    // A neighbour that was never asked for is answered where it came from.
    const mac = addressing.isOnLink(source) ? sourceMac : undefined;
    this.#send(from, source, echo(ICMPV6_ECHO_REPLY, identifier, sequence), payload, undefined, mac);
    return undefined;
  }

  #takeReply({ ip }: IncomingIpv6): DropReason | undefined {
    const { identifier, sequence } = this.#message;
    return this.#pings.reply(ipv6Key(ip.source), identifier, sequence) ? undefined : 'icmpv6-unmatched';
  }

  #takeError({ batch }: IncomingIpv6): DropReason | undefined {
    const { type, code, parameter, payloadStart, payloadEnd } = this.#message;
    return this.#fail(batch.bytes, payloadStart, payloadEnd, { type, code, parameter })
      ? undefined
      : 'icmpv6-unmatched';
  }

  /** Hands errors about packets of `nextHeader` to `handler`, which says whether they were about something that it sent. */
  onError(nextHeader: number, handler: OnReportedError): void {
    this.#onError.set(nextHeader, handler);
  }

  onTransitEcho(handler: OnTransitEcho | undefined): void {
    this.#onTransitEcho = handler;
  }

  replyEcho({ from, to, ttl, identifier, sequence, payload }: EchoReply): void {
    this.#send(from, to, echo(ICMPV6_ECHO_REPLY, identifier, sequence), payload, ttl);
  }

  /** Asks `to` for an echo. `on` hears exactly one result, at once where no route leads there. */
  ping(to: Ipv6, options: PingOptions, on: (result: PingResult) => void): void {
    const source = this.#parts.addressing.sourceFor(to);
    this.#pings.ask(ipv6Key(to), options, on, (identifier, sequence, payload) =>
      this.#send(source, to, echo(ICMPV6_ECHO_REQUEST, identifier, sequence), payload),
    );
  }

  /** Packets (whole frames) found nobody at the next hop: our own, or others that a router forwards. */
  nextHopUnreachable(frames: readonly Uint8Array[]): void {
    const error = { type: ICMPV6_UNREACHABLE, code: ICMPV6_ADDRESS_UNREACHABLE, parameter: 0 };
    for (const frame of frames) {
      if (!this.#fail(frame, ETHERNET_HEADER_LENGTH, frame.length, error))
        this.#parts.addressing.forwarder?.undeliverable(frame);
    }
  }

  /** Tells whoever sent the packet that starts at `start`; false where nobody here did. */
  #fail(bytes: Uint8Array, start: number, end: number, { type, code, parameter }: Icmpv6Header): boolean {
    const ip = this.#quotedIp;
    if (ip.bindQuoted(bytes, start, end) !== undefined || ip.skipExtensions() !== undefined) return false;
    const { source, destination } = ip;
    const isTooBig = type === ICMPV6_PACKET_TOO_BIG;
    const isHeeded = isTooBig && this.#learnPath(source, destination, parameter);
    if (ip.isFragment && (ip.fragmentOffset !== 0 || ip.skipExtensions() !== undefined)) return isHeeded;
    const { nextHeader, payloadStart, payloadEnd } = ip;
    if (nextHeader === NEXT_HEADER_ICMPV6)
      return (type === ICMPV6_UNREACHABLE && this.#failPing(bytes, ip, code)) || isHeeded;
    const mtu = isTooBig ? Math.max(parameter, IPV6_MIN_MTU) : 0;
    const kind = isTooBig ? 'too-long' : type === ICMPV6_UNREACHABLE ? 'unreachable' : 'other';
    const error = { kind, mtu, source, destination, bytes, start: payloadStart, end: payloadEnd } as const;
    return this.#onError.get(nextHeader)?.(error) === true || isHeeded;
  }

  /** RFC 8201, 4: what a router says about a packet that may be ours: from one of our addresses, or from a host off the link. */
  #learnPath(source: Ipv6, destination: Ipv6, mtu: number): boolean {
    const { addressing, pathMtu } = this.#parts;
    if (!addressing.isOurs(source) && (addressing.isOnLink(source) || !isUnicastIpv6(source))) return false;
    return pathMtu.learn(destination, mtu);
  }

  /** Ends the ping whose request `ip` is bound to; false where it is no request of ours. */
  #failPing(bytes: Uint8Array, ip: Ipv6View, code: number): boolean {
    const message = this.#quotedMessage;
    if (message.bindQuoted(bytes, ip.payloadStart, ip.payloadEnd) !== undefined || message.type !== ICMPV6_ECHO_REQUEST)
      return false;
    return this.#pings.fail(ipv6Key(ip.destination), message.identifier, message.sequence, code);
  }

  /** Tells the packet's sender that it cannot be delivered, and why. */
  unreachable(code: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV6_UNREACHABLE, code, parameter: 0 }, packet);
  }

  timeExceeded(code: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV6_TIME_EXCEEDED, code, parameter: 0 }, packet);
  }

  /** The next network takes packets of `mtu` octets. */
  packetTooBig(mtu: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV6_PACKET_TOO_BIG, code: 0, parameter: mtu }, packet, true);
  }

  parameterProblem({ code, pointer, isForGroups = false }: ParameterProblem, packet: IncomingPacket): void {
    this.#report({ type: ICMPV6_PARAMETER_PROBLEM, code, parameter: pointer }, packet, isForGroups);
  }

  /** Tells the sender of a forwarded packet (a whole frame) that nobody has its next hop. */
  hostUnreachable(frame: Uint8Array): void {
    const error = { type: ICMPV6_UNREACHABLE, code: ICMPV6_ADDRESS_UNREACHABLE, parameter: 0 };
    const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
    if (this.#isReportable(packet, 0, packet.length)) this.#sendError(error, undefined, packet);
  }

  /** RFC 4443, 2.4 (e): not about what went to a group, but where that is said to be allowed. */
  #report(error: Icmpv6Header, packet: IncomingPacket, isForGroups = false): void {
    const { batch, start, payloadEnd, isGroup } = packet;
    if ((isGroup && !isForGroups) || !this.#isReportable(batch.bytes, start, payloadEnd)) return;
    const destination = destinationOf(packet);
    const source = this.#parts.addressing.isOurs(destination) ? destination : undefined;
    this.#sendError(error, source, batch.bytes.subarray(start, payloadEnd));
  }

  /** Tells the sender of `packet` (its octets from the header on) what became of it; in the name of `reporter`, or of the stack. */
  report({ type, code, mtu }: IcmpError, packet: Uint8Array, reporter?: Ipv6): void {
    this.#sendError({ type, code, parameter: mtu }, reporter, packet);
  }

  #sendError(error: Icmpv6Header, reporter: Ipv6 | undefined, packet: Uint8Array): void {
    if (!this.#errorAllowance.take()) return;
    const destination = packet.slice(IPV6_SOURCE, IPV6_DESTINATION);
    const source = reporter ?? this.#parts.addressing.sourceFor(destination);
    this.#send(source, destination, error, packet.slice(0, MAX_QUOTE));
  }

  /** RFC 4443, 2.4 (e): never about an ICMPv6 error or a redirect, or what names no single host as its source. */
  #isReportable(bytes: Uint8Array, start: number, end: number): boolean {
    const ip = this.#quotedIp;
    if (ip.bindQuoted(bytes, start, end) !== undefined || !isUnicastIpv6(ip.source)) return false;
    ip.skipExtensions();
    if (ip.isFragment) {
      if (ip.fragmentOffset !== 0) return true;
      ip.skipExtensions();
    }
    if (ip.nextHeader !== NEXT_HEADER_ICMPV6) return true;
    const message = this.#quotedMessage;
    if (message.bindQuoted(bytes, ip.payloadStart, ip.payloadEnd) !== undefined) return false;
    return !isIcmpv6Error(message.type) && message.type !== ICMPV6_REDIRECT;
  }

  #send(
    source: Ipv6,
    destination: Ipv6,
    header: Icmpv6Header,
    payload: Uint8Array,
    hopLimit?: number,
    mac?: number,
  ): boolean {
    const head = new Uint8Array(ICMPV6_HEADER_LENGTH);
    const length = head.length + payload.length;
    const sum = ipv6PseudoHeaderSum(source, destination, NEXT_HEADER_ICMPV6, length);
    emitIcmpv6Around(header, payload, sum, head, 0);
    const packet = { source, destination, nextHeader: NEXT_HEADER_ICMPV6, hopLimit, mac };
    return this.#parts.output.send(packet, head, payload);
  }
}

function echo(type: number, identifier: number, sequence: number): Icmpv6Header {
  return { type, code: 0, parameter: identifier * 0x1_0000 + sequence };
}

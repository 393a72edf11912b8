/**
 * ICMP as a host speaks it: answers echo requests, reports what it cannot deliver (RFC 792; RFC 1122, 3.2.2), and asks `ping`s.
 */
import type { Random } from '../base/chance.ts';
import type { Scheduler } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import type { Icmpv4Header } from '../wire/icmpv4.ts';
import {
  ADMINISTRATIVELY_PROHIBITED,
  emitIcmpv4,
  FRAGMENTATION_NEEDED,
  HOST_UNREACHABLE,
  ICMPV4_ECHO_REPLY,
  ICMPV4_ECHO_REQUEST,
  ICMPV4_HEADER_LENGTH,
  ICMPV4_TIME_EXCEEDED,
  ICMPV4_UNREACHABLE,
  Icmpv4View,
  isIcmpv4Error,
} from '../wire/icmpv4.ts';
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, IPV4_SOURCE, Ipv4View, PROTOCOL_ICMP } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Addressing } from './addressing.ts';
import type { EchoReply, IcmpError, IcmpLayer, OnTransitEcho } from './icmp-layer.ts';
import type { OnReportedError } from './ip-network.ts';
import type { IncomingPacket, IpProtocol } from './ip-packet.ts';
import { destinationOf, sourceOf } from './ip-packet.ts';
import type { Ipv4Output } from './ipv4-output.ts';
import type { PingOptions, PingResult } from './pings.ts';
import { Pings } from './pings.ts';
import { TokenBucket } from './token-bucket.ts';

/** RFC 1812, 4.3.2.8: the rate of error messages is limited, and it is a token bucket that limits it. */
const ERRORS_PER_SECOND = 100;
const ERRORS_BURST = 50;
/** RFC 1812, 4.3.2.3: an error message quotes as much as fits into 576 octets. */
const MAX_QUOTE = 576 - IPV4_HEADER_LENGTH - ICMPV4_HEADER_LENGTH;

const MAX_PING_LENGTH = IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH - ICMPV4_HEADER_LENGTH;

/** RFC 791, 3.2: what every path takes, nearly; a smaller report is not believed. */
const SMALLEST_PATH = 576;

export class Icmp implements IpProtocol, IcmpLayer {
  readonly #addressing: Addressing;
  readonly #output: Ipv4Output;
  readonly #drops: DropSink;
  readonly #errorAllowance: TokenBucket;
  readonly #message = new Icmpv4View();
  readonly #quotedIp = new Ipv4View();
  readonly #quotedMessage = new Icmpv4View();
  readonly #pings: Pings<Ipv4>;
  /** By protocol number. */
  readonly #onError = new Map<number, OnReportedError>();
  #onTransitEcho: OnTransitEcho | undefined;

  constructor(scheduler: Scheduler, random: Random, addressing: Addressing, output: Ipv4Output, drops: DropSink) {
    this.#addressing = addressing;
    this.#output = output;
    this.#drops = drops;
    this.#errorAllowance = new TokenBucket(scheduler, ERRORS_PER_SECOND, ERRORS_BURST);
    this.#pings = new Pings(scheduler, random, MAX_PING_LENGTH);
  }

  receive(packet: IncomingPacket): void {
    const { batch, index, payloadStart, payloadEnd } = packet;
    const defect = this.#message.bind(batch.bytes, payloadStart, payloadEnd);
    const reason =
      defect === undefined ? this.#handle(packet) : defect === 'bad-checksum' ? 'icmp-bad-checksum' : 'icmp-malformed';
    if (reason !== undefined) this.#drops.dropped(reason, batch, index, index + 1);
  }

  /** Acts on the message; says why where it was not taken. */
  #handle(packet: IncomingPacket): DropReason | undefined {
    const { type } = this.#message;
    if (type === ICMPV4_ECHO_REQUEST) return this.#answerEcho(packet);
    if (type === ICMPV4_ECHO_REPLY) return this.#takeReply(packet);
    if (isIcmpv4Error(type)) return this.#takeError(packet);
    return 'icmp-unknown-type';
  }

  #answerEcho(packet: IncomingPacket): DropReason | undefined {
    const { batch, addressesAt, isGroup, isTransit } = packet;
    if (isGroup) return 'icmp-broadcast-echo';
    if (isTransit) return this.#passEcho(packet);
    const source = readUint32(batch.bytes, addressesAt);
    const destination = readUint32(batch.bytes, addressesAt + 4);
    if (!this.#addressing.isOurs(destination)) return 'ipv4-not-local';
    const { identifier, sequence, payloadStart, payloadEnd } = this.#message;
    const payload = batch.bytes.subarray(payloadStart, payloadEnd);
    this.#send(destination, source, { type: ICMPV4_ECHO_REPLY, code: 0, identifier, sequence }, payload);
    return undefined;
  }

  #passEcho(packet: IncomingPacket): DropReason | undefined {
    if (this.#onTransitEcho === undefined) return 'ipv4-not-local';
    const { identifier, sequence, payloadStart, payloadEnd } = this.#message;
    const payload = packet.batch.bytes.subarray(payloadStart, payloadEnd);
    const { ttl } = packet;
    const request = { from: sourceOf(packet), to: destinationOf(packet), ttl, identifier, sequence, payload };
    if (this.#onTransitEcho(request) === 'taken') return undefined;
    this.unreachable(ADMINISTRATIVELY_PROHIBITED, packet);
    return 'icmp-prohibited';
  }

  #takeReply({ batch, addressesAt }: IncomingPacket): DropReason | undefined {
    const { identifier, sequence } = this.#message;
    const from = readUint32(batch.bytes, addressesAt);
    return this.#pings.reply(from, identifier, sequence) ? undefined : 'icmp-unmatched';
  }

  #takeError({ batch }: IncomingPacket): DropReason | undefined {
    // The place of the sequence number is that of RFC 1191's MTU.
    const { type, code, sequence: mtu, payloadStart, payloadEnd } = this.#message;
    return this.#fail(batch.bytes, payloadStart, payloadEnd, type, code, mtu) ? undefined : 'icmp-unmatched';
  }

  /** Hands errors about packets of `protocol` to `handler`, which says whether they were about something that it sent. */
  onError(protocol: number, handler: OnReportedError): void {
    this.#onError.set(protocol, handler);
  }

  onTransitEcho(handler: OnTransitEcho | undefined): void {
    this.#onTransitEcho = handler;
  }

  replyEcho({ from, to, ttl, identifier, sequence, payload }: EchoReply): void {
    const header = { type: ICMPV4_ECHO_REPLY, code: 0, identifier, sequence };
    this.#send(readUint32(from, 0), readUint32(to, 0), header, payload, ttl);
  }

  /** Asks `to` for an echo. `on` hears exactly one result, at once where no route leads there. */
  ping(to: Ipv4, options: PingOptions, on: (result: PingResult) => void): void {
    this.#pings.ask(to, options, on, (identifier, sequence, payload) => {
      const header = { type: ICMPV4_ECHO_REQUEST, code: 0, identifier, sequence };
      return this.#send(this.#addressing.first, to, header, payload);
    });
  }

  /** Packets (whole frames) found nobody at the next hop: our own, or others that a router forwards. */
  nextHopUnreachable(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      if (!this.#fail(frame, ETHERNET_HEADER_LENGTH, frame.length, ICMPV4_UNREACHABLE, HOST_UNREACHABLE, 0))
        this.#addressing.forwarder?.undeliverable(frame);
    }
  }

  /** Tells whoever sent the packet that starts at `start`; false where nobody here did. */
  #fail(bytes: Uint8Array, start: number, end: number, type: number, code: number, mtu: number): boolean {
    const ip = this.#quotedIp;
    if (ip.bindQuoted(bytes, start, end) !== undefined || ip.fragmentOffset !== 0) return false;
    if (ip.protocol === PROTOCOL_ICMP) return type === ICMPV4_UNREACHABLE && this.#failPing(bytes, ip, code);
    const isTooLong = type === ICMPV4_UNREACHABLE && code === FRAGMENTATION_NEEDED;
    const kind = isTooLong ? 'too-long' : type === ICMPV4_UNREACHABLE ? 'unreachable' : 'other';
    const error = {
      kind,
      mtu: isTooLong ? Math.max(mtu, SMALLEST_PATH) : 0,
      source: ipv4Octets(ip.source),
      destination: ipv4Octets(ip.destination),
      bytes,
      start: ip.payloadStart,
      end: ip.payloadEnd,
    } as const;
    return this.#onError.get(ip.protocol)?.(error) === true;
  }

  /** Ends the ping whose request `ip` is bound to; false where it is no request of ours. */
  #failPing(bytes: Uint8Array, ip: Ipv4View, code: number): boolean {
    const message = this.#quotedMessage;
    if (message.bindQuoted(bytes, ip.payloadStart, ip.payloadEnd) !== undefined || message.type !== ICMPV4_ECHO_REQUEST)
      return false;
    return this.#pings.fail(ip.destination, message.identifier, message.sequence, code);
  }

  /** Tells the packet's sender that it cannot be delivered, and why. */
  unreachable(code: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV4_UNREACHABLE, code, mtu: 0 }, packet);
  }

  timeExceeded(code: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV4_TIME_EXCEEDED, code, mtu: 0 }, packet);
  }

  /** The next network takes packets of `mtu` octets (RFC 1191, 4). */
  fragmentationNeeded(mtu: number, packet: IncomingPacket): void {
    this.#report({ type: ICMPV4_UNREACHABLE, code: FRAGMENTATION_NEEDED, mtu }, packet);
  }

  /** Tells the sender of a forwarded packet (a whole frame) that nobody has its next hop. */
  hostUnreachable(frame: Uint8Array): void {
    const ip = this.#quotedIp;
    if (ip.bind(frame, ETHERNET_HEADER_LENGTH, frame.length) !== undefined || !this.#isReportable(frame, ip)) return;
    const error = { type: ICMPV4_UNREACHABLE, code: HOST_UNREACHABLE, mtu: 0 };
    this.#sendError(error, this.#addressing.first, ip.source, frame.subarray(ip.start, ip.payloadEnd));
  }

  #report(error: IcmpError, { batch, start, payloadEnd, isGroup, isTransit }: IncomingPacket): void {
    const ip = this.#quotedIp;
    if (isGroup || ip.bindQuoted(batch.bytes, start, payloadEnd) !== undefined) return;
    if (!this.#isReportable(batch.bytes, ip)) return;
    if (!isTransit && !this.#addressing.isOurs(ip.destination)) return;
    const source = isTransit ? this.#addressing.first : ip.destination;
    this.#sendError(error, source, ip.source, batch.bytes.subarray(start, payloadEnd));
  }

  report(error: IcmpError, packet: Uint8Array, reporter?: Uint8Array): void {
    const source = reporter === undefined ? this.#addressing.first : readUint32(reporter, 0);
    this.#sendError(error, source, readUint32(packet, IPV4_SOURCE), packet);
  }

  /** RFC 1812, 4.3.2.8: at a limited rate. The last two octets of the header's second word are RFC 1191's MTU. */
  #sendError({ type, code, mtu }: IcmpError, source: Ipv4, destination: Ipv4, packet: Uint8Array): void {
    if (!this.#errorAllowance.take()) return;
    const header = { type, code, identifier: 0, sequence: mtu };
    this.#send(source, destination, header, packet.subarray(0, MAX_QUOTE));
  }

  /** RFC 1122, 3.2.2: never about a broadcast, a later fragment, an ICMP error, or what names no single host as its source. */
  #isReportable(bytes: Uint8Array, ip: Ipv4View): boolean {
    if (ip.fragmentOffset !== 0) return false;
    if (ip.protocol !== PROTOCOL_ICMP) return true;
    const defect = this.#quotedMessage.bindQuoted(bytes, ip.payloadStart, ip.payloadEnd);
    return defect === undefined && !isIcmpv4Error(this.#quotedMessage.type);
  }

  #send(source: Ipv4, destination: Ipv4, header: Icmpv4Header, payload: Uint8Array, ttl?: number): boolean {
    const head = new Uint8Array(ICMPV4_HEADER_LENGTH);
    emitIcmpv4(header, payload, head, 0);
    return this.#output.send({ source, destination, protocol: PROTOCOL_ICMP, ttl }, head, payload);
  }
}

import { SeededRandom } from '../../src/base/chance.ts';
import type { FrameSink } from '../../src/link/frame-batch.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { ArpMessage } from '../../src/wire/arp.ts';
import { ARP_LENGTH, emitArp, parseArp } from '../../src/wire/arp.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, emitEthernet } from '../../src/wire/ethernet.ts';
import { emitIcmpv4, Icmpv4View } from '../../src/wire/icmpv4.ts';
import {
  emitIpv4,
  type Ipv4Header,
  Ipv4View,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
  pseudoHeaderSum,
} from '../../src/wire/ipv4.ts';
import { formatIpv4, type Ipv4, parseIpv4 } from '../../src/wire/ipv4-address.ts';
import { NEXT_HEADER_ICMPV6 } from '../../src/wire/ipv6.ts';
import { formatIpv6 } from '../../src/wire/ipv6-text.ts';
import { BROADCAST_MAC, formatMac, type Mac, readMac } from '../../src/wire/mac.ts';
import { readUint16, readUint32, writeUint32 } from '../../src/wire/octets.ts';
import { emitUdp, UdpView } from '../../src/wire/udp.ts';
import type { Family } from './families.ts';
import { advertisementFor, IPV4, packetIn, pseudoHeader, solicitationFromPeer } from './families.ts';
import { A, B } from './frames.ts';
import { ManualScheduler } from './manual-scheduler.ts';

/** The station under test has A and 10.0.0.1, its neighbour B and 10.0.0.2. */
export const OURS = ip('10.0.0.1');
export const PEER = ip('10.0.0.2');
export const EXTRA = ip('10.0.0.3');
export const ROUTER = ip('10.0.0.254');

export function ip(text: string): Ipv4 {
  return parseIpv4(text)!;
}

/** An address as `Endpoint`s have it. */
export function octets(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, ip(text));
  return bytes;
}

export interface WireOptions {
  readonly family?: Family;
  readonly mtu?: number;
  readonly isConfigured?: boolean;
  readonly takesTransit?: boolean;
  /** Somebody takes what is for other networks. */
  readonly hasRoute?: boolean;
}

/** A stack with addresses of one family on a wire of its own, whose other end the test holds. */
export class Wire {
  readonly family: Family;
  readonly scheduler = new ManualScheduler();
  readonly stack: Stack;
  /** Frames per push. */
  readonly pushes: number[] = [];
  /** The peer answers when it is asked for its address, and what was asked is not in `take`. */
  answersNeighbours = false;
  #sent: Uint8Array[] = [];

  /** By default segments carry 1460 octets, whatever the family. */
  constructor({
    family = IPV4,
    mtu = family.headerLength + 1480,
    isConfigured = true,
    takesTransit = false,
    hasRoute = true,
  }: WireOptions = {}) {
    this.family = family;
    this.stack = new Stack({ mac: A, mtu, scheduler: this.scheduler, random: new SeededRandom(1), takesTransit });
    const far: FrameSink = {
      push: (batch, first, end) => {
        this.pushes.push(end - first);
        for (let i = first; i < end; i++) this.#hear(sliceOf(batch, i));
      },
    };
    this.stack.attach(far);
    if (isConfigured) family.configure(this.stack, hasRoute);
    if (family !== IPV4) this.take();
  }

  #hear(frame: Uint8Array): void {
    const answer = this.answersNeighbours ? answerTo(frame) : undefined;
    if (answer === undefined) this.#sent.push(frame);
    else this.deliver(answer);
  }

  /** Frames from the network, in one batch. */
  deliver(...frames: readonly Uint8Array[]): void {
    this.stack.push(batchOf(frames), 0, frames.length);
  }

  /** The peer asks for our address, so that it is known. */
  introducePeer(): void {
    this.deliver(this.family === IPV4 ? arpFrame(requestFrom(B, PEER, OURS)) : solicitationFromPeer());
    this.take();
  }

  /** What was sent since the last call. */
  take(): Uint8Array[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The same, in words. */
  said(): string[] {
    return this.take().map(tell);
  }

  drops(): Record<string, number> {
    return this.stack.drops.toRecord();
  }
}

/** What the peer says to a frame that asks for its address. */
function answerTo(frame: Uint8Array): Uint8Array | undefined {
  return readUint16(frame, 12) === ETHERTYPE_ARP ? arpFrame(replyFrom(B, PEER)) : advertisementFor(frame);
}

export function requestFrom(senderMac: Mac, senderAddress: Ipv4, targetAddress: Ipv4): ArpMessage {
  return { operation: 'request', senderMac, senderAddress, targetMac: 0, targetAddress };
}

export function replyFrom(senderMac: Mac, senderAddress: Ipv4): ArpMessage {
  return { operation: 'reply', senderMac, senderAddress, targetMac: A, targetAddress: OURS };
}

export function arpFrame(
  message: ArpMessage,
  to: Mac = message.operation === 'request' ? BROADCAST_MAC : A,
): Uint8Array {
  const frame = new Uint8Array(14 + ARP_LENGTH);
  emitArp(message, frame, emitEthernet(frame, 0, to, message.senderMac, ETHERTYPE_ARP));
  return frame;
}

/** An IPv4 packet from the peer to us, but for what `fields` says. */
export function ipv4Frame(
  payload: Uint8Array,
  fields: Partial<Ipv4Header> & { readonly mac?: Mac; readonly toMac?: Mac } = {},
): Uint8Array {
  const frame = new Uint8Array(34 + payload.length);
  const header: Ipv4Header = {
    totalLength: 20 + payload.length,
    identification: 1,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: PROTOCOL_UDP,
    source: PEER,
    destination: OURS,
    ...fields,
  };
  frame.set(
    payload,
    emitIpv4(header, frame, emitEthernet(frame, 0, fields.toMac ?? A, fields.mac ?? B, ETHERTYPE_IPV4)),
  );
  return frame;
}

export function udpPayload(
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array,
  { source = PEER, destination = OURS } = {},
): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  bytes.set(payload, 8);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, bytes.length);
  emitUdp({ sourcePort, destinationPort }, sum, payload, bytes, 0);
  return bytes;
}

/** A datagram from the peer's port 1000. */
export function udpFrame(
  port: number,
  payload: Uint8Array = new Uint8Array(0),
  fields: Parameters<typeof ipv4Frame>[1] = {},
): Uint8Array {
  return ipv4Frame(udpPayload(1000, port, payload, fields), fields);
}

export function icmpPayload(type: number, code: number, payload: Uint8Array, identifier = 0, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  bytes.set(payload, 8);
  emitIcmpv4({ type, code, identifier, sequence }, payload, bytes, 0);
  return bytes;
}

export function echoRequest(
  payload: Uint8Array = new Uint8Array(0),
  fields: Parameters<typeof ipv4Frame>[1] = {},
): Uint8Array {
  return ipv4Frame(icmpPayload(8, 0, payload, 7, 9), { protocol: PROTOCOL_ICMP, ...fields });
}

/** Octets that are recognisable: 0, 1, 2 … */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
}

/** A packet's fragments of `size` octets each. */
export function fragmentsOf(
  payload: Uint8Array,
  size: number,
  fields: Parameters<typeof ipv4Frame>[1] = {},
): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) {
    const moreFragments = at + size < payload.length;
    fragments.push(ipv4Frame(payload.slice(at, at + size), { ...fields, fragmentOffset: at, moreFragments }));
  }
  return fragments;
}

/** A frame in words; one that a receiver would refuse is said to be broken. */
export function tell(frame: Uint8Array): string {
  const to = formatMac(readMac(frame, 0));
  if (readUint16(frame, 12) === ETHERTYPE_ARP) {
    const message = parseArp(frame, 14, frame.length);
    if (typeof message === 'string') return `broken arp: ${message}`;
    const { operation, senderAddress, targetAddress } = message;
    return operation === 'request'
      ? `who has ${formatIpv4(targetAddress)}, tell ${formatIpv4(senderAddress)} (to ${to})`
      : `${formatIpv4(senderAddress)} is at ${formatMac(message.senderMac)} (to ${to})`;
  }
  if (readUint16(frame, 12) === ETHERTYPE_IPV6) return `${tellIpv6(frame)} (to ${to})`;
  const view = new Ipv4View();
  const defect = view.bind(frame, 14, frame.length);
  if (defect !== undefined) return `broken ipv4: ${defect}`;
  return `${formatIpv4(view.source)} > ${formatIpv4(view.destination)} ${tellPayload(frame, view)} (to ${to})`;
}

function tellIpv6(frame: Uint8Array): string {
  const { source, destination, protocol, payloadStart, payloadEnd } = packetIn(frame)!;
  const ends = `${formatIpv6(source)} > ${formatIpv6(destination)}`;
  const length = payloadEnd - payloadStart;
  if (protocol === NEXT_HEADER_ICMPV6)
    return `${ends} icmp ${frame[payloadStart]}/${frame[payloadStart + 1]} ${length - 8} octets`;
  if (protocol !== PROTOCOL_UDP) return `${ends} protocol ${protocol} ${length} octets`;
  return `${ends} ${tellUdp(frame, payloadStart, payloadEnd, pseudoHeader(source, destination, protocol, length))}`;
}

function tellPayload(frame: Uint8Array, view: Ipv4View): string {
  const length = view.payloadEnd - view.payloadStart;
  if (view.isFragment) return `fragment ${view.fragmentOffset}+${length}${view.moreFragments ? ' more' : ''}`;
  if (view.protocol === PROTOCOL_ICMP) {
    const message = new Icmpv4View();
    const defect = message.bind(frame, view.payloadStart, view.payloadEnd);
    return defect === undefined
      ? `icmp ${message.type}/${message.code} ${length - 8} octets`
      : `broken icmp: ${defect}`;
  }
  const sum = pseudoHeaderSum(view.source, view.destination, PROTOCOL_UDP, length);
  return tellUdp(frame, view.payloadStart, view.payloadEnd, sum);
}

function tellUdp(frame: Uint8Array, start: number, end: number, pseudoHeaderSum: number): string {
  const datagram = new UdpView();
  const defect = datagram.bind(frame, start, end);
  if (defect !== undefined) return `broken udp: ${defect}`;
  const said = datagram.isIntact(pseudoHeaderSum) ? `${datagram.length - 8} octets` : 'broken';
  return `udp ${datagram.sourcePort} > ${datagram.destinationPort} ${said}`;
}

/** What an echo reply or an error carries behind its ICMP header. */
export function icmpBody(frame: Uint8Array): Uint8Array {
  return frame.slice(42, 14 + readUint16(frame, 16));
}

export function sourceOf(frame: Uint8Array): Ipv4 {
  return readUint32(frame, 26);
}

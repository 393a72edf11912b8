import { finishChecksum, sumWords } from '../../src/base/checksum.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, emitEthernet } from '../../src/wire/ethernet.ts';
import { sealIcmpv6 } from '../../src/wire/icmpv6.ts';
import { emitIpv4, PROTOCOL_UDP } from '../../src/wire/ipv4.ts';
import { formatIpv4, ipv4Octets, ipv4Of, parseIpv4 } from '../../src/wire/ipv4-address.ts';
import { emitIpv6, NEXT_HEADER_ICMPV6 } from '../../src/wire/ipv6.ts';
import { ALL_NODES, groupMacOf } from '../../src/wire/ipv6-address.ts';
import { formatIpv6, parseIpv6 } from '../../src/wire/ipv6-text.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import type { NdpMessage } from '../../src/wire/ndp.ts';
import { emitNdp } from '../../src/wire/ndp.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { emitUdp } from '../../src/wire/udp.ts';
import { A, B } from './frames.ts';

export interface FamilyFrameFields {
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
  /** Time to live, hop limit. */
  readonly ttl?: number;
  readonly toMac?: Mac;
  /** Of IPv4. */
  readonly dontFragment?: boolean;
}

export interface FamilyDatagramFields extends FamilyFrameFields {
  readonly sourcePort?: number;
}

export interface ErrorFields {
  readonly mtu?: number;
  /** Us, unless it is about what was sent in another's name. */
  readonly destination?: Uint8Array;
}

/** What a test of both families has to know of one. The station under test has the MAC A, its neighbour B. */
export interface Family {
  readonly name: 'IPv4' | 'IPv6';
  readonly headerLength: number;
  readonly ours: Uint8Array;
  readonly peer: Uint8Array;
  /** Another address of the station. */
  readonly extra: Uint8Array;
  /** On the link, but nobody's. */
  readonly absent: Uint8Array;
  /** Off the link. */
  readonly far: Uint8Array;
  /** A host's address for itself. */
  readonly loopback: Uint8Array;
  /** To everybody on the link. */
  readonly everybody: Uint8Array;
  readonly everybodyMac: Mac;
  /** Errors, as type and code: nobody has the address, the port is closed, it is forbidden, hops ended here, the packet is too long. */
  readonly errors: Readonly<Record<'host' | 'port' | 'prohibited' | 'hops' | 'too-long', readonly [number, number]>>;
  /** The drop of a packet whose hops end here, of one for nobody here. */
  readonly drops: { readonly hops: string; readonly notLocal: string };
  /** Gives the station its addresses and, where asked, a way to everybody. */
  configure(stack: Stack, hasRoute: boolean): void;
  /** A packet from the peer to us, but for what `fields` says. */
  frame(payload: Uint8Array, protocol: number, fields?: FamilyFrameFields): Uint8Array;
  /** An error of the family's ICMP from the peer about what is in a frame of ours. */
  errorAbout(frame: Uint8Array, kind: keyof Family['errors'], fields?: ErrorFields): Uint8Array;
  text(address: Uint8Array): string;
}

const v4 = (text: string): Uint8Array => ipv4Octets(parseIpv4(text)!);
const v6 = (text: string): Uint8Array => parseIpv6(text)!;

export const IPV4: Family = {
  name: 'IPv4',
  headerLength: 20,
  ours: v4('10.0.0.1'),
  peer: v4('10.0.0.2'),
  extra: v4('10.0.0.3'),
  absent: v4('10.0.0.77'),
  far: v4('192.0.2.7'),
  loopback: v4('127.0.0.1'),
  everybody: v4('255.255.255.255'),
  everybodyMac: BROADCAST_MAC,
  errors: { host: [3, 1], port: [3, 3], prohibited: [3, 13], hops: [11, 0], 'too-long': [3, 4] },
  drops: { hops: 'ipv4-ttl-exceeded', notLocal: 'ipv4-not-local' },
  configure: (stack, hasRoute) =>
    stack.configure({
      interface: { address: ipv4Of(IPV4.ours), prefixLength: 24 },
      extra: [ipv4Of(IPV4.extra)],
      defaultRoute: hasRoute ? parseIpv4('10.0.0.254') : undefined,
    }),
  frame: (
    payload,
    protocol,
    { source = IPV4.peer, destination = IPV4.ours, ttl = 64, toMac = A, dontFragment = false } = {},
  ) => {
    const frame = new Uint8Array(34 + payload.length);
    const header = {
      totalLength: 20 + payload.length,
      identification: 1,
      dontFragment,
      moreFragments: false,
      fragmentOffset: 0,
      ttl,
      protocol,
      source: ipv4Of(source),
      destination: ipv4Of(destination),
    };
    frame.set(payload, emitIpv4(header, frame, emitEthernet(frame, 0, toMac, B, ETHERTYPE_IPV4)));
    return frame;
  },
  errorAbout: (frame, kind, { mtu = 0, destination } = {}) => {
    const message = new Uint8Array(frame.length - 14 + 8);
    message.set([...IPV4.errors[kind], 0, 0, 0, 0, mtu >> 8, mtu & 0xff]);
    message.set(frame.subarray(14), 8);
    message.set(checksumOf(message), 2);
    return IPV4.frame(message, 1, destination && { destination });
  },
  text: (address) => formatIpv4(ipv4Of(address)),
};

export const IPV6: Family = {
  name: 'IPv6',
  headerLength: 40,
  ours: v6('fd00::1'),
  peer: v6('fd00::2'),
  extra: v6('fd00::8003'),
  absent: v6('fd00::77'),
  far: v6('2001:db8::7'),
  loopback: v6('::1'),
  everybody: ALL_NODES,
  everybodyMac: groupMacOf(ALL_NODES),
  errors: { host: [1, 3], port: [1, 4], prohibited: [1, 1], hops: [3, 0], 'too-long': [2, 0] },
  drops: { hops: 'ipv6-hop-limit-exceeded', notLocal: 'ipv6-not-local' },
  configure: (stack, hasRoute) =>
    stack.configure({
      ipv6: {
        interface: { address: IPV6.ours, prefixLength: 64 },
        extra: [IPV6.extra],
        defaultRoute: hasRoute ? v6('fd00::fe') : undefined,
      },
    }),
  frame: (payload, nextHeader, { source = IPV6.peer, destination = IPV6.ours, ttl = 64, toMac = A } = {}) => {
    const frame = new Uint8Array(54 + payload.length);
    const header = { payloadLength: payload.length, nextHeader, hopLimit: ttl, source, destination };
    frame.set(payload, emitIpv6(header, frame, emitEthernet(frame, 0, toMac, B, ETHERTYPE_IPV6)));
    return frame;
  },
  errorAbout: (frame, kind, { mtu = 0, destination } = {}) => {
    const message = new Uint8Array(frame.length - 14 + 8);
    message.set([...IPV6.errors[kind], 0, 0, 0, 0, mtu >> 8, mtu & 0xff]);
    message.set(frame.subarray(14), 8);
    return icmpv6Frame(message, 64, destination);
  },
  text: formatIpv6,
};

export const FAMILIES: readonly Family[] = [IPV4, IPV6];

function checksumOf(message: Uint8Array): readonly [number, number] {
  const checksum = finishChecksum(sumWords(message, 0, message.length));
  return [checksum >> 8, checksum & 0xff];
}

function icmpv6Frame(message: Uint8Array, ttl: number, destination = IPV6.ours): Uint8Array {
  const sum = pseudoHeader(IPV6.peer, destination, NEXT_HEADER_ICMPV6, message.length);
  sealIcmpv6(message, 0, message.length, sum);
  return IPV6.frame(message, NEXT_HEADER_ICMPV6, { ttl, destination });
}

/** Of either family. */
export function pseudoHeader(source: Uint8Array, destination: Uint8Array, protocol: number, length: number): number {
  return sumWords(source, 0, source.length, sumWords(destination, 0, destination.length, protocol + length));
}

function ndpFrame(message: NdpMessage): Uint8Array {
  const out = new Uint8Array(100);
  return icmpv6Frame(out.slice(0, emitNdp(message, out, 0)), 255);
}

/** A datagram from the peer's port 1000 to us, but for what `fields` says. */
export function datagramOver(
  family: Family,
  port: number,
  payload: Uint8Array = new Uint8Array(0),
  fields: FamilyDatagramFields = {},
): Uint8Array {
  const { sourcePort = 1000, source = family.peer, destination = family.ours } = fields;
  const bytes = new Uint8Array(8 + payload.length);
  bytes.set(payload, 8);
  const sum = pseudoHeader(source, destination, PROTOCOL_UDP, bytes.length);
  emitUdp({ sourcePort, destinationPort: port }, sum, payload, bytes, 0);
  return family.frame(bytes, PROTOCOL_UDP, fields);
}

/** The peer asks where we are, and so tells where it is. */
export function solicitationFromPeer(): Uint8Array {
  return ndpFrame({ kind: 'neighbour-solicitation', target: IPV6.ours, sourceMac: B });
}

/** The peer's answer where the frame asks for it; undefined otherwise. */
export function advertisementFor(frame: Uint8Array): Uint8Array | undefined {
  const asks = readUint16(frame, 12) === ETHERTYPE_IPV6 && frame[20] === NEXT_HEADER_ICMPV6 && frame[54] === 135;
  if (!asks || IPV6.peer.some((octet, i) => frame[62 + i] !== octet)) return undefined;
  return ndpFrame({
    kind: 'neighbour-advertisement',
    isRouter: false,
    isSolicited: true,
    isOverride: true,
    target: IPV6.peer,
    targetMac: B,
  });
}

/** A packet in a frame, without extension headers. */
export interface PacketIn {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** What packet of either family the frame carries; undefined where it carries none. */
export function packetIn(frame: Uint8Array): PacketIn | undefined {
  const type = readUint16(frame, 12);
  if (type === ETHERTYPE_IPV4)
    return {
      source: frame.slice(26, 30),
      destination: frame.slice(30, 34),
      protocol: frame[23]!,
      payloadStart: 34,
      payloadEnd: 14 + readUint16(frame, 16),
    };
  if (type !== ETHERTYPE_IPV6) return undefined;
  return {
    source: frame.slice(22, 38),
    destination: frame.slice(38, 54),
    protocol: frame[20]!,
    payloadStart: 54,
    payloadEnd: 54 + readUint16(frame, 18),
  };
}

/**
 * Neighbour discovery for IPv6, RFC 4861: router and neighbour solicitations and advertisements, which are ICMPv6 messages.
 *
 *     octet  0    1  2         4                                8                      16                     24
 *            +----+--+---------+--------------------------------+----------------------+----------------------+--------
 *     RS     | 133|0 |checksum | reserved                       | options
 *     RA     | 134|0 |checksum | hop limit, M O, lifetime       | reachable, retrans   | options
 *     NS     | 135|0 |checksum | reserved                       | target address                              | options
 *     NA     | 136|0 |checksum | R S O                          | target address                              | options
 *            +----+--+---------+--------------------------------+----------------------+----------------------+--------
 *     option | type 1, length in units of eight octets 1, value …
 *
 * Options that are not known here are passed over (RFC 4861, 4.6); those of routers for hosts are in `ndp-router-options.ts`.
 */
import type { Defect } from './defect.ts';
import { emitIcmpv6 } from './icmpv6.ts';
import type { Ipv6View } from './ipv6.ts';
import type { Ipv6 } from './ipv6-address.ts';
import {
  IPV6_ADDRESS_LENGTH,
  isLinkLocalIpv6,
  isMulticastIpv6,
  isSolicitedNodeGroup,
  isUnspecifiedIpv6,
} from './ipv6-address.ts';
import type { Mac } from './mac.ts';
import { isGroupMac, readMac, writeMac } from './mac.ts';
import type { RouterOption, RouterPreference } from './ndp-router-options.ts';
import { emitRouterOption, parseRouterOption, preferenceAt, preferenceBits } from './ndp-router-options.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

const CODE = 1;
/** Of a router advertisement. */
const CUR_HOP_LIMIT = 4;
const ROUTER_FLAGS = 5;
const ROUTER_LIFETIME = 6;
const REACHABLE_TIME = 8;
const RETRANS_TIMER = 12;
/** Of neighbour messages. */
const NEIGHBOUR_FLAGS = 4;
const TARGET = 8;

const MANAGED = 0x80;
const OTHER = 0x40;
const IS_ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/** Octets before the options. */
const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [ROUTER_SOLICITATION, 8],
  [ROUTER_ADVERTISEMENT, 16],
  [NEIGHBOUR_SOLICITATION, 24],
  [NEIGHBOUR_ADVERTISEMENT, 24],
]);

/** RFC 4861, 3.1: no router lowered it, so the sender is on the link. */
export const NDP_HOP_LIMIT = 255;

export interface RouterSolicitation {
  readonly kind: 'router-solicitation';
  readonly sourceMac: Mac | undefined;
}

export interface RouterAdvertisement {
  readonly kind: 'router-advertisement';
  /** What hosts shall send with; 0: unspecified. */
  readonly curHopLimit: number;
  /** M: addresses by DHCPv6. */
  readonly isManaged: boolean;
  /** O: other configuration by DHCPv6. */
  readonly hasOtherConfiguration: boolean;
  /** Among default routers (RFC 4191, 2.2). */
  readonly preference: RouterPreference;
  /** Seconds for which the sender is a default router; 0: it is none. */
  readonly routerLifetime: number;
  /** Milliseconds; 0: unspecified. */
  readonly reachableTime: number;
  /** Milliseconds; 0: unspecified. */
  readonly retransTimer: number;
  readonly sourceMac: Mac | undefined;
  readonly mtu: number | undefined;
  readonly options: readonly RouterOption[];
}

export interface NeighbourSolicitation {
  readonly kind: 'neighbour-solicitation';
  readonly target: Ipv6;
  readonly sourceMac: Mac | undefined;
}

export interface NeighbourAdvertisement {
  readonly kind: 'neighbour-advertisement';
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  /** It replaces what is known of the target. */
  readonly isOverride: boolean;
  readonly target: Ipv6;
  readonly targetMac: Mac | undefined;
}

export type NdpMessage = RouterSolicitation | RouterAdvertisement | NeighbourSolicitation | NeighbourAdvertisement;

/** Whether an ICMPv6 message of this type is one of `NdpMessage`. */
export function isNdpType(type: number): boolean {
  return FIXED_LENGTHS.has(type);
}

/** Reads the payload of `ip`, an ICMPv6 message whose checksum is right; `target` is a window over it. */
export function parseNdp(bytes: Uint8Array, ip: Ipv6View): NdpMessage | Defect {
  const { payloadStart: start, payloadEnd: end } = ip;
  const fixedLength = FIXED_LENGTHS.get(bytes[start]!);
  if (fixedLength === undefined) return 'bad-value';
  if (end - start < fixedLength) return 'truncated';
  if (ip.hopLimit !== NDP_HOP_LIMIT || bytes[start + CODE] !== 0) return 'bad-value';
  const options = parseOptions(bytes, start + fixedLength, end);
  if (typeof options === 'string') return options;
  const message = readMessage(bytes, start, options);
  return isAcceptable(message, ip) ? message : 'bad-value';
}

interface NdpOptions {
  sourceMac: Mac | undefined;
  targetMac: Mac | undefined;
  mtu: number | undefined;
  router: RouterOption[];
}

function readMessage(bytes: Uint8Array, start: number, options: NdpOptions): NdpMessage {
  const { sourceMac, targetMac, mtu, router } = options;
  const target = bytes.subarray(start + TARGET, start + TARGET + IPV6_ADDRESS_LENGTH);
  switch (bytes[start]) {
    case ROUTER_SOLICITATION:
      return { kind: 'router-solicitation', sourceMac };
    case ROUTER_ADVERTISEMENT:
      return {
        kind: 'router-advertisement',
        curHopLimit: bytes[start + CUR_HOP_LIMIT]!,
        isManaged: (bytes[start + ROUTER_FLAGS]! & MANAGED) !== 0,
        hasOtherConfiguration: (bytes[start + ROUTER_FLAGS]! & OTHER) !== 0,
        // RFC 4191, 2.2: the reserved value means medium.
        preference: preferenceAt(bytes, start + ROUTER_FLAGS) ?? 'medium',
        routerLifetime: readUint16(bytes, start + ROUTER_LIFETIME),
        reachableTime: readUint32(bytes, start + REACHABLE_TIME),
        retransTimer: readUint32(bytes, start + RETRANS_TIMER),
        sourceMac,
        mtu,
        options: router,
      };
    case NEIGHBOUR_SOLICITATION:
      return { kind: 'neighbour-solicitation', target, sourceMac };
    default: {
      const flags = bytes[start + NEIGHBOUR_FLAGS]!;
      return {
        kind: 'neighbour-advertisement',
        isRouter: (flags & IS_ROUTER) !== 0,
        isSolicited: (flags & SOLICITED) !== 0,
        isOverride: (flags & OVERRIDE) !== 0,
        target,
        targetMac,
      };
    }
  }
}

/** The validity checks between a message and the packet that carries it. */
function isAcceptable(message: NdpMessage, { source, destination }: Ipv6View): boolean {
  switch (message.kind) {
    case 'router-solicitation': // RFC 4861, 6.1.1
      return !isUnspecifiedIpv6(source) || message.sourceMac === undefined;
    case 'router-advertisement': // RFC 4861, 6.1.2
      return isLinkLocalIpv6(source);
    case 'neighbour-solicitation': // RFC 4861, 7.1.1
      if (isMulticastIpv6(message.target)) return false;
      return !isUnspecifiedIpv6(source) || (isSolicitedNodeGroup(destination) && message.sourceMac === undefined);
    case 'neighbour-advertisement': // RFC 4861, 7.1.2
      return !isMulticastIpv6(message.target) && !(isMulticastIpv6(destination) && message.isSolicited);
  }
}

const OPTION_UNIT = 8;
const OPTION_LENGTH = 1;
const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
const OPTION_MTU = 5;
/** Where an option has a MAC (RFC 2464, 6), and where it has an MTU. */
const MAC_VALUE = 2;
const MTU_VALUE = 4;

function parseOptions(bytes: Uint8Array, start: number, end: number): NdpOptions | Defect {
  const options: NdpOptions = { sourceMac: undefined, targetMac: undefined, mtu: undefined, router: [] };
  for (let at = start; at < end; ) {
    if (end - at < OPTION_UNIT) return 'truncated';
    const length = bytes[at + OPTION_LENGTH]! * OPTION_UNIT;
    // RFC 4861, 4.6: length 0 condemns the whole message.
    if (length === 0) return 'bad-length';
    if (length > end - at) return 'truncated';
    const defect = readOption(bytes, at, length, options);
    if (defect !== undefined) return defect;
    at += length;
  }
  return options;
}

function readOption(bytes: Uint8Array, at: number, length: number, options: NdpOptions): Defect | undefined {
  const type = bytes[at];
  if (type !== OPTION_SOURCE_MAC && type !== OPTION_TARGET_MAC && type !== OPTION_MTU) {
    const option = parseRouterOption(bytes, at, length);
    if (option !== undefined) options.router.push(option);
    return undefined;
  }
  if (length !== OPTION_UNIT) return 'bad-length';
  if (type === OPTION_MTU) {
    options.mtu = readUint32(bytes, at + MTU_VALUE);
    return undefined;
  }
  const mac = readMac(bytes, at + MAC_VALUE);
  // No station has such an address; answers to it would go to everybody or nobody.
  if (mac === 0 || isGroupMac(mac)) return 'bad-value';
  options[type === OPTION_SOURCE_MAC ? 'sourceMac' : 'targetMac'] = mac;
  return undefined;
}

/** Writes the message, its checksum 0 until `sealIcmpv6`; returns its end. */
export function emitNdp(message: NdpMessage, out: Uint8Array, at: number): number {
  switch (message.kind) {
    case 'router-solicitation':
      writeUint32(out, emitIcmpv6(ROUTER_SOLICITATION, out, at), 0);
      return emitMacOption(OPTION_SOURCE_MAC, message.sourceMac, out, at + 8);
    case 'router-advertisement':
      return emitRouterAdvertisement(message, out, at);
    case 'neighbour-solicitation':
      writeUint32(out, emitIcmpv6(NEIGHBOUR_SOLICITATION, out, at), 0);
      out.set(message.target, at + TARGET);
      return emitMacOption(OPTION_SOURCE_MAC, message.sourceMac, out, at + TARGET + IPV6_ADDRESS_LENGTH);
    case 'neighbour-advertisement':
      writeUint32(out, emitIcmpv6(NEIGHBOUR_ADVERTISEMENT, out, at), 0);
      out[at + NEIGHBOUR_FLAGS] =
        (message.isRouter ? IS_ROUTER : 0) |
        (message.isSolicited ? SOLICITED : 0) |
        (message.isOverride ? OVERRIDE : 0);
      out.set(message.target, at + TARGET);
      return emitMacOption(OPTION_TARGET_MAC, message.targetMac, out, at + TARGET + IPV6_ADDRESS_LENGTH);
  }
}

function emitRouterAdvertisement(message: RouterAdvertisement, out: Uint8Array, at: number): number {
  emitIcmpv6(ROUTER_ADVERTISEMENT, out, at);
  out[at + CUR_HOP_LIMIT] = message.curHopLimit;
  out[at + ROUTER_FLAGS] =
    (message.isManaged ? MANAGED : 0) |
    (message.hasOtherConfiguration ? OTHER : 0) |
    preferenceBits(message.preference);
  writeUint16(out, at + ROUTER_LIFETIME, message.routerLifetime);
  writeUint32(out, at + REACHABLE_TIME, message.reachableTime);
  writeUint32(out, at + RETRANS_TIMER, message.retransTimer);
  let end = emitMacOption(OPTION_SOURCE_MAC, message.sourceMac, out, at + 16);
  if (message.mtu !== undefined) {
    emitOptionHeader(OPTION_MTU, out, end);
    writeUint32(out, end + MTU_VALUE, message.mtu);
    end += OPTION_UNIT;
  }
  for (const option of message.options) end = emitRouterOption(option, out, end);
  return end;
}

function emitMacOption(type: number, mac: Mac | undefined, out: Uint8Array, at: number): number {
  if (mac === undefined) return at;
  emitOptionHeader(type, out, at);
  writeMac(out, at + MAC_VALUE, mac);
  return at + OPTION_UNIT;
}

/** One unit long, its value zero. */
function emitOptionHeader(type: number, out: Uint8Array, at: number): void {
  out.fill(0, at, at + OPTION_UNIT);
  out[at] = type;
  out[at + OPTION_LENGTH] = 1;
}

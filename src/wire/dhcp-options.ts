/**
 * Values of DHCP options, RFC 2132, 3397 and 3442, read from and made into octets. A value that does not have the form of its option
 * reads as if the option were absent.
 */
import type { DhcpOptions } from './dhcp.ts';
import type { Ipv4, Ipv4Interface } from './ipv4-address.ts';
import { ipv4Mask, networkOf } from './ipv4-address.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const SUBNET_MASK = 1;
export const ROUTER = 3;
export const DOMAIN_NAME_SERVER = 6;
export const HOST_NAME = 12;
export const DOMAIN_NAME = 15;
export const INTERFACE_MTU = 26;
export const BROADCAST_ADDRESS = 28;
export const NTP_SERVERS = 42;
export const REQUESTED_ADDRESS = 50;
export const LEASE_TIME = 51;
export const MESSAGE_TYPE = 53;
export const SERVER_IDENTIFIER = 54;
export const PARAMETER_REQUEST_LIST = 55;
export const MESSAGE = 56;
export const MAXIMUM_MESSAGE_SIZE = 57;
export const RENEWAL_TIME = 58;
export const REBINDING_TIME = 59;
export const VENDOR_CLASS = 60;
export const CLIENT_IDENTIFIER = 61;
export const TFTP_SERVER_NAME = 66;
export const BOOTFILE_NAME = 67;
export const DOMAIN_SEARCH = 119;
export const CLASSLESS_ROUTES = 121;

/** Option 53, in the order of its values from 1 up. */
const MESSAGE_TYPES = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'] as const;
export type DhcpMessageType = (typeof MESSAGE_TYPES)[number];

/** A destination and the router towards it. */
export interface DhcpRoute {
  readonly destination: Ipv4Interface;
  readonly gateway: Ipv4;
}

export function messageTypeOf(options: DhcpOptions): DhcpMessageType | undefined {
  const value = options.get(MESSAGE_TYPE);
  return value?.length === 1 ? MESSAGE_TYPES[value[0]! - 1] : undefined;
}

export function ipv4Of(options: DhcpOptions, code: number): Ipv4 | undefined {
  const value = options.get(code);
  return value?.length === 4 ? readUint32(value, 0) : undefined;
}

export function ipv4ListOf(options: DhcpOptions, code: number): readonly Ipv4[] {
  const value = options.get(code);
  if (value === undefined || value.length % 4 !== 0) return [];
  return Array.from({ length: value.length / 4 }, (_, i) => readUint32(value, 4 * i));
}

export function uint16Of(options: DhcpOptions, code: number): number | undefined {
  const value = options.get(code);
  return value?.length === 2 ? readUint16(value, 0) : undefined;
}

export function uint32Of(options: DhcpOptions, code: number): number | undefined {
  const value = options.get(code);
  return value?.length === 4 ? readUint32(value, 0) : undefined;
}

/** Text up to the first NUL, which some clients send (RFC 2132, 2). */
export function textOf(options: DhcpOptions, code: number): string | undefined {
  const value = options.get(code);
  if (value === undefined) return undefined;
  const nul = value.indexOf(0);
  return new TextDecoder().decode(nul === -1 ? value : value.subarray(0, nul));
}

export function messageType(type: DhcpMessageType): Uint8Array {
  return Uint8Array.of(MESSAGE_TYPES.indexOf(type) + 1);
}

export function ipv4List(addresses: readonly Ipv4[]): Uint8Array {
  const octets = new Uint8Array(4 * addresses.length);
  for (const [i, address] of addresses.entries()) writeUint32(octets, 4 * i, address);
  return octets;
}

export function uint16(value: number): Uint8Array {
  const octets = new Uint8Array(2);
  writeUint16(octets, 0, value);
  return octets;
}

export function uint32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  writeUint32(octets, 0, value);
  return octets;
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Option 121, RFC 3442: prefix length, the octets of the prefix that it covers, router. */
export function classlessRoutes(routes: readonly DhcpRoute[]): Uint8Array {
  const octets: number[] = [];
  for (const { destination, gateway } of routes) {
    const covered = Math.ceil(destination.prefixLength / 8);
    octets.push(destination.prefixLength, ...uint32(networkOf(destination)).subarray(0, covered), ...uint32(gateway));
  }
  return Uint8Array.from(octets);
}

export function classlessRoutesOf(options: DhcpOptions): readonly DhcpRoute[] {
  const value = options.get(CLASSLESS_ROUTES) ?? new Uint8Array();
  const routes: DhcpRoute[] = [];
  for (let at = 0; at < value.length; ) {
    const prefixLength = value[at++]!;
    const covered = Math.ceil(prefixLength / 8);
    if (prefixLength > 32 || at + covered + 4 > value.length) return [];
    const prefix = new Uint8Array(4);
    prefix.set(value.subarray(at, at + covered));
    const address = (readUint32(prefix, 0) & ipv4Mask(prefixLength)) >>> 0;
    routes.push({ destination: { address, prefixLength }, gateway: readUint32(value, at + covered) });
    at += covered + 4;
  }
  return routes;
}

/** Option 119, RFC 3397: names as in RFC 1035, 4.1.4, whose pointers count from the start of the option. */
export function domainSearch(names: readonly string[]): Uint8Array {
  const octets: number[] = [];
  const known = new Map<string, number>();
  for (const name of names) {
    const labels = name.split('.').filter((label) => label !== '');
    while (labels.length > 0) {
      const suffix = labels.join('.').toLowerCase();
      const pointer = known.get(suffix);
      if (pointer !== undefined) {
        octets.push(POINTER | (pointer >>> 8), pointer & 0xff);
        break;
      }
      if (octets.length < MAX_POINTER) known.set(suffix, octets.length);
      const label = text(labels.shift()!);
      octets.push(label.length, ...label);
    }
    if (labels.length === 0) octets.push(0);
  }
  return Uint8Array.from(octets);
}

const POINTER = 0xc0;
const MAX_POINTER = 0x4000;
/** RFC 1035, 2.3.4, in octets of text. */
const MAX_NAME_LENGTH = 253;

/** The names of option 119; none where one is malformed. */
export function domainSearchOf(options: DhcpOptions): readonly string[] {
  const value = options.get(DOMAIN_SEARCH) ?? new Uint8Array();
  const names: string[] = [];
  for (let at = 0; at < value.length; ) {
    const read = readName(value, at);
    if (read === undefined) return [];
    names.push(read.name);
    at = read.end;
  }
  return names;
}

/** A name and where it ends. Pointers lead backwards only, so following them ends. */
function readName(value: Uint8Array, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let bound = start;
  for (let at = start, length = 0; length <= MAX_NAME_LENGTH; ) {
    const octet = value[at];
    if (octet === undefined) return undefined;
    if (octet === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (octet >= POINTER) {
      const low = value[at + 1];
      if (low === undefined) return undefined;
      end ??= at + 2;
      at = ((octet & ~POINTER) << 8) | low;
      if (at >= bound) return undefined;
      bound = at;
      continue;
    }
    if (octet > 63 || at + 1 + octet > value.length) return undefined;
    labels.push(new TextDecoder().decode(value.subarray(at + 1, at + 1 + octet)));
    at += 1 + octet;
    length += 1 + octet;
  }
  return undefined;
}

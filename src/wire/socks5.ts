/**
 * SOCKS protocol version 5, RFC 1928: how a program asks a proxy for a connection.
 *
 *     greeting   | 5 | n | n methods |                     answered by | 5 | method |
 *     request    | 5 | command | 0 | type | address | port |
 *     reply      | 5 | reply   | 0 | type | address | port |
 *
 *     address by type: 1 IPv4, 4 octets    3 a name behind its length, 1 + n    4 IPv6, 16 octets
 */
import type { Defect } from './defect.ts';
import type { Ipv4 } from './ipv4-address.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const SOCKS_VERSION = 5;

/** `none`: none of those that were offered will do. */
const METHODS = { open: 0x00, none: 0xff } as const;
export type SocksMethod = keyof typeof METHODS;

const COMMANDS = { 1: 'connect', 2: 'bind', 3: 'udp-associate' } as const;
export type SocksCommand = (typeof COMMANDS)[keyof typeof COMMANDS];

const TYPE_IPV4 = 1;
const TYPE_NAME = 3;
const TYPE_IPV6 = 4;

/** RFC 1928, 6. */
const REPLIES = {
  succeeded: 0,
  failure: 1,
  'not-allowed': 2,
  'network-unreachable': 3,
  'host-unreachable': 4,
  refused: 5,
  'ttl-expired': 6,
  'command-not-supported': 7,
  'address-not-supported': 8,
} as const;
export type SocksReply = keyof typeof REPLIES;

export type SocksAddress =
  | { readonly kind: 'ipv4'; readonly address: Ipv4 }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'ipv6' };

export interface SocksGreeting {
  /** Whether it may come without saying who it is. */
  readonly offersOpen: boolean;
  /** Where the next message begins. */
  readonly end: number;
}

export interface SocksRequest {
  /** Undefined where the RFC knows no such command. */
  readonly command: SocksCommand | undefined;
  readonly to: SocksAddress;
  readonly port: number;
  readonly end: number;
}

/** Reads the message at the start of bytes [start, end); `truncated` where more has to come. */
export function parseSocksGreeting(bytes: Uint8Array, start: number, end: number): SocksGreeting | Defect {
  if (end > start && bytes[start] !== SOCKS_VERSION) return 'bad-version';
  if (end - start < 2) return 'truncated';
  const methods = start + 2;
  const next = methods + bytes[start + 1]!;
  if (end < next) return 'truncated';
  return { offersOpen: bytes.subarray(methods, next).includes(METHODS.open), end: next };
}

/** Reads the message at the start of bytes [start, end); `truncated` where more has to come. */
export function parseSocksRequest(bytes: Uint8Array, start: number, end: number): SocksRequest | Defect {
  if (end > start && bytes[start] !== SOCKS_VERSION) return 'bad-version';
  if (end - start < 5) return 'truncated';
  const type = bytes[start + 3]!;
  const at = start + 4;
  const length = addressLength(type, bytes[at]!);
  if (length === undefined) return 'bad-value';
  const port = at + length;
  if (end < port + 2) return 'truncated';
  return {
    command: COMMANDS[bytes[start + 1] as keyof typeof COMMANDS],
    to: addressAt(type, bytes, at, port),
    port: readUint16(bytes, port),
    end: port + 2,
  };
}

function addressLength(type: number, first: number): number | undefined {
  if (type === TYPE_IPV4) return 4;
  if (type === TYPE_NAME) return 1 + first;
  return type === TYPE_IPV6 ? 16 : undefined;
}

function addressAt(type: number, bytes: Uint8Array, start: number, end: number): SocksAddress {
  if (type === TYPE_IPV4) return { kind: 'ipv4', address: readUint32(bytes, start) };
  if (type === TYPE_IPV6) return { kind: 'ipv6' };
  return { kind: 'name', name: new TextDecoder().decode(bytes.subarray(start + 1, end)) };
}

export function emitSocksMethod(method: SocksMethod): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, METHODS[method]);
}

/** `address` and `port` are the proxy's own end of the connection; zeros where there is none. */
export function emitSocksReply(reply: SocksReply, address: Ipv4 = 0, port = 0): Uint8Array {
  const out = Uint8Array.of(SOCKS_VERSION, REPLIES[reply], 0, TYPE_IPV4, 0, 0, 0, 0, 0, 0);
  writeUint32(out, 4, address);
  writeUint16(out, 8, port);
  return out;
}

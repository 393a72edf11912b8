/**
 * Dynamic Host Configuration Protocol for IPv6, RFC 8415, 8 and 21.1: the messages between clients and servers.
 *
 *     octet  0      1                4                                    octet  0      2        4
 *            +------+----------------+---------                                  +------+--------+---------
 *            | type | transaction id | options                           option  | code | length | value
 *            +------+----------------+---------                                  +------+--------+---------
 *
 * Values are windows over the message; `dhcpv6-options.ts` reads them. The messages of relays (RFC 8415, 9) have another layout and
 * are told by `isRelayedDhcp6`.
 */
import type { Defect } from './defect.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { readUint16, writeUint16 } from './octets.ts';

export const DHCP6_CLIENT_PORT = 546;
export const DHCP6_SERVER_PORT = 547;
/** ff02::1:2, where clients find servers (RFC 8415, 7.1). */
export const ALL_DHCP_SERVERS: Ipv6 = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0, 0x02);

/** RFC 8415, 7.3, in the order of their numbers from 1 up. */
const TYPES = [
  'solicit',
  'advertise',
  'request',
  'confirm',
  'renew',
  'rebind',
  'reply',
  'release',
  'decline',
  'reconfigure',
  'information-request',
] as const;
export type Dhcp6Type = (typeof TYPES)[number];
const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;

const TRANSACTION_ID = 1;
const OPTIONS = 4;
const OPTION_LENGTH = 2;
export const DHCP6_OPTION_HEADER_LENGTH = 4;

export interface Dhcp6Option {
  readonly code: number;
  readonly value: Uint8Array;
}

export interface Dhcp6Message {
  readonly type: Dhcp6Type;
  /** 24 bits. */
  readonly transactionId: number;
  /** In the order of the message; a code may occur more than once. */
  readonly options: readonly Dhcp6Option[];
}

/** Whether bytes [start, end) are a message of a relay. */
export function isRelayedDhcp6(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && (bytes[start] === RELAY_FORWARD || bytes[start] === RELAY_REPLY);
}

/** Reads the message in bytes [start, end). */
export function parseDhcp6(bytes: Uint8Array, start: number, end: number): Dhcp6Message | Defect {
  if (end - start < OPTIONS) return 'truncated';
  const type = TYPES[bytes[start]! - 1];
  if (type === undefined) return 'bad-value';
  const options = parseDhcp6Options(bytes, start + OPTIONS, end);
  if (typeof options === 'string') return options;
  const transactionId = (bytes[start + TRANSACTION_ID]! << 16) | readUint16(bytes, start + TRANSACTION_ID + 1);
  return { type, transactionId, options };
}

/** Reads the options that fill bytes [start, end): of a message, or of an option that holds others. */
export function parseDhcp6Options(bytes: Uint8Array, start: number, end: number): readonly Dhcp6Option[] | Defect {
  const options: Dhcp6Option[] = [];
  for (let at = start; at < end; ) {
    if (end - at < DHCP6_OPTION_HEADER_LENGTH) return 'truncated';
    const valueStart = at + DHCP6_OPTION_HEADER_LENGTH;
    const valueEnd = valueStart + readUint16(bytes, at + OPTION_LENGTH);
    if (valueEnd > end) return 'bad-length';
    options.push({ code: readUint16(bytes, at), value: bytes.subarray(valueStart, valueEnd) });
    at = valueEnd;
  }
  return options;
}

/**
 * Writes a message of at most `limit` octets and returns its end. What finds no room is left out, the last first, and its code is
 * added to `omitted`.
 */
export function emitDhcp6(
  message: Dhcp6Message,
  out: Uint8Array,
  at: number,
  limit: number,
  omitted: number[] = [],
): number {
  out[at] = TYPES.indexOf(message.type) + 1;
  out[at + TRANSACTION_ID] = message.transactionId >>> 16;
  writeUint16(out, at + TRANSACTION_ID + 1, message.transactionId & 0xffff);
  let end = at + OPTIONS;
  for (const option of message.options) {
    if (end + DHCP6_OPTION_HEADER_LENGTH + option.value.length > at + limit) omitted.push(option.code);
    else end = emitDhcp6Option(option, out, end);
  }
  return end;
}

/** Writes one option and returns its end. */
export function emitDhcp6Option({ code, value }: Dhcp6Option, out: Uint8Array, at: number): number {
  writeUint16(out, at, code);
  writeUint16(out, at + OPTION_LENGTH, value.length);
  out.set(value, at + DHCP6_OPTION_HEADER_LENGTH);
  return at + DHCP6_OPTION_HEADER_LENGTH + value.length;
}

/**
 * Values of DHCPv6 options, RFC 8415, 21, 3646 (23, 24), 4704 (39) and 5970 (59, 60), read from and made into octets. A value that
 * does not have the form of its option reads as if the option were absent.
 */
import type { Dhcp6Option } from './dhcpv6.ts';
import { DHCP6_OPTION_HEADER_LENGTH, emitDhcp6Option, parseDhcp6Options } from './dhcpv6.ts';
import { emitName, endOfPlainName, NAME_ROOM, nameText } from './dns-name.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from './ipv6-address.ts';
import type { Mac } from './mac.ts';
import { writeMac } from './mac.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const CLIENT_ID = 1;
export const SERVER_ID = 2;
export const IA_NA = 3;
export const IA_TA = 4;
export const IA_ADDRESS = 5;
export const OPTION_REQUEST = 6;
export const PREFERENCE = 7;
export const STATUS_CODE = 13;
export const RAPID_COMMIT = 14;
export const DNS_SERVERS = 23;
export const DOMAIN_LIST = 24;
export const IA_PD = 25;
export const CLIENT_FQDN = 39;
export const BOOTFILE_URL = 59;
export const BOOTFILE_PARAMETERS = 60;

/** RFC 8415, 21.13, in the order of their numbers from 0 up. */
const STATUSES = [
  'success',
  'unspec-fail',
  'no-addrs-avail',
  'no-binding',
  'not-on-link',
  'use-multicast',
  'no-prefix-avail',
] as const;
export type Dhcp6Status = (typeof STATUSES)[number];

/** The first option of this code. */
export function optionOf(options: readonly Dhcp6Option[], code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.value;
}

/** RFC 8415, 11.1: a DUID has a type and up to 128 octets behind it. */
const MAX_DUID_LENGTH = 130;

/** Option 1 or 2. */
export function duidOf(
  options: readonly Dhcp6Option[],
  code: typeof CLIENT_ID | typeof SERVER_ID,
): Uint8Array | undefined {
  const value = optionOf(options, code);
  return value !== undefined && value.length > 2 && value.length <= MAX_DUID_LENGTH ? value : undefined;
}

const DUID_LL = 3;
const ETHERNET = 1;

/** The identifier that follows from a MAC alone (DUID-LL, RFC 8415, 11.4). */
export function linkLayerDuid(mac: Mac): Uint8Array {
  const duid = new Uint8Array(10);
  writeUint16(duid, 0, DUID_LL);
  writeUint16(duid, 2, ETHERNET);
  writeMac(duid, 4, mac);
  return duid;
}

/** Codes that the client asks for; undefined where it does not say. */
export function requestedOptionsOf(options: readonly Dhcp6Option[]): readonly number[] | undefined {
  const value = optionOf(options, OPTION_REQUEST);
  if (value === undefined || value.length % 2 !== 0) return undefined;
  return Array.from({ length: value.length / 2 }, (_, i) => readUint16(value, 2 * i));
}

/** An identity association: what a client wants an address (or prefixes) for, or has. */
export interface Association {
  readonly code: typeof IA_NA | typeof IA_TA | typeof IA_PD;
  readonly iaid: number;
  /** Of an IA_NA or IA_TA. */
  readonly addresses: readonly Ipv6[];
}

/** IAID, T1 and T2; an IA_TA has the IAID alone. */
const IA_HEADER_LENGTH = 12;
const IA_TA_HEADER_LENGTH = 4;
/** Address, preferred and valid lifetime. */
const IA_ADDRESS_LENGTH = IPV6_ADDRESS_LENGTH + 8;

/** In the order of the message; at most `limit`. */
export function associationsOf(options: readonly Dhcp6Option[], limit: number): readonly Association[] {
  const associations: Association[] = [];
  for (const { code, value } of options) {
    if (associations.length === limit) break;
    if (code !== IA_NA && code !== IA_TA && code !== IA_PD) continue;
    const association = associationOf(code, value);
    if (association !== undefined) associations.push(association);
  }
  return associations;
}

function associationOf(code: Association['code'], value: Uint8Array): Association | undefined {
  const headerLength = code === IA_TA ? IA_TA_HEADER_LENGTH : IA_HEADER_LENGTH;
  if (value.length < headerLength) return undefined;
  const options = parseDhcp6Options(value, headerLength, value.length);
  if (typeof options === 'string') return undefined;
  const addresses = options
    .filter((option) => option.code === IA_ADDRESS && option.value.length >= IA_ADDRESS_LENGTH)
    .map((option) => option.value.subarray(0, IPV6_ADDRESS_LENGTH));
  return { code, iaid: readUint32(value, 0), addresses };
}

/** An address of an association and the seconds for which it is preferred and valid; 0: not any more. */
export interface LeasedAddress {
  readonly address: Ipv6;
  readonly lifetime: number;
}

/** What a server says of an association; T1 and T2 in seconds. */
export interface AnsweredAssociation {
  readonly code: Association['code'];
  readonly iaid: number;
  readonly t1: number;
  readonly t2: number;
  readonly addresses: readonly LeasedAddress[];
  readonly status: Dhcp6Option | undefined;
}

export function answeredAssociation({ code, iaid, t1, t2, addresses, status }: AnsweredAssociation): Dhcp6Option {
  const inner = [...addresses.map(addressOption), ...(status === undefined ? [] : [status])];
  const headerLength = code === IA_TA ? IA_TA_HEADER_LENGTH : IA_HEADER_LENGTH;
  const value = new Uint8Array(
    inner.reduce((sum, option) => sum + DHCP6_OPTION_HEADER_LENGTH + option.value.length, headerLength),
  );
  writeUint32(value, 0, iaid);
  if (code !== IA_TA) {
    writeUint32(value, 4, t1);
    writeUint32(value, 8, t2);
  }
  let end = headerLength;
  for (const option of inner) end = emitDhcp6Option(option, value, end);
  return { code, value };
}

function addressOption({ address, lifetime }: LeasedAddress): Dhcp6Option {
  const value = new Uint8Array(IA_ADDRESS_LENGTH);
  value.set(address);
  writeUint32(value, IPV6_ADDRESS_LENGTH, lifetime);
  writeUint32(value, IPV6_ADDRESS_LENGTH + 4, lifetime);
  return { code: IA_ADDRESS, value };
}

export function statusOption(status: Dhcp6Status, message: string): Dhcp6Option {
  const octets = text(message);
  const value = new Uint8Array(2 + octets.length);
  writeUint16(value, 0, STATUSES.indexOf(status));
  value.set(octets, 2);
  return { code: STATUS_CODE, value };
}

export function addressList(addresses: readonly Ipv6[]): Uint8Array {
  const octets = new Uint8Array(addresses.length * IPV6_ADDRESS_LENGTH);
  for (const [i, address] of addresses.entries()) octets.set(address, i * IPV6_ADDRESS_LENGTH);
  return octets;
}

/** RFC 4704, 4.1: the server updates AAAA; it overrode what the client wanted. */
const FQDN_SERVER_UPDATES = 1;
const FQDN_OVERRIDES = 2;

/** Option 39 of a client. */
export interface ClientFqdn {
  /** As text without the dot at its end; perhaps a part of one only (RFC 4704, 4.2). */
  readonly name: string;
  readonly serverUpdates: boolean;
}

export function clientFqdnOf(options: readonly Dhcp6Option[]): ClientFqdn | undefined {
  const value = optionOf(options, CLIENT_FQDN);
  if (value === undefined || value.length === 0) return undefined;
  // A part of a name has no empty label at its end; with one more, all are whole.
  const whole = Uint8Array.of(...value.subarray(1, 1 + NAME_ROOM), 0);
  if (typeof endOfPlainName(whole, 0, whole.length) === 'string') return undefined;
  return { name: nameText(whole, 0), serverUpdates: (value[0]! & FQDN_SERVER_UPDATES) !== 0 };
}

/** The answer to option 39: the name that the client has. */
export function serverFqdn(name: string, client: ClientFqdn | undefined): Uint8Array {
  const octets = new Uint8Array(1 + NAME_ROOM);
  octets[0] = FQDN_SERVER_UPDATES | (client?.serverUpdates === false ? FQDN_OVERRIDES : 0);
  return octets.subarray(0, emitName(name, octets, 1));
}

/** Option 60: each parameter behind its length (RFC 5970, 3.2). */
export function parameterList(parameters: readonly string[]): Uint8Array {
  const octets: number[] = [];
  for (const parameter of parameters.map(text))
    octets.push(parameter.length >>> 8, parameter.length & 0xff, ...parameter);
  return Uint8Array.from(octets);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

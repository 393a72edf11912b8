/**
 * Options of router advertisements that configure hosts: prefixes (RFC 4861, 4.6.2), routes (RFC 4191, 2.3), name servers and search
 * domains (RFC 8106, 5), the prefix of a NAT64 (RFC 8781, 4).
 *
 *     octet       0    1   2               3               4                     8                12            16
 *                 +----+---+---------------+---------------+---------------------+----------------+-------------+-------------
 *     prefix      | 3  | 4 | prefix length | L A           | valid lifetime      | preferred      | reserved    | prefix
 *     route       | 24 | n | prefix length | preference    | lifetime            | prefix, 0, 8 or 16 octets of it
 *     servers     | 25 | n | reserved                      | lifetime            | addresses
 *     search      | 31 | n | reserved                      | lifetime            | names (RFC 1035, 3.1), zeros behind
 *     NAT64       | 38 | 2 | lifetime / 8 s, 13 bits; code of the length, 3     | prefix, 12 octets of it
 *                 +----+---+-------------------------------+--- of octets 2, 3 --+------------------------------------------
 *
 * Lifetimes are seconds; `INFINITE_LIFETIME` has no end.
 */
import { endOfPlainName, nameText, plainNames } from './dns-name.ts';
import type { Ipv6, Ipv6Prefix } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH, ipv6PrefixOf } from './ipv6-address.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

/** RFC 4861, 4.6.2. */
export const INFINITE_LIFETIME = 0xffff_ffff;

/** Of a default router or a route among others, RFC 4191, 2.1. */
export type RouterPreference = 'low' | 'medium' | 'high';

export type RouterOption =
  | {
      readonly kind: 'prefix';
      readonly prefix: Ipv6Prefix;
      /** L: who has an address of it is a neighbour. */
      readonly isOnLink: boolean;
      /** A: hosts make themselves addresses of it (RFC 4862). */
      readonly isAutonomous: boolean;
      readonly validLifetime: number;
      readonly preferredLifetime: number;
    }
  | {
      readonly kind: 'route';
      readonly prefix: Ipv6Prefix;
      readonly preference: RouterPreference;
      readonly lifetime: number;
    }
  | { readonly kind: 'dns-servers'; readonly addresses: readonly Ipv6[]; readonly lifetime: number }
  | { readonly kind: 'search-domains'; readonly names: readonly string[]; readonly lifetime: number }
  /** The lifetime is a multiple of 8 up to 65 528. */
  | { readonly kind: 'nat64-prefix'; readonly prefix: Ipv6Prefix; readonly lifetime: number };

const TYPE_PREFIX = 3;
const TYPE_ROUTE = 24;
const TYPE_DNS_SERVERS = 25;
const TYPE_SEARCH_DOMAINS = 31;
const TYPE_NAT64_PREFIX = 38;

const LENGTH = 1;
const UNIT = 8;
/** Of prefix and route. */
const PREFIX_LENGTH = 2;
const FLAGS = 3;
/** Of all but the NAT64 prefix; a prefix option has the valid lifetime here. */
const LIFETIME = 4;
const VALUE = 8;
/** Of a prefix option. */
const PREFERRED_LIFETIME = 8;
const PREFIX = 16;
const PREFIX_OPTION_LENGTH = 32;
const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;
/** Of a NAT64 prefix. */
const SCALED_LIFETIME = 2;
const NAT64_PREFIX = 4;
const NAT64_OPTION_LENGTH = 16;
/** RFC 8781, 4.1: the lengths of prefixes by their codes. */
const NAT64_LENGTHS: readonly number[] = [96, 64, 56, 48, 40, 32];
const MAX_SCALED_LIFETIME = 0x1fff;

/** The two bits of a preference, RFC 4191, 2.1; 2 is reserved. */
const PREFERENCES: readonly (RouterPreference | undefined)[] = ['medium', 'high', undefined, 'low'];

/** What the flags at `at` prefer, their bits being 0x18; undefined where they are the reserved ones. */
export function preferenceAt(bytes: Uint8Array, at: number): RouterPreference | undefined {
  return PREFERENCES[(bytes[at]! >>> 3) & 3];
}

export function preferenceBits(preference: RouterPreference): number {
  return PREFERENCES.indexOf(preference) << 3;
}

/**
 * Reads the option of `length` octets at `at`, all of them there; addresses are windows over it. Undefined where it is none of these
 * or is not as it must be: hosts pass over such (RFC 8106, 5.3.1; RFC 8781, 4).
 */
export function parseRouterOption(bytes: Uint8Array, at: number, length: number): RouterOption | undefined {
  switch (bytes[at]) {
    case TYPE_PREFIX:
      return length === PREFIX_OPTION_LENGTH ? prefixOption(bytes, at) : undefined;
    case TYPE_ROUTE:
      return routeOption(bytes, at, length);
    case TYPE_DNS_SERVERS:
      return dnsServersOption(bytes, at, length);
    case TYPE_SEARCH_DOMAINS:
      return searchDomainsOption(bytes, at, length);
    case TYPE_NAT64_PREFIX:
      return length === NAT64_OPTION_LENGTH ? nat64Option(bytes, at) : undefined;
    default:
      return undefined;
  }
}

function prefixOption(bytes: Uint8Array, at: number): RouterOption | undefined {
  const prefixLength = bytes[at + PREFIX_LENGTH]!;
  if (prefixLength > 128) return undefined;
  const address = bytes.subarray(at + PREFIX, at + PREFIX + IPV6_ADDRESS_LENGTH);
  return {
    kind: 'prefix',
    prefix: ipv6PrefixOf({ address, prefixLength }),
    isOnLink: (bytes[at + FLAGS]! & ON_LINK) !== 0,
    isAutonomous: (bytes[at + FLAGS]! & AUTONOMOUS) !== 0,
    validLifetime: readUint32(bytes, at + LIFETIME),
    preferredLifetime: readUint32(bytes, at + PREFERRED_LIFETIME),
  };
}

function routeOption(bytes: Uint8Array, at: number, length: number): RouterOption | undefined {
  const prefixLength = bytes[at + PREFIX_LENGTH]!;
  const preference = preferenceAt(bytes, at + FLAGS);
  if (preference === undefined || prefixLength > 128 || length > 24 || length < routeLength(prefixLength))
    return undefined;
  const address = new Uint8Array(IPV6_ADDRESS_LENGTH);
  address.set(bytes.subarray(at + VALUE, at + length));
  const prefix = ipv6PrefixOf({ address, prefixLength });
  return { kind: 'route', prefix, preference, lifetime: readUint32(bytes, at + LIFETIME) };
}

function dnsServersOption(bytes: Uint8Array, at: number, length: number): RouterOption | undefined {
  const count = (length - VALUE) / IPV6_ADDRESS_LENGTH;
  if (count < 1 || !Number.isInteger(count)) return undefined;
  const addresses = Array.from({ length: count }, (_, i) =>
    bytes.subarray(at + VALUE + i * IPV6_ADDRESS_LENGTH, at + VALUE + (i + 1) * IPV6_ADDRESS_LENGTH),
  );
  return { kind: 'dns-servers', addresses, lifetime: readUint32(bytes, at + LIFETIME) };
}

function searchDomainsOption(bytes: Uint8Array, at: number, length: number): RouterOption | undefined {
  const names: string[] = [];
  const end = at + length;
  for (let next = at + VALUE; next < end && bytes[next] !== 0; ) {
    const nameEnd = endOfPlainName(bytes, next, end);
    if (typeof nameEnd === 'string') return undefined;
    names.push(nameText(bytes, next));
    next = nameEnd;
  }
  if (names.length === 0) return undefined;
  return { kind: 'search-domains', names, lifetime: readUint32(bytes, at + LIFETIME) };
}

function nat64Option(bytes: Uint8Array, at: number): RouterOption | undefined {
  const scaled = readUint16(bytes, at + SCALED_LIFETIME);
  const prefixLength = NAT64_LENGTHS[scaled & 7];
  if (prefixLength === undefined) return undefined;
  const address = new Uint8Array(IPV6_ADDRESS_LENGTH);
  address.set(bytes.subarray(at + NAT64_PREFIX, at + NAT64_OPTION_LENGTH));
  return { kind: 'nat64-prefix', prefix: ipv6PrefixOf({ address, prefixLength }), lifetime: (scaled >>> 3) * 8 };
}

/** Octets of the option, a multiple of eight. `emitRouterOption` writes up to 2040: 127 addresses, or as many of names. */
export function routerOptionLength(option: RouterOption): number {
  switch (option.kind) {
    case 'prefix':
      return PREFIX_OPTION_LENGTH;
    case 'route':
      return routeLength(option.prefix.prefixLength);
    case 'dns-servers':
      return VALUE + option.addresses.length * IPV6_ADDRESS_LENGTH;
    case 'search-domains':
      return Math.ceil((VALUE + plainNames(option.names).length) / UNIT) * UNIT;
    case 'nat64-prefix':
      return NAT64_OPTION_LENGTH;
  }
}

function routeLength(prefixLength: number): number {
  return VALUE + Math.ceil(prefixLength / 64) * UNIT;
}

/** Writes the option and returns its end. */
export function emitRouterOption(option: RouterOption, out: Uint8Array, at: number): number {
  const length = routerOptionLength(option);
  out.fill(0, at, at + length);
  out[at + LENGTH] = length / UNIT;
  switch (option.kind) {
    case 'prefix':
      out[at] = TYPE_PREFIX;
      out[at + PREFIX_LENGTH] = option.prefix.prefixLength;
      out[at + FLAGS] = (option.isOnLink ? ON_LINK : 0) | (option.isAutonomous ? AUTONOMOUS : 0);
      writeUint32(out, at + LIFETIME, option.validLifetime);
      writeUint32(out, at + PREFERRED_LIFETIME, option.preferredLifetime);
      out.set(option.prefix.address, at + PREFIX);
      break;
    case 'route':
      out[at] = TYPE_ROUTE;
      out[at + PREFIX_LENGTH] = option.prefix.prefixLength;
      out[at + FLAGS] = preferenceBits(option.preference);
      writeUint32(out, at + LIFETIME, option.lifetime);
      out.set(option.prefix.address.subarray(0, length - VALUE), at + VALUE);
      break;
    case 'dns-servers':
      out[at] = TYPE_DNS_SERVERS;
      writeUint32(out, at + LIFETIME, option.lifetime);
      for (const [i, address] of option.addresses.entries()) out.set(address, at + VALUE + i * IPV6_ADDRESS_LENGTH);
      break;
    case 'search-domains':
      out[at] = TYPE_SEARCH_DOMAINS;
      writeUint32(out, at + LIFETIME, option.lifetime);
      out.set(plainNames(option.names), at + VALUE);
      break;
    case 'nat64-prefix':
      out[at] = TYPE_NAT64_PREFIX;
      writeUint16(out, at + SCALED_LIFETIME, scaledLifetime(option.lifetime) | nat64Code(option.prefix));
      out.set(option.prefix.address.subarray(0, NAT64_OPTION_LENGTH - NAT64_PREFIX), at + NAT64_PREFIX);
      break;
  }
  return at + length;
}

/** RFC 8781, 4.1: rounded up. */
function scaledLifetime(seconds: number): number {
  return Math.min(MAX_SCALED_LIFETIME, Math.ceil(seconds / 8)) << 3;
}

function nat64Code({ prefixLength }: Ipv6Prefix): number {
  const code = NAT64_LENGTHS.indexOf(prefixLength);
  if (code === -1) throw new RangeError(`a NAT64 prefix of ${prefixLength} bits`);
  return code;
}

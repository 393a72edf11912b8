/** IPv6 addresses, RFC 4291: 16 octets everywhere inside, strings as keys of maps; text exists at the edges (`ipv6-text.ts`). */
import type { Mac } from './mac.ts';
import { writeMac } from './mac.ts';
import { readUint16, readUint32, writeUint16 } from './octets.ts';

export type Ipv6 = Uint8Array;

export const IPV6_ADDRESS_LENGTH = 16;

/** `::`, the source of who has no address yet (RFC 4291, 2.5.2). */
export const UNSPECIFIED_IPV6: Ipv6 = new Uint8Array(IPV6_ADDRESS_LENGTH);
/** ff02::1 (RFC 4291, 2.7.1). */
export const ALL_NODES: Ipv6 = groupOfLink(1);
/** ff02::2 (RFC 4291, 2.7.1). */
export const ALL_ROUTERS: Ipv6 = groupOfLink(2);

function groupOfLink(id: number): Ipv6 {
  const group = new Uint8Array(IPV6_ADDRESS_LENGTH);
  group.set([0xff, 0x02]);
  group[15] = id;
  return group;
}

export function isSameIpv6(a: Ipv6, b: Ipv6): boolean {
  return isIpv6At(a, 0, b);
}

/** The octets at `at` are those of the address. */
export function isIpv6At(bytes: Uint8Array, at: number, address: Ipv6): boolean {
  for (let i = IPV6_ADDRESS_LENGTH - 1; i >= 0; i--) if (bytes[at + i] !== address[i]) return false;
  return true;
}

/** The address at `at` as a key of maps: a string of its eight 16-bit groups, which is no text. */
export function ipv6Key(bytes: Uint8Array, at = 0): string {
  const group = (i: number) => readUint16(bytes, at + i);
  return String.fromCharCode(group(0), group(2), group(4), group(6), group(8), group(10), group(12), group(14));
}

/** The address of a key. */
export function ipv6OfKey(key: string): Ipv6 {
  const address = new Uint8Array(IPV6_ADDRESS_LENGTH);
  for (let i = 0; i < IPV6_ADDRESS_LENGTH / 2; i++) writeUint16(address, i * 2, key.charCodeAt(i));
  return address;
}

/** The address as one number, where addresses are counted through. */
export function ipv6Number(address: Ipv6): bigint {
  return address.reduce((number, octet) => (number << 8n) | BigInt(octet), 0n);
}

/** The address of a number. */
export function ipv6OfNumber(number: bigint): Ipv6 {
  const octet = (i: number) => Number((number >> BigInt(8 * (IPV6_ADDRESS_LENGTH - 1 - i))) & 0xffn);
  return Uint8Array.from({ length: IPV6_ADDRESS_LENGTH }, (_, i) => octet(i));
}

/** An address with the length of its network's prefix, as `fd00::1/64` writes it. */
export interface Ipv6Interface {
  readonly address: Ipv6;
  readonly prefixLength: number;
}

/** A network, as `fd00::/64` writes it: the address has no bit set behind the prefix. */
export type Ipv6Prefix = Ipv6Interface;

/** The network of an interface. */
export function ipv6PrefixOf({ address, prefixLength }: Ipv6Interface): Ipv6Prefix {
  const network = address.map((octet, i) => octet & maskOf(prefixLength, i));
  return { address: network, prefixLength };
}

/** The address at `at` is in the network. */
export function isInIpv6Prefix({ address, prefixLength }: Ipv6Prefix, bytes: Uint8Array, at = 0): boolean {
  const whole = prefixLength >>> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== bytes[at + i]) return false;
  return (prefixLength & 7) === 0 || ((address[whole]! ^ bytes[at + whole]!) & maskOf(prefixLength, whole)) === 0;
}

/** Which bits of octet `i` a prefix has. */
function maskOf(prefixLength: number, i: number): number {
  return (0xff00 >>> Math.min(8, Math.max(0, prefixLength - i * 8))) & 0xff;
}

export function isUnspecifiedIpv6(address: Ipv6): boolean {
  return isSameIpv6(address, UNSPECIFIED_IPV6);
}

/** The address at `at` is of ff00::/8. */
export function isMulticastIpv6(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === 0xff;
}

/** The address at `at` is of fe80::/10. */
export function isLinkLocalIpv6(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === 0xfe && (bytes[at + 1]! & 0xc0) === 0x80;
}

/** The link-local address of a MAC: fe80::/64 and the modified EUI-64 (RFC 4291, 2.5.6 and appendix A). */
export function linkLocalOf(mac: Mac): Ipv6 {
  const octets = new Uint8Array(6);
  writeMac(octets, 0, mac);
  const address = new Uint8Array(IPV6_ADDRESS_LENGTH);
  address.set([0xfe, 0x80]);
  address.set([octets[0]! ^ 0x02, octets[1]!, octets[2]!, 0xff, 0xfe], 8);
  address.set(octets.subarray(3), 13);
  return address;
}

const SOLICITED_NODE_PREFIX = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff];

/** The group in which the owner of `address` is asked for: ff02::1:ff00:0/104 and the low 24 bits (RFC 4291, 2.7.1). */
export function solicitedNodeGroup(address: Ipv6): Ipv6 {
  const group = new Uint8Array(IPV6_ADDRESS_LENGTH);
  group.set(SOLICITED_NODE_PREFIX);
  group.set(address.subarray(13), 13);
  return group;
}

export function isSolicitedNodeGroup(address: Ipv6): boolean {
  return SOLICITED_NODE_PREFIX.every((octet, i) => address[i] === octet);
}

/** Where frames for a group go: 33:33 and the low 32 bits (RFC 2464, 7). */
export function groupMacOf(group: Ipv6): Mac {
  return 0x3333_0000_0000 + readUint32(group, 12);
}

/** IPv4 addresses as numbers below 2^32, the form of tables and arithmetic; four octets in `Endpoint`s; dotted text at the edges. */

import { readUint32, writeUint32 } from './octets.ts';

export type Ipv4 = number;

export const LIMITED_BROADCAST: Ipv4 = 0xffff_ffff;
/** 127.0.0.1, the host itself. */
export const LOOPBACK: Ipv4 = 0x7f00_0001;

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** Reads dotted-decimal text, four numbers without leading zeros; undefined where the text is something else. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return undefined;
  return parts.reduce((address, part) => address * 256 + Number(part), 0);
}

/** The form of `Endpoint`s. */
export function ipv4Octets(address: Ipv4): Uint8Array {
  const octets = new Uint8Array(4);
  writeUint32(octets, 0, address);
  return octets;
}

/** The address in the octets of an `Endpoint`; throws where they are not IPv4's. */
export function ipv4Of(octets: Uint8Array): Ipv4 {
  if (octets.length !== 4) throw new RangeError(`an IPv4 address has 4 octets, not ${octets.length}`);
  return readUint32(octets, 0);
}

/** The netmask of a prefix length. */
export function ipv4Mask(prefixLength: number): Ipv4 {
  return prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
}

/** An address with the length of its network's prefix, as `10.0.2.2/24` writes it. */
export interface Ipv4Interface {
  readonly address: Ipv4;
  readonly prefixLength: number;
}

/** Reads `10.0.2.2/24`; undefined where the text is something else. */
export function parseIpv4Interface(text: string): Ipv4Interface | undefined {
  const match = /^([\d.]+)\/(0|[1-9]\d?)$/.exec(text);
  const address = match === null ? undefined : parseIpv4(match[1]!);
  const prefixLength = Number(match?.[2]);
  return address === undefined || prefixLength > 32 ? undefined : { address, prefixLength };
}

export function formatIpv4Interface({ address, prefixLength }: Ipv4Interface): string {
  return `${formatIpv4(address)}/${prefixLength}`;
}

export function networkOf({ address, prefixLength }: Ipv4Interface): Ipv4 {
  return (address & ipv4Mask(prefixLength)) >>> 0;
}

/** The directed broadcast address of the interface's network. */
export function broadcastOf({ address, prefixLength }: Ipv4Interface): Ipv4 {
  return (address | ~ipv4Mask(prefixLength)) >>> 0;
}

export function isOnLink({ address, prefixLength }: Ipv4Interface, other: Ipv4): boolean {
  return ((address ^ other) & ipv4Mask(prefixLength)) === 0;
}

/** 224.0.0.0/4, RFC 1112. */
export function isMulticastIpv4(address: Ipv4): boolean {
  return address >>> 28 === 0xe;
}

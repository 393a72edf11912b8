/** Names that stand for addresses: below `in-addr.arpa` (RFC 1035, 3.5) and below `ip6.arpa` (RFC 3596, 2.5). */
import type { Ipv4, Ipv4Interface } from '../../wire/ipv4-address.ts';
import { isOnLink } from '../../wire/ipv4-address.ts';
import type { Ipv6, Ipv6Prefix } from '../../wire/ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from '../../wire/ipv6-address.ts';

const REVERSE = /^(?:(\d{1,3})\.)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/;

/** A name below `in-addr.arpa` that stands for an address or for the 256 addresses of a /24. */
export interface Ipv4ReverseName {
  /** Undefined: the name of all 256. */
  readonly address: Ipv4 | undefined;
  /** The /24's name, the zone that the name is in. */
  readonly zone: string;
  readonly network: Ipv4;
}

export function ipv4ReverseOf(name: string): Ipv4ReverseName | undefined {
  const match = REVERSE.exec(name);
  if (match === null) return undefined;
  const [host, ...rest] = match.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  const [c, b, a] = rest as number[];
  if ([host ?? 0, a!, b!, c!].some((part) => part > 255)) return undefined;
  const network = (a! * 0x100_0000 + b! * 0x1_0000 + c! * 0x100) >>> 0;
  return {
    address: host === undefined ? undefined : network + host,
    zone: `${c}.${b}.${a}.in-addr.arpa`,
    network,
  };
}

/** Whether the name is about addresses of the network. */
export function isIpv4ReverseIn({ address, network }: Ipv4ReverseName, at: Ipv4Interface): boolean {
  if (address !== undefined) return isOnLink(at, address);
  return isOnLink(at, network) || isOnLink({ address: network, prefixLength: 24 }, at.address);
}

/** The name of an address. */
export function ipv4ReverseName(octets: Uint8Array): string {
  return `${[...octets].reverse().join('.')}.in-addr.arpa`;
}

const NIBBLES = /^(?:[0-9a-f]\.){32}ip6\.arpa$/;

/** The address that a name of 32 nibbles stands for. */
export function ipv6ReverseOf(name: string): Ipv6 | undefined {
  if (!NIBBLES.test(name)) return undefined;
  const digits = name.slice(0, 64).split('.').reverse().join('');
  return Uint8Array.from({ length: IPV6_ADDRESS_LENGTH }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** The zone of a network's addresses; of a prefix that ends within a nibble, of the network around it. */
export function ipv6ReverseZone({ address, prefixLength }: Ipv6Prefix): string {
  const digits = [...address].map((octet) => octet.toString(16).padStart(2, '0')).join('');
  return [...digits.slice(0, prefixLength >>> 2)].reverse().concat('ip6.arpa').join('.');
}

/** Addresses of either family and endpoints as people write them: `10.0.2.9:53`, `[fd00::1]:53`. */
import type { Endpoint } from '../base/endpoint.ts';
import { formatIpv4, ipv4Octets, parseIpv4 } from './ipv4-address.ts';
import { formatIpv6, parseIpv6 } from './ipv6-text.ts';
import { readUint32 } from './octets.ts';

/** 4 or 16 octets; undefined where the text is no address. */
export function parseAddress(text: string): Uint8Array | undefined {
  const address = parseIpv4(text);
  return address === undefined ? parseIpv6(text) : ipv4Octets(address);
}

export function formatAddress(address: Uint8Array): string {
  return address.length === 4 ? formatIpv4(readUint32(address, 0)) : formatIpv6(address);
}

/** An address and a port, or an address alone where there is a `defaultPort`. An IPv6 address with a port stands in brackets. */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const bare = defaultPort === undefined ? undefined : parseAddress(text);
  if (bare !== undefined) return { address: bare, port: defaultPort! };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const address = match?.[1] === undefined ? parseAddress(match?.[2] ?? '') : parseIpv6(match[1]);
  const port = Number(match?.[3]);
  return address === undefined || port > 65_535 ? undefined : { address, port };
}

export function formatEndpoint({ address, port }: Endpoint): string {
  const text = formatAddress(address);
  return `${address.length === 4 ? text : `[${text}]`}:${port}`;
}

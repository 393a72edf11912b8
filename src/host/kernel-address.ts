/** `sockaddr_in` and `sockaddr_in6` on a machine that writes the low octet first, ip(7), ipv6(7). */
import type { Endpoint } from '../base/endpoint.ts';
import { readUint16, writeUint16 } from '../wire/octets.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
/** Room for either. */
export const ADDRESS_ROOM = 28;

const PORT = 2;
const IPV4_ADDRESS = 4;
const IPV4_LENGTH = 16;
const IPV6_ADDRESS = 8;
const IPV6_LENGTH = 28;

/** Writes an endpoint; returns the length of what was written. */
export function writeKernelAddress(out: Uint8Array, { address, port }: Endpoint): number {
  const isIpv4 = address.length === 4;
  out.fill(0, 0, ADDRESS_ROOM);
  out[0] = isIpv4 ? AF_INET : AF_INET6;
  writeUint16(out, PORT, port);
  out.set(address, isIpv4 ? IPV4_ADDRESS : IPV6_ADDRESS);
  return isIpv4 ? IPV4_LENGTH : IPV6_LENGTH;
}

/** Undefined where there is no address, or one of another family. */
export function readKernelAddress(bytes: Uint8Array, at: number, end: number): Endpoint | undefined {
  if (end - at < IPV4_LENGTH) return undefined;
  const port = readUint16(bytes, at + PORT);
  if (bytes[at] === AF_INET) return { address: copyOf(bytes, at + IPV4_ADDRESS, 4), port };
  if (bytes[at] !== AF_INET6 || end - at < IPV6_LENGTH) return undefined;
  return { address: copyOf(bytes, at + IPV6_ADDRESS, 16), port };
}

function copyOf(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(at, at + length));
}

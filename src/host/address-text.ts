/** Addresses between the octets of `Endpoint`s and the text that Node's sockets speak. */
import { isIPv4, isIPv6 } from 'node:net';
import { readUint16, writeUint16 } from '../wire/octets.ts';

export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => readUint16(octets, 2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1); // RFC 5952's shortest form
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function endpointText(address: Uint8Array, port: number): string {
  return address.length === 4 ? `${addressText(address)}:${port}` : `[${addressText(address)}]:${port}`;
}

/** The octets of an address; undefined where the text is none. A scope (`%eth0`) is ignored. */
export function addressOctets(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text)) return undefined;
  const [head = '', tail = ''] = text.split('%')[0]!.split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail);
  const octets = new Uint8Array(16);
  for (const [i, group] of first.entries()) writeUint16(octets, 2 * i, group);
  for (const [i, group] of last.entries()) writeUint16(octets, 16 - 2 * (last.length - i), group);
  return octets;
}

/** The 16-bit groups of a part of an IPv6 address, whose end may be dotted (RFC 4291, 2.2). */
function groupsOf(part: string): readonly number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!isIPv4(group)) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number);
    return [a! * 256 + b!, c! * 256 + d!];
  });
}

/** IPv6 addresses as people write them: read as in RFC 4291, 2.2, written as in RFC 5952, 4. */
import { parseIpv4 } from './ipv4-address.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH, ipv6PrefixOf, isSameIpv6 } from './ipv6-address.ts';
import { readUint16 } from './octets.ts';

const GROUPS = IPV6_ADDRESS_LENGTH / 2;

/** Undefined where the text is no address. Zones (`%eth0`) are none of an address. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = GROUPS - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** The 16-bit groups of one side of `::`; the last two of the address may be written as IPv4. */
function groupsOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = isEnd ? parseIpv4(parts.at(-1)!) : undefined;
  if (last !== undefined) parts.pop();
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const groups = parts.map((part) => Number.parseInt(part, 16));
  return last === undefined ? groups : [...groups, last >>> 16, last & 0xffff];
}

/** Small letters, no leading zeros, `::` for the longest run of two or more zero groups, the first of equals. */
export function formatIpv6(address: Ipv6): string {
  const groups = Array.from({ length: GROUPS }, (_, i) => readUint16(address, i * 2));
  const { start, length } = longestZeros(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}

/** Reads `fd00::1/64`; undefined where the text is something else. */
export function parseIpv6Interface(text: string): Ipv6Interface | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match === null ? undefined : parseIpv6(match[1]!);
  const prefixLength = Number(match?.[2]);
  return address === undefined || prefixLength > 8 * IPV6_ADDRESS_LENGTH ? undefined : { address, prefixLength };
}

/** Reads `fd00::/64`; undefined where the text is something else or has bits set behind the prefix. */
export function parseIpv6Prefix(text: string): Ipv6Prefix | undefined {
  const parsed = parseIpv6Interface(text);
  return parsed !== undefined && isSameIpv6(parsed.address, ipv6PrefixOf(parsed).address) ? parsed : undefined;
}

export function formatIpv6Interface({ address, prefixLength }: Ipv6Interface): string {
  return `${formatIpv6(address)}/${prefixLength}`;
}

/** Frames of IPv6 as a guest would send them, made as those of `raw-frames.ts` are. */
import { Address6 } from 'ip-address';
import { checksum, type Ends, ethernet, mac, u16, u32 } from './raw-frames.ts';

/** Octets of text like `fec0::2`. */
export function ipv6(text: string): number[] {
  const groups = new Address6(text).canonicalForm().split(':');
  return groups.flatMap((group) => u16(Number.parseInt(group, 16)));
}

/** fe80::/64 and the modified EUI-64 (RFC 4291, appendix A). */
export function linkLocal(of: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac(of);
  const group = (high: number, low: number) => (high * 256 + low).toString(16);
  return `fe80::${group(a ^ 2, b)}:${group(c, 0xff)}:${group(0xfe, d)}:${group(e, f)}`;
}

export function pseudo6(ends: Pick<Ends, 'source' | 'destination'>, nextHeader: number, length: number): number[] {
  return [...ipv6(ends.source), ...ipv6(ends.destination), ...u32(length), 0, 0, 0, nextHeader];
}

function ipv6Frame(ends: Ends, nextHeader: number, hopLimit: number, payload: readonly number[]): Uint8Array {
  const addresses = [...ipv6(ends.source), ...ipv6(ends.destination)];
  const header = [0x60, 0, 0, 0, ...u16(payload.length), nextHeader, hopLimit, ...addresses];
  return ethernet(ends.destinationMac, ends.sourceMac, 0x86dd, [...header, ...payload]);
}

export function icmp6Frame(ends: Ends, message: readonly number[], hopLimit = 255): Uint8Array {
  const octets = [...message];
  octets.splice(2, 2, ...u16(checksum([...pseudo6(ends, 58, message.length), ...message])));
  return ipv6Frame(ends, 58, hopLimit, octets);
}

export function udp6Frame(
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
  payload: readonly number[],
): Uint8Array {
  const datagram = [...u16(sourcePort), ...u16(destinationPort), ...u16(8 + payload.length), 0, 0, ...payload];
  datagram.splice(6, 2, ...u16(checksum([...pseudo6(ends, 17, datagram.length), ...datagram]) || 0xffff));
  return ipv6Frame(ends, 17, 64, datagram);
}

/** RFC 4861, 4.1, by a machine that has its link-local address. */
export function routerSolicitation6(from: string): Uint8Array {
  return icmp6Frame(toGroup(from, 'ff02::2'), [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, ...mac(from)]);
}

/** RFC 4861, 4.3. */
export function neighbourSolicitation(from: string, target: string): Uint8Array {
  const asked = ipv6(target);
  const group = `ff02::1:ff${hex(asked[13]!)}:${hex(asked[14]!)}${hex(asked[15]!)}`;
  return icmp6Frame(toGroup(from, group), [135, 0, 0, 0, 0, 0, 0, 0, ...asked, 1, 1, ...mac(from)]);
}

/** To all DHCPv6 servers; options by code and value. */
export function dhcp6Frame(
  from: string,
  type: number,
  ...options: readonly (readonly [code: number, value: readonly number[]])[]
): Uint8Array {
  const octets = options.flatMap(([code, value]) => [...u16(code), ...u16(value.length), ...value]);
  return udp6Frame(toGroup(from, 'ff02::1:2'), 546, 547, [type, 1, 2, 3, ...octets]);
}

function toGroup(sourceMac: string, group: string): Ends {
  const low = ipv6(group).slice(12).map(hex).join(':');
  return { sourceMac, destinationMac: `33:33:${low}`, source: linkLocal(sourceMac), destination: group };
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, '0');
}

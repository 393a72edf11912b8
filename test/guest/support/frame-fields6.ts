/** Packets of IPv6 taken apart as `frame-fields.ts` takes those of IPv4: neighbour discovery, router advertisements, DHCPv6. */
import { Address6 } from 'ip-address';
import type { Fields } from './frame-fields.ts';
import { checksum } from './raw-frames.ts';
import { pseudo6 } from './raw-frames6.ts';

export function ipv6Fields(bytes: Uint8Array): Fields {
  const payload = bytes.subarray(40, 40 + u16At(bytes, 4));
  const ends = { source: ip6At(bytes, 8), destination: ip6At(bytes, 24) };
  const nextHeader = bytes[6]!;
  const fields: Record<string, string> = {
    'ip.traffic-class': hex(bytes.subarray(0, 2)).slice(1, 3),
    'ip.flow-label': hex(bytes.subarray(1, 4)).slice(1),
    'ip.next-header': String(nextHeader),
    'ip.hop-limit': String(bytes[7]),
    'ip.source': ends.source,
    'ip.destination': ends.destination,
  };
  const isGood = checksum([...pseudo6(ends, nextHeader, payload.length), ...payload]) === 0;
  const sum = isGood ? 'good' : 'bad';
  if (nextHeader === 58) return { ...fields, 'icmp6.checksum': sum, ...icmp6Fields(payload) };
  if (nextHeader === 17) return { ...fields, 'udp.checksum': sum, ...udp6Fields(payload) };
  return { ...fields, 'ip.payload': hex(payload) };
}

/** Octets before the options of neighbour discovery, by type. */
const NDP: Readonly<Record<number, number>> = { 134: 16, 135: 24, 136: 24 };

function icmp6Fields(message: Uint8Array): Fields {
  const type = message[0]!;
  const fields = { 'icmp6.type': String(type), 'icmp6.code': String(message[1]) };
  const optionsAt = NDP[type];
  if (optionsAt === undefined) return { ...fields, 'icmp6.body': hex(message.subarray(4)) };
  const options = ndpOptions(message.subarray(optionsAt));
  if (type === 134) {
    return {
      ...fields,
      'ra.hop-limit': String(message[4]),
      'ra.flags': hex(message.subarray(5, 6)),
      'ra.lifetime': String(u16At(message, 6)),
      'ra.timers': hex(message.subarray(8, 16)),
      ...options,
    };
  }
  return { ...fields, 'ndp.flags': hex(message.subarray(4, 5)), 'ndp.target': ip6At(message, 8), ...options };
}

function ndpOptions(options: Uint8Array): Fields {
  const fields: Record<string, string> = {};
  for (let at = 0; at < options.length; at += 8 * Math.max(1, options[at + 1]!)) {
    const value = options.subarray(at + 2, at + 8 * options[at + 1]!);
    fields[`ndp.option.${options[at]}`] = hex(value);
  }
  return fields;
}

function udp6Fields(datagram: Uint8Array): Fields {
  const fields = { 'udp.ports': `${u16At(datagram, 0)} ${u16At(datagram, 2)}` };
  const payload = datagram.subarray(8, u16At(datagram, 4));
  if (u16At(datagram, 2) !== 546) return { ...fields, 'udp.payload': hex(payload) };
  const options: Record<string, string> = {};
  for (let at = 4; at < payload.length; at += 4 + u16At(payload, at + 2))
    options[`dhcp6.option.${u16At(payload, at)}`] = optionText(
      u16At(payload, at),
      payload.subarray(at + 4, at + 4 + u16At(payload, at + 2)),
    );
  return { ...fields, 'dhcp6.type': String(payload[0]), 'dhcp6.transaction': hex(payload.subarray(1, 4)), ...options };
}

function optionText(code: number, value: Uint8Array): string {
  return code === 59 ? Buffer.from(value).toString('latin1') : hex(value);
}

function u16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

function ip6At(bytes: Uint8Array, at: number): string {
  return Address6.fromUnsignedByteArray([...bytes.subarray(at, at + 16)]).correctForm();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

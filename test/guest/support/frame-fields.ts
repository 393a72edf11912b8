/**
 * A frame taken apart into named fields, by RFC and without the project's own parsers: what two gateways answer is compared field by
 * field. Left out are a packet's identification and lengths, which follow from the rest; checksums are
 * said to be good or bad.
 */
import { ipv6Fields } from './frame-fields6.ts';
import { checksum, pseudo } from './raw-frames.ts';

export type Fields = Readonly<Record<string, string>>;

/** Every field, by name. */
export function fieldsOf(frame: Uint8Array): Fields {
  const fields: Record<string, string> = {
    'ethernet.destination': macAt(frame, 0),
    'ethernet.source': macAt(frame, 6),
    'ethernet.type': hex(frame.subarray(12, 14)),
  };
  const type = u16At(frame, 12);
  if (type === 0x0806) Object.assign(fields, arpFields(frame));
  else if (type === 0x0800) Object.assign(fields, ipv4Fields(frame.subarray(14)));
  else if (type === 0x86dd) Object.assign(fields, ipv6Fields(frame.subarray(14)));
  else fields['ethernet.payload'] = hex(frame.subarray(14));
  return fields;
}

function arpFields(frame: Uint8Array): Fields {
  const arp = frame.subarray(14);
  return {
    'frame.length': String(frame.length),
    'arp.kind': hex(arp.subarray(0, 6)),
    'arp.operation': String(u16At(arp, 6)),
    'arp.sender': `${macAt(arp, 8)} ${ipAt(arp, 14)}`,
    'arp.target': `${macAt(arp, 18)} ${ipAt(arp, 24)}`,
  };
}

function ipv4Fields(bytes: Uint8Array): Fields {
  const headerLength = (bytes[0]! & 15) * 4;
  const packet = bytes.subarray(0, u16At(bytes, 2));
  const flags = u16At(packet, 6);
  const fields: Record<string, string> = {
    'ip.tos': String(packet[1]),
    'ip.flags': `${flags & 0x4000 ? 'DF' : ''}${flags & 0x2000 ? ' MF' : ''}`,
    'ip.fragment-offset': String((flags & 0x1fff) * 8),
    'ip.ttl': String(packet[8]),
    'ip.protocol': String(packet[9]),
    'ip.source': ipAt(packet, 12),
    'ip.destination': ipAt(packet, 16),
    'ip.options': hex(packet.subarray(20, headerLength)),
    'ip.checksum': checksum([...packet.subarray(0, headerLength)]) === 0 ? 'good' : 'bad',
  };
  const payload = packet.subarray(headerLength);
  if ((flags & 0x3fff) !== 0) return { ...fields, 'ip.payload': `${payload.length} octets` };
  const sum = () => {
    const ends = { source: fields['ip.source']!, destination: fields['ip.destination']! };
    return checksum([...pseudo(ends, packet[9]!, payload.length), ...payload]) === 0 ? 'good' : 'bad';
  };
  switch (packet[9]) {
    case 1:
      return { ...fields, ...icmpFields(payload) };
    case 6:
      return { ...fields, 'tcp.checksum': sum(), ...tcpFields(payload) };
    case 17:
      return { ...fields, 'udp.checksum': u16At(payload, 6) === 0 ? 'none' : sum(), ...udpFields(payload) };
    default:
      return { ...fields, 'ip.payload': hex(payload) };
  }
}

function icmpFields(message: Uint8Array): Fields {
  const fields: Record<string, string> = {
    'icmp.type': String(message[0]),
    'icmp.code': String(message[1]),
    'icmp.checksum': checksum([...message]) === 0 ? 'good' : 'bad',
  };
  if (message[0] === 0 || message[0] === 8) {
    return { ...fields, 'icmp.echo': hex(message.subarray(4, 8)), 'icmp.payload': hex(message.subarray(8)) };
  }
  const quote = message.subarray(8);
  return {
    ...fields,
    'icmp.rest': hex(message.subarray(4, 8)),
    'icmp.quote.ttl': String(quote[8]),
    'icmp.quote.protocol': String(quote[9]),
    'icmp.quote.source': ipAt(quote, 12),
    'icmp.quote.destination': ipAt(quote, 16),
    'icmp.quote.ports': hex(quote.subarray(20, 24)),
    'icmp.quote.length': String(quote.length),
  };
}

function tcpFields(segment: Uint8Array): Fields {
  const headerLength = (segment[12]! >>> 4) * 4;
  const flags = segment[13]!;
  return {
    'tcp.ports': `${u16At(segment, 0)} ${u16At(segment, 2)}`,
    'tcp.flags': ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'].filter((_, i) => flags & (1 << i)).join(' '),
    ...(flags & 0x10 && { 'tcp.acknowledgment': String(u32At(segment, 8)) }),
    'tcp.sequence': String(u32At(segment, 4)),
    'tcp.window': String(u16At(segment, 14)),
    'tcp.urgent': String(u16At(segment, 18)),
    ...tcpOptions(segment.subarray(20, headerLength)),
    'tcp.payload': hex(segment.subarray(headerLength)),
  };
}

const TCP_OPTIONS: Readonly<Record<number, string>> = { 2: 'mss', 3: 'window-scale', 4: 'sack-permitted', 5: 'sack' };

function tcpOptions(options: Uint8Array): Fields {
  const fields: Record<string, string> = {};
  for (let at = 0; at < options.length && options[at] !== 0; ) {
    const kind = options[at]!;
    const length = kind === 1 ? 1 : options[at + 1]!;
    if (kind === 8) fields['tcp.option.timestamps'] = `${u32At(options, at + 2)} ${u32At(options, at + 6)}`;
    else if (kind !== 1) fields[`tcp.option.${TCP_OPTIONS[kind] ?? kind}`] = hex(options.subarray(at + 2, at + length));
    at += Math.max(1, length);
  }
  return fields;
}

function udpFields(datagram: Uint8Array): Fields {
  const [source, destination] = [u16At(datagram, 0), u16At(datagram, 2)];
  const payload = datagram.subarray(8, u16At(datagram, 4));
  const fields = { 'udp.ports': `${source} ${destination}` };
  if (source === 67) return { ...fields, ...dhcpFields(payload) };
  if (source === 53) return { ...fields, ...dnsFields(payload) };
  return { ...fields, 'udp.payload': hex(payload) };
}

function dhcpFields(message: Uint8Array): Fields {
  const fields: Record<string, string> = {
    'dhcp.operation': String(message[0]),
    'dhcp.hardware': hex(message.subarray(1, 3)),
    'dhcp.hops': String(message[3]),
    'dhcp.transaction': hex(message.subarray(4, 8)),
    'dhcp.seconds': String(u16At(message, 8)),
    'dhcp.flags': hex(message.subarray(10, 12)),
    'dhcp.ciaddr': ipAt(message, 12),
    'dhcp.yiaddr': ipAt(message, 16),
    'dhcp.siaddr': ipAt(message, 20),
    'dhcp.giaddr': ipAt(message, 24),
    'dhcp.chaddr': hex(message.subarray(28, 44)),
    'dhcp.server-name': zeroEnded(message.subarray(44, 108)),
    'dhcp.file': zeroEnded(message.subarray(108, 236)),
  };
  for (let at = 240; at < message.length && message[at] !== 255; ) {
    const [code, length] = [message[at]!, message[at + 1]!];
    if (code === 0) at++;
    else {
      fields[`dhcp.option.${code}`] = optionText(code, message.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return fields;
}

const ADDRESS_OPTIONS: readonly number[] = [1, 3, 6, 28, 42, 54];
const TEXT_OPTIONS: readonly number[] = [12, 15, 56, 60, 66, 67];
const NUMBER_OPTIONS: readonly number[] = [26, 51, 53, 57, 58, 59];

function optionText(code: number, value: Uint8Array): string {
  if (TEXT_OPTIONS.includes(code)) return text(value);
  if (NUMBER_OPTIONS.includes(code)) return String(value.reduce((sum, octet) => sum * 256 + octet, 0));
  if (!ADDRESS_OPTIONS.includes(code)) return hex(value);
  return Array.from({ length: value.length / 4 }, (_, i) => ipAt(value, 4 * i)).join(' ');
}

/** A message whose sections are compared as sorted records: servers may turn them. */
export function dnsFields(message: Uint8Array): Fields {
  const flags = u16At(message, 2);
  const fields: Record<string, string> = {
    'dns.id': hex(message.subarray(0, 2)),
    'dns.flags': ['QR', 'AA', 'TC', 'RD', 'RA']
      .filter((_, i) => flags & [0x8000, 0x400, 0x200, 0x100, 0x80][i]!)
      .join(' '),
    'dns.rcode': String(flags & 15),
  };
  let at = 12;
  const name = (): string => {
    const labels: string[] = [];
    let reading = at;
    let end = 0;
    while (message[reading] !== 0) {
      if (message[reading]! >= 0xc0) {
        end ||= reading + 2;
        reading = u16At(message, reading) & 0x3fff;
      } else {
        const length = message[reading]!;
        labels.push(text(message.subarray(reading + 1, reading + 1 + length)));
        reading += 1 + length;
      }
    }
    at = end || reading + 1;
    return labels.join('.');
  };
  const questions = Array.from({ length: u16At(message, 4) }, () => {
    const asked = name();
    at += 4;
    return `${asked} ${u16At(message, at - 4)}`;
  });
  fields['dns.question'] = questions.join(', ');
  for (const [i, section] of ['answer', 'authority', 'additional'].entries()) {
    const records = Array.from({ length: u16At(message, 6 + 2 * i) }, () => {
      const owner = name();
      const [type, ttl, length] = [u16At(message, at), u32At(message, at + 4), u16At(message, at + 8)];
      const data = hex(message.subarray(at + 10, at + 10 + length));
      at += 10 + length;
      return `${owner} ${type} ${ttl} ${data}`;
    });
    fields[`dns.${section}`] = records.sort().join(', ');
  }
  return fields;
}

/** The same answer with its payload read as TFTP (RFC 1350, 2347). */
export function withTftp(answer: Fields): Fields {
  const { 'udp.payload': payload, ...fields } = answer;
  const message = Buffer.from(payload ?? '', 'hex');
  const opcode = u16At(message, 0);
  const strings = text(message.subarray(opcode === 5 ? 4 : 2)).split('\0');
  if (opcode === 5) return { ...fields, 'tftp.error': String(u16At(message, 2)), 'tftp.message': strings[0]! };
  if (opcode === 3)
    return { ...fields, 'tftp.block': String(u16At(message, 2)), 'tftp.data': text(message.subarray(4)) };
  const options = strings
    .slice(0, -1)
    .flatMap((name, i) => (i % 2 === 0 ? [[`tftp.option.${name}`, strings[i + 1]!]] : []));
  return { ...fields, 'tftp.opcode': String(opcode), ...Object.fromEntries(options) };
}

function u16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

function u32At(bytes: Uint8Array, at: number): number {
  return u16At(bytes, at) * 65_536 + u16At(bytes, at + 2);
}

function ipAt(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function macAt(bytes: Uint8Array, at: number): string {
  return hex(bytes.subarray(at, at + 6)).replace(/..(?!$)/g, '$&:');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function zeroEnded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return text(bytes.subarray(0, end === -1 ? bytes.length : end));
}

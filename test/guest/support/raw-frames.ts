/** Frames as a guest would send them, made without the project's own parsers and emitters: what is compared with it must not be it. */

/** Octets of text like `10.0.2.15`, `52:54:00:12:34:56`. */
export const ipv4 = (text: string): number[] => text.split('.').map(Number);
export const mac = (text: string): number[] => text.split(':').map((octet) => Number.parseInt(octet, 16));
export const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)];
export const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

export interface Ends {
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
}

export interface Ipv4Fields {
  readonly ttl?: number;
  readonly identification?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In octets. */
  readonly fragmentOffset?: number;
}

export function ethernet(destination: string, source: string, type: number, payload: readonly number[]): Uint8Array {
  const frame = Uint8Array.from([...mac(destination), ...mac(source), ...u16(type), ...payload]);
  if (frame.length >= MIN_FRAME) return frame;
  const padded = new Uint8Array(MIN_FRAME);
  padded.set(frame);
  return padded;
}

const MIN_FRAME = 60;

export function arpRequest(from: { readonly mac: string; readonly address: string }, target: string): Uint8Array {
  const sender = [...mac(from.mac), ...ipv4(from.address)];
  const body = [...u16(1), ...u16(0x0800), 6, 4, ...u16(1), ...sender, ...mac('00:00:00:00:00:00'), ...ipv4(target)];
  return ethernet('ff:ff:ff:ff:ff:ff', from.mac, 0x0806, body);
}

export function arpReply(
  from: { readonly mac: string; readonly address: string },
  to: { readonly mac: string; readonly address: string },
): Uint8Array {
  const sides = [...mac(from.mac), ...ipv4(from.address), ...mac(to.mac), ...ipv4(to.address)];
  return ethernet(to.mac, from.mac, 0x0806, [...u16(1), ...u16(0x0800), 6, 4, ...u16(2), ...sides]);
}

export function ipv4Frame(
  ends: Ends,
  protocol: number,
  payload: readonly number[],
  fields: Ipv4Fields = {},
): Uint8Array {
  const flags = (fields.dontFragment ? 0x4000 : 0) | (fields.moreFragments ? 0x2000 : 0);
  const header = [
    ...[0x45, 0, ...u16(20 + payload.length), ...u16(fields.identification ?? 1)],
    ...u16(flags | ((fields.fragmentOffset ?? 0) >>> 3)),
    ...[fields.ttl ?? 64, protocol, 0, 0, ...ipv4(ends.source), ...ipv4(ends.destination)],
  ];
  header.splice(10, 2, ...u16(checksum(header)));
  return ethernet(ends.destinationMac, ends.sourceMac, 0x0800, [...header, ...payload]);
}

export function udpFrame(
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
  payload: readonly number[],
  fields: Ipv4Fields = {},
): Uint8Array {
  return ipv4Frame(ends, 17, udpOctets(ends, sourcePort, destinationPort, payload), fields);
}

export function udpOctets(
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
  payload: readonly number[],
): number[] {
  const header = [...u16(sourcePort), ...u16(destinationPort), ...u16(8 + payload.length), 0, 0];
  header.splice(6, 2, ...u16(checksum([...pseudo(ends, 17, 8 + payload.length), ...header, ...payload]) || 0xffff));
  return [...header, ...payload];
}

export function icmpFrame(ends: Ends, message: readonly number[], fields: Ipv4Fields = {}): Uint8Array {
  const octets = [...message];
  octets.splice(2, 2, ...u16(checksum([...message])));
  return ipv4Frame(ends, 1, octets, fields);
}

export function echoRequest(identifier: number, sequence: number, payload: readonly number[]): number[] {
  return [8, 0, 0, 0, ...u16(identifier), ...u16(sequence), ...payload];
}

/** To all routers, without an address of its own (RFC 4861, 4.1). */
export function routerSolicitation(source: string): Uint8Array {
  const [anyone, routers] = [Array<number>(16).fill(0), [0xff, 2, ...Array<number>(13).fill(0), 2]];
  const message = [133, 0, 0, 0, 0, 0, 0, 0];
  const sum = checksum([...anyone, ...routers, ...u32(message.length), 0, 0, 0, 58, ...message]);
  message.splice(2, 2, ...u16(sum));
  const header = [0x60, 0, 0, 0, ...u16(message.length), 58, 255, ...anyone, ...routers];
  return ethernet('33:33:00:00:00:02', source, 0x86dd, [...header, ...message]);
}

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly flags: number;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly payload?: readonly number[];
}

export function tcpFrame(ends: Ends, fields: TcpFields, ip: Ipv4Fields = {}): Uint8Array {
  const options = [...(fields.options ?? [])];
  while (options.length % 4 !== 0) options.push(0);
  const payload = fields.payload ?? [];
  const segment = [
    ...[...u16(fields.sourcePort), ...u16(fields.destinationPort)],
    ...[...u32(fields.sequence), ...u32(fields.acknowledgment ?? 0)],
    ...[((20 + options.length) / 4) << 4, fields.flags, ...u16(fields.window ?? 0xffff), 0, 0, 0, 0],
    ...options,
    ...payload,
  ];
  segment.splice(16, 2, ...u16(checksum([...pseudo(ends, 6, segment.length), ...segment])));
  return ipv4Frame(ends, 6, segment, { dontFragment: true, ...ip });
}

/** What Linux offers in a SYN: MSS 1460, SACK permitted, timestamps, window scale 7. */
export function linuxSynOptions(echo: number): number[] {
  return [2, 4, ...u16(1460), 4, 2, 8, 10, ...u32(OUR_TIMESTAMP), ...u32(echo), 1, 3, 3, 7];
}

/** What goes into every other segment where both sides do timestamps (RFC 7323, 3.2). */
export function timestampOption(echo: number): number[] {
  return [1, 1, 8, 10, ...u32(OUR_TIMESTAMP), ...u32(echo)];
}

export const OUR_TIMESTAMP = 1000;

export interface DhcpFields {
  readonly mac: string;
  readonly type: number;
  readonly transaction: number;
  /** Code and value. */
  readonly options: readonly (readonly [code: number, value: readonly number[]])[];
  readonly clientAddress?: string;
  readonly sourceAddress?: string;
  readonly destination?: { readonly mac: string; readonly address: string };
  readonly wantsBroadcast?: boolean;
}

export const DISCOVER = 1;
export const REQUEST = 3;
export const DECLINE = 4;
export const RELEASE = 7;
export const INFORM = 8;

export function dhcpFrame(fields: DhcpFields): Uint8Array {
  const options: (readonly [number, readonly number[]])[] = [[53, [fields.type]], ...fields.options];
  const message = [
    ...[1, 1, 6, 0, ...u32(fields.transaction), 0, 0, ...u16(fields.wantsBroadcast ? 0x8000 : 0)],
    ...[...ipv4(fields.clientAddress ?? '0.0.0.0'), ...Array<number>(12).fill(0)],
    ...[...mac(fields.mac), ...Array<number>(10 + 192).fill(0)],
    ...[0x63, 0x82, 0x53, 0x63, ...options.flatMap(([code, value]) => [code, value.length, ...value]), 255],
  ];
  const ends = {
    sourceMac: fields.mac,
    destinationMac: fields.destination?.mac ?? 'ff:ff:ff:ff:ff:ff',
    source: fields.sourceAddress ?? '0.0.0.0',
    destination: fields.destination?.address ?? '255.255.255.255',
  };
  return udpFrame(ends, 68, 67, [...message, ...Array<number>(Math.max(0, 300 - message.length)).fill(0)]);
}

/** RFC 1071. */
export function checksum(octets: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += octets[i]! * 256 + (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function pseudo(ends: Pick<Ends, 'source' | 'destination'>, protocol: number, length: number): number[] {
  return [...ipv4(ends.source), ...ipv4(ends.destination), 0, protocol, ...u16(length)];
}

/** A recursive query of class IN. */
export function dnsQuery(id: number, name: string, type: number): number[] {
  const labels = name.split('.').flatMap((label) => [label.length, ...ascii(label)]);
  return [...u16(id), ...u16(0x0100), ...u16(1), 0, 0, 0, 0, 0, 0, ...labels, 0, ...u16(type), ...u16(1)];
}

/**
 * Dynamic Host Configuration Protocol, RFC 2131, section 2: the message that clients, servers and relays exchange.
 *
 *     octet  0     1      2     3      4     8     10      12      16      20      24      28
 *            +-----+------+-----+------+-----+-----+-------+-------+-------+-------+-------+--------
 *            | op  | type | len | hops | xid | sec | flags | ciadr | yiadr | siadr | giadr | chaddr
 *            +-----+------+-----+------+-----+-----+-------+-------+-------+-------+-------+--------
 *            44      108    236                240
 *            +-------+------+------------------+------------------------------
 *            | sname | file | 63 82 53 63      | options: code, length, octets
 *            +-------+------+------------------+------------------------------
 *
 * Options may continue in `file` and `sname` (option 52), and an option of more than 255 octets comes in pieces (RFC 3396).
 */
import type { Defect } from './defect.ts';
import type { Ipv4 } from './ipv4-address.ts';
import type { Mac } from './mac.ts';
import { readMac, writeMac } from './mac.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

/** UDP payload of the smallest message that every client takes: 576 octets with IP and UDP headers (RFC 2131, 2). */
export const DHCP_DEFAULT_LIMIT = 548;

const OP = 0;
const HARDWARE_TYPE = 1;
const HARDWARE_LENGTH = 2;
const HOPS = 3;
const XID = 4;
const SECS = 8;
const FLAGS = 10;
const CIADDR = 12;
const YIADDR = 16;
const SIADDR = 20;
const GIADDR = 24;
const CHADDR = 28;
const SNAME = 44;
const FILE = 108;
const COOKIE = 236;
const OPTIONS = 240;

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const ETHERNET = 1;
const MAC_LENGTH = 6;
const BROADCAST_FLAG = 0x8000;
const MAGIC_COOKIE = 0x63825363;
/** RFC 951 messages are this long, and relays may drop shorter ones (RFC 1542, 2.1). */
const MIN_LENGTH = 300;

const PAD = 0;
const OVERLOAD = 52;
const END = 255;
const OVERLOAD_FILE = 1;
const OVERLOAD_SNAME = 2;

/** Options by code, in order of importance where a message is to be sent. */
export type DhcpOptions = ReadonlyMap<number, Uint8Array>;

export interface DhcpMessage {
  readonly op: 'request' | 'reply';
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  /** The client cannot take unicast datagrams before it has an address. */
  readonly isBroadcast: boolean;
  readonly ciaddr: Ipv4;
  readonly yiaddr: Ipv4;
  readonly siaddr: Ipv4;
  readonly giaddr: Ipv4;
  readonly chaddr: Mac;
  /** Empty where options took the field. */
  readonly sname: string;
  /** Empty where options took the field. */
  readonly file: string;
  /** Without 0, 52 and 255, which are about the layout. Empty in a message of plain BOOTP (RFC 951). */
  readonly options: DhcpOptions;
}

/** The option's pieces, which RFC 3396 joins. */
type Pieces = Map<number, Uint8Array[]>;

/** Reads the message in bytes [start, end). The end of the octets ends the options as well as option 255 does. */
export function parseDhcp(bytes: Uint8Array, start: number, end: number): DhcpMessage | Defect {
  if (end - start < OPTIONS) return 'truncated';
  const op = bytes[start + OP]!;
  if (op !== BOOTREQUEST && op !== BOOTREPLY) return 'bad-value';
  if (bytes[start + HARDWARE_TYPE] !== ETHERNET || bytes[start + HARDWARE_LENGTH] !== MAC_LENGTH) return 'bad-value';
  const pieces: Pieces = new Map();
  const overload = parseAreas(bytes, start, end, pieces);
  if (typeof overload === 'string') return overload;
  return {
    op: op === BOOTREQUEST ? 'request' : 'reply',
    hops: bytes[start + HOPS]!,
    xid: readUint32(bytes, start + XID),
    secs: readUint16(bytes, start + SECS),
    isBroadcast: (readUint16(bytes, start + FLAGS) & BROADCAST_FLAG) !== 0,
    ciaddr: readUint32(bytes, start + CIADDR),
    yiaddr: readUint32(bytes, start + YIADDR),
    siaddr: readUint32(bytes, start + SIADDR),
    giaddr: readUint32(bytes, start + GIADDR),
    chaddr: readMac(bytes, start + CHADDR),
    sname: overload & OVERLOAD_SNAME ? '' : readText(bytes, start + SNAME, start + FILE),
    file: overload & OVERLOAD_FILE ? '' : readText(bytes, start + FILE, start + COOKIE),
    options: new Map([...pieces].map(([code, parts]) => [code, join(parts)])),
  };
}

/** Collects the options of all areas, in the order of RFC 3396, 5; returns which fields option 52 gave away. */
function parseAreas(bytes: Uint8Array, start: number, end: number, pieces: Pieces): number | Defect {
  if (readUint32(bytes, start + COOKIE) !== MAGIC_COOKIE) return 0;
  const defect = parseOptions(bytes, start + OPTIONS, end, pieces);
  if (defect !== undefined) return defect;
  const overload = pieces.get(OVERLOAD)?.[0]?.[0] ?? 0;
  const inFile = overload & OVERLOAD_FILE ? parseOptions(bytes, start + FILE, start + COOKIE, pieces) : undefined;
  if (inFile !== undefined) return inFile;
  const inSname = overload & OVERLOAD_SNAME ? parseOptions(bytes, start + SNAME, start + FILE, pieces) : undefined;
  pieces.delete(OVERLOAD);
  return inSname ?? overload;
}

function parseOptions(bytes: Uint8Array, start: number, end: number, pieces: Pieces): Defect | undefined {
  let at = start;
  while (at < end) {
    const code = bytes[at++]!;
    if (code === PAD) continue;
    if (code === END) return undefined;
    if (at === end) return 'bad-length';
    const length = bytes[at++]!;
    if (at + length > end) return 'bad-length';
    const piece = bytes.slice(at, at + length);
    const known = pieces.get(code);
    if (known === undefined) pieces.set(code, [piece]);
    else known.push(piece);
    at += length;
  }
  return undefined;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function readText(bytes: Uint8Array, start: number, end: number): string {
  const nul = bytes.indexOf(0, start);
  return new TextDecoder().decode(bytes.subarray(start, nul === -1 || nul > end ? end : nul));
}

/**
 * Writes a message of at most `limit` octets and returns its end. Options that do not fit go into `file` and `sname` where those
 * are empty; what still finds no room is left out, the last first, and its code is added to `omitted`.
 */
export function emitDhcp(
  message: DhcpMessage,
  out: Uint8Array,
  at: number,
  limit: number,
  omitted: number[] = [],
): number {
  out.fill(0, at, at + MIN_LENGTH);
  out[at + OP] = message.op === 'request' ? BOOTREQUEST : BOOTREPLY;
  out[at + HARDWARE_TYPE] = ETHERNET;
  out[at + HARDWARE_LENGTH] = MAC_LENGTH;
  out[at + HOPS] = message.hops;
  writeUint32(out, at + XID, message.xid);
  writeUint16(out, at + SECS, message.secs);
  writeUint16(out, at + FLAGS, message.isBroadcast ? BROADCAST_FLAG : 0);
  writeUint32(out, at + CIADDR, message.ciaddr);
  writeUint32(out, at + YIADDR, message.yiaddr);
  writeUint32(out, at + SIADDR, message.siaddr);
  writeUint32(out, at + GIADDR, message.giaddr);
  writeMac(out, at + CHADDR, message.chaddr);
  writeText(out, at + SNAME, at + FILE, message.sname);
  writeText(out, at + FILE, at + COOKIE, message.file);
  writeUint32(out, at + COOKIE, MAGIC_COOKIE);
  return Math.max(emitOptions(message, out, at, limit, omitted), at + MIN_LENGTH);
}

/** The longest `file` that fits its field, in octets of UTF-8. */
export const DHCP_FILE_LENGTH = COOKIE - FILE - 1;

function writeText(out: Uint8Array, start: number, end: number, text: string): void {
  const octets = new TextEncoder().encode(text);
  if (octets.length >= end - start) throw new RangeError(`"${text}" does not fit ${end - start - 1} octets`);
  out.set(octets, start);
}

/** Room for options: [at, end), without the octet that END takes. */
interface Area {
  at: number;
  readonly end: number;
}

function emitOptions(message: DhcpMessage, out: Uint8Array, at: number, limit: number, omitted: number[]): number {
  const encoded = [...message.options].map(([code, value]) => ({ code, octets: encodeOption(code, value) }));
  const total = encoded.reduce((sum, { octets }) => sum + octets.length, 0);
  const main: Area = { at: at + OPTIONS, end: at + limit - 1 };
  const fields = main.at + total > main.end ? freeFields(message, at) : { overload: 0, areas: [] };
  if (fields.overload !== 0) main.at = put(out, main.at, Uint8Array.of(OVERLOAD, 1, fields.overload));
  const areas = [main, ...fields.areas];
  for (const { code, octets } of encoded) {
    const area = areas.find(({ at: next, end }) => next + octets.length <= end);
    if (area === undefined) omitted.push(code);
    else area.at = put(out, area.at, octets);
  }
  for (const area of areas) out[area.at] = END;
  return main.at + 1;
}

/** The fields that options may take, and the value of option 52 that says so. */
function freeFields(message: DhcpMessage, at: number): { readonly overload: number; readonly areas: readonly Area[] } {
  const areas: Area[] = [];
  if (message.file === '') areas.push({ at: at + FILE, end: at + COOKIE - 1 });
  if (message.sname === '') areas.push({ at: at + SNAME, end: at + FILE - 1 });
  return { overload: (message.file === '' ? OVERLOAD_FILE : 0) | (message.sname === '' ? OVERLOAD_SNAME : 0), areas };
}

/** Code, length and value; a value of more than 255 octets as several of them (RFC 3396). */
function encodeOption(code: number, value: Uint8Array): Uint8Array {
  const pieces = Math.max(1, Math.ceil(value.length / 255));
  const octets = new Uint8Array(value.length + 2 * pieces);
  for (let i = 0; i < pieces; i++) {
    const piece = value.subarray(255 * i, 255 * (i + 1));
    octets[257 * i] = code;
    octets[257 * i + 1] = piece.length;
    octets.set(piece, 257 * i + 2);
  }
  return octets;
}

function put(out: Uint8Array, at: number, octets: Uint8Array): number {
  out.set(octets, at);
  return at + octets.length;
}

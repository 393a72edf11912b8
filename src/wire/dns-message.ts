/**
 * Messages of the Domain Name System, RFC 1035, 4, as a forwarder reads them: header, question, and where records and their times to
 * live are. What is in the records is passed on octet by octet (`dns.ts` reads and writes that).
 *
 *     header     | id | flags | questions | answers | authorities | additionals |     16 bits each
 *     question   | name | type | class |
 *     record     | name | type | class | TTL (32) | length | octets |
 *     flags      | QR | opcode (4) | AA | TC | RD | RA | 0 | AD | CD | rcode (4) |
 *     EDNS       | 0 | 41 | UDP size | rcode (8), version (8), DO, 0 (15) | length | options |     RFC 6891
 */
import type { Defect } from './defect.ts';
import { endOfName, endOfPlainName, nameText } from './dns-name.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const DNS_PORT = 53;
export const DNS_HEADER_LENGTH = 12;
/** The longest message: TCP's length field has 16 bits. */
export const DNS_MAX_LENGTH = 65_535;
/** RFC 1035, 4.2.1: what every UDP client takes. */
export const DNS_MIN_UDP_LENGTH = 512;

/** Where the header's fields are. */
export const DNS_FLAGS = 2;
export const DNS_QUESTIONS = 4;
export const DNS_ANSWERS = 6;
export const DNS_AUTHORITIES = 8;
export const DNS_ADDITIONALS = 10;

export const DNS_FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;
export const OPCODE_MASK = 0x7800;
export const RCODE_MASK = 0x000f;

export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;
/** RFC 6891, 9: an EDNS version that is not spoken. */
export const RCODE_BAD_VERSION = 16;

export const DNS_TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  DNSKEY: 48,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;
export const CLASS_IN = 1;

/** What a client asks. */
export interface DnsQuery {
  readonly id: number;
  readonly flags: number;
  /** Name, type and class as they were asked: the letters' case is part of the answer. */
  readonly question: Uint8Array;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly edns: Edns | undefined;
}

export interface Edns {
  /** Octets of UDP payload that the sender takes. */
  readonly udpLength: number;
  readonly version: number;
  /** The DO bit: send DNSSEC's records. */
  readonly isDnssecOk: boolean;
}

export function dnsFlags(bytes: Uint8Array, start: number): number {
  return readUint16(bytes, start + DNS_FLAGS);
}

export function opcodeOf(flags: number): number {
  return (flags & OPCODE_MASK) >>> 11;
}

/** Reads a query; `bad-length` where it has not exactly one question. The header is there. */
export function parseDnsQuery(bytes: Uint8Array, start: number, end: number): DnsQuery | Defect {
  if (end - start < DNS_HEADER_LENGTH) return 'truncated';
  if (readUint16(bytes, start + DNS_QUESTIONS) !== 1) return 'bad-length';
  const at = start + DNS_HEADER_LENGTH;
  const nameEnd = endOfPlainName(bytes, at, end);
  if (typeof nameEnd === 'string') return nameEnd;
  if (nameEnd + 4 > end) return 'truncated';
  const walk = new RecordWalk(bytes, start, nameEnd + 4, end);
  const edns = walk.edns();
  if (typeof edns === 'string') return edns;
  return {
    id: readUint16(bytes, start),
    flags: dnsFlags(bytes, start),
    question: bytes.slice(at, nameEnd + 4),
    name: nameText(bytes, at),
    type: readUint16(bytes, nameEnd),
    class: readUint16(bytes, nameEnd + 2),
    edns,
  };
}

/** Goes from record to record of a message. */
class RecordWalk {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  /** Records before those of the third section, and all. */
  readonly answers: number;
  readonly beforeAdditionals: number;
  readonly count: number;
  /** Of the record that `next` found. */
  index = -1;
  recordStart = 0;
  type = 0;
  /** Where the record's fixed fields begin, behind its name. */
  fields = 0;
  recordEnd: number;

  constructor(bytes: Uint8Array, start: number, at: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.recordEnd = at;
    this.answers = readUint16(bytes, start + DNS_ANSWERS);
    this.beforeAdditionals = this.answers + readUint16(bytes, start + DNS_AUTHORITIES);
    this.count = this.beforeAdditionals + readUint16(bytes, start + DNS_ADDITIONALS);
  }

  get isLast(): boolean {
    return this.index + 1 === this.count;
  }

  /** Moves to the next record. */
  next(): Defect | undefined {
    const fields = endOfName(this.#bytes, this.#start, this.recordEnd, this.#end);
    if (typeof fields === 'string') return fields;
    if (fields + 10 > this.#end) return 'truncated';
    const recordEnd = fields + 10 + readUint16(this.#bytes, fields + 8);
    if (recordEnd > this.#end) return 'truncated';
    this.index++;
    this.recordStart = this.recordEnd;
    this.fields = fields;
    this.recordEnd = recordEnd;
    this.type = readUint16(this.#bytes, fields);
    return undefined;
  }

  /** RFC 6891, 6.1.1: one at most, of the root, among the additional records. */
  edns(): Edns | undefined | Defect {
    let edns: Edns | undefined;
    while (!this.isLast) {
      const defect = this.next();
      if (defect !== undefined) return defect;
      if (this.type !== DNS_TYPE.OPT) continue;
      if (edns !== undefined || !this.isEdns) return 'bad-value';
      edns = ednsAt(this.#bytes, this.fields);
    }
    return edns;
  }

  get isEdns(): boolean {
    const isRoot = this.fields === this.recordStart + 1;
    return this.type === DNS_TYPE.OPT && isRoot && this.index >= this.beforeAdditionals;
  }
}

function ednsAt(bytes: Uint8Array, fields: number): Edns {
  return {
    udpLength: readUint16(bytes, fields + 2),
    version: bytes[fields + 5]!,
    isDnssecOk: (bytes[fields + 6]! & 0x80) !== 0,
  };
}

/** A name server's answer without what was meant for this hop alone. It can be given again, with other ids and times to live. */
export interface DnsAnswer {
  /** The message, but for EDNS; its octets are the answer's own. */
  readonly bytes: Uint8Array;
  /** Where times to live are, from the message's start. */
  readonly ttls: readonly number[];
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** The server speaks EDNS. */
  readonly hasEdns: boolean;
  /** Seconds that the answer is good for; undefined: not to be kept. */
  readonly lifetime: number | undefined;
}

/** RFC 2308, 5: longer negative answers are not believed. */
const MAX_NEGATIVE_LIFETIME = 3600;

/** Reads the answer to `question`; `bad-value` where it answers something else. */
export function parseDnsAnswer(bytes: Uint8Array, question: Uint8Array): DnsAnswer | Defect {
  if (bytes.length < DNS_HEADER_LENGTH) return 'truncated';
  const flags = dnsFlags(bytes, 0);
  if ((flags & DNS_FLAG.response) === 0 || opcodeOf(flags) !== 0) return 'bad-value';
  const rcode = flags & RCODE_MASK;
  const isTruncated = (flags & DNS_FLAG.truncated) !== 0;
  // A server that did not understand may leave the question out.
  if (readUint16(bytes, DNS_QUESTIONS) === 0 && rcode !== RCODE.noError) return bareAnswer(bytes, question, rcode);
  if (readUint16(bytes, DNS_QUESTIONS) !== 1) return 'bad-length';
  const questionEnd = DNS_HEADER_LENGTH + question.length;
  if (bytes.length < questionEnd) return 'truncated';
  if (!isSameQuestion(bytes, question)) return 'bad-value';
  const walk = new RecordWalk(bytes, 0, questionEnd, bytes.length);
  const ttls: number[] = [];
  let lifetime = Number.POSITIVE_INFINITY;
  let negative: { readonly at: number; readonly seconds: number } | undefined;
  let hasAnswer = false;
  let edns: { readonly index: number; readonly at: number; readonly rcode: number } | undefined;
  const askedType = readUint16(question, question.length - 4);
  while (!walk.isLast) {
    const defect = walk.next();
    // What a truncated message still holds is not used.
    if (defect !== undefined) return isTruncated ? bareAnswer(bytes, question, rcode) : defect;
    if (walk.type === DNS_TYPE.OPT) {
      if (edns !== undefined || !walk.isEdns) return 'bad-value';
      edns = { index: walk.index, at: walk.recordStart, rcode: bytes[walk.fields + 4]! << 4 };
      continue;
    }
    if (edns !== undefined) continue;
    const seconds = ttlAt(bytes, walk.fields + 4);
    ttls.push(walk.fields + 4);
    lifetime = Math.min(lifetime, seconds);
    if (walk.index < walk.answers) hasAnswer ||= walk.type === askedType || askedType === DNS_TYPE.ANY;
    else if (walk.index < walk.beforeAdditionals && walk.type === DNS_TYPE.SOA && walk.recordEnd >= walk.fields + 30)
      // RFC 2308, 5: the last field of SOA is the time that "there is none" may be kept, and the TTL bounds it.
      negative = { at: walk.fields + 4, seconds: Math.min(seconds, ttlAt(bytes, walk.recordEnd - 4)) };
  }
  // Behind EDNS come signatures of this hop only.
  const kept = edns === undefined ? bytes.slice(0, walk.recordEnd) : bytes.slice(0, edns.at);
  if (edns !== undefined) writeUint16(kept, DNS_ADDITIONALS, edns.index - walk.beforeAdditionals);
  const isNegative = rcode === RCODE.nameError || (rcode === RCODE.noError && !hasAnswer);
  if (isNegative && negative !== undefined) {
    const seconds = Math.min(negative.seconds, MAX_NEGATIVE_LIFETIME);
    writeUint32(kept, negative.at, seconds);
    lifetime = Math.min(lifetime, seconds);
  }
  const isLasting = (rcode === RCODE.noError || rcode === RCODE.nameError) && (!isNegative || negative !== undefined);
  return {
    bytes: kept,
    ttls,
    rcode: rcode | (edns?.rcode ?? 0),
    isTruncated,
    hasEdns: edns !== undefined,
    lifetime: isLasting && !isTruncated && Number.isFinite(lifetime) ? lifetime : undefined,
  };
}

/** Header and question alone. */
function bareAnswer(bytes: Uint8Array, question: Uint8Array, rcode: number): DnsAnswer {
  const kept = new Uint8Array(DNS_HEADER_LENGTH + question.length);
  kept.set(bytes.subarray(0, DNS_QUESTIONS));
  writeUint16(kept, DNS_QUESTIONS, 1);
  kept.set(question, DNS_HEADER_LENGTH);
  const isTruncated = (dnsFlags(bytes, 0) & DNS_FLAG.truncated) !== 0;
  return { bytes: kept, ttls: [], rcode, isTruncated, hasEdns: false, lifetime: undefined };
}

/** Seconds; RFC 2181, 8: with the highest bit it is 0. */
export function ttlAt(bytes: Uint8Array, at: number): number {
  const seconds = readUint32(bytes, at);
  return seconds > 0x7fff_ffff ? 0 : seconds;
}

function isSameQuestion(bytes: Uint8Array, question: Uint8Array): boolean {
  for (let i = 0; i < question.length; i++)
    if (lower(bytes[DNS_HEADER_LENGTH + i]!) !== lower(question[i]!)) return false;
  return true;
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** Messages of the Domain Name System as a forwarder writes them: questions to name servers, and answers, its own and those it passes on. */
import {
  CLASS_IN,
  DNS_ADDITIONALS,
  DNS_ANSWERS,
  DNS_AUTHORITIES,
  DNS_FLAG,
  DNS_FLAGS,
  DNS_HEADER_LENGTH,
  DNS_MAX_LENGTH,
  DNS_QUESTIONS,
  DNS_TYPE,
  type DnsAnswer,
  type DnsQuery,
  dnsFlags,
  type Edns,
  OPCODE_MASK,
  RCODE_MASK,
  ttlAt,
} from './dns-message.ts';
import { readUint16, writeUint16, writeUint32 } from './octets.ts';

/** What a forwarder asks a name server: the client's question under another id. */
export function emitDnsQuery(
  { id, flags, question, edns }: Pick<DnsQuery, 'flags' | 'question' | 'edns'> & { readonly id: number },
  out: Uint8Array,
  at: number,
): number {
  writeHeader(out, at, id, flags, 1);
  out.set(question, at + DNS_HEADER_LENGTH);
  const end = at + DNS_HEADER_LENGTH + question.length;
  return edns === undefined ? end : emitEdns(out, at, end, edns, 0);
}

/** Seconds that have passed since an answer was heard, and the least time to live that it is given. */
export interface Age {
  readonly elapsed: number;
  readonly least: number;
}

/** Writes an answer again for `query`, older, or with `TC` where it is longer than `limit`. */
export function emitDnsAnswer(
  answer: DnsAnswer,
  { elapsed, least }: Age,
  query: DnsQuery,
  limit: number,
  out: Uint8Array,
  at: number,
): number {
  out.set(answer.bytes, at);
  const kept = dnsFlags(answer.bytes, 0) & (DNS_FLAG.authenticData | DNS_FLAG.truncated | RCODE_MASK);
  const flags = responseFlags(query, kept);
  writeUint16(out, at, query.id);
  writeUint16(out, at + DNS_FLAGS, flags);
  out.set(query.question, at + DNS_HEADER_LENGTH);
  for (const ttl of answer.ttls)
    writeUint32(out, at + ttl, Math.max(least, Math.min(ttlAt(answer.bytes, ttl), MAX_TTL) - elapsed));
  return finish(query, at + answer.bytes.length, flags, answer.rcode, limit, out, at);
}

/** RFC 8767, 4: no time to live needs to be longer than a week. */
const MAX_TTL = 604_800;

export interface DnsSections {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly EncodedRecord[];
  readonly authorities: readonly EncodedRecord[];
}

/** A record as it is written: its owner's name in octets, undefined where that is the name that was asked. */
export interface EncodedRecord {
  readonly owner: Uint8Array | undefined;
  readonly type: number;
  readonly ttl: number;
  readonly data: Uint8Array;
}

/** Writes an answer of our own. */
export function emitDnsSections(
  { rcode, isAuthoritative, answers, authorities }: DnsSections,
  query: DnsQuery,
  limit: number,
  out: Uint8Array,
  at: number,
): number {
  const flags = responseFlags(query, (isAuthoritative ? DNS_FLAG.authoritative : 0) | (rcode & RCODE_MASK));
  writeHeader(out, at, query.id, flags, 1);
  out.set(query.question, at + DNS_HEADER_LENGTH);
  let end = at + DNS_HEADER_LENGTH + query.question.length;
  let isWhole = true;
  for (const record of [...answers, ...authorities]) {
    const room = (record.owner?.length ?? 2) + 10 + record.data.length + EDNS_LENGTH;
    isWhole &&= end - at + room <= DNS_MAX_LENGTH;
    if (isWhole) end = emitRecord(record, out, end);
  }
  writeUint16(out, at + DNS_ANSWERS, answers.length);
  writeUint16(out, at + DNS_AUTHORITIES, authorities.length);
  return finish(query, end, flags, rcode, isWhole ? limit : 0, out, at);
}

/** A compressed name: the question's. */
const POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_LENGTH;

function emitRecord({ owner, type, ttl, data }: EncodedRecord, out: Uint8Array, at: number): number {
  if (owner === undefined) writeUint16(out, at, POINTER_TO_QUESTION);
  else out.set(owner, at);
  const fields = at + (owner?.length ?? 2);
  writeUint16(out, fields, type);
  writeUint16(out, fields + 2, CLASS_IN);
  writeUint32(out, fields + 4, ttl);
  writeUint16(out, fields + 8, data.length);
  out.set(data, fields + 10);
  return fields + 10 + data.length;
}

/** Adds EDNS where the client speaks it; what is too long becomes header and question with `TC` (RFC 2181, 9). */
function finish(
  query: DnsQuery,
  end: number,
  flags: number,
  rcode: number,
  limit: number,
  out: Uint8Array,
  at: number,
): number {
  let last = end;
  if (end - at + (query.edns === undefined ? 0 : EDNS_LENGTH) > limit) {
    writeHeader(out, at, query.id, flags | DNS_FLAG.truncated, 1);
    last = at + DNS_HEADER_LENGTH + query.question.length;
  }
  if (query.edns === undefined) return last;
  const { isDnssecOk } = query.edns;
  return emitEdns(out, at, last, { udpLength: OUR_UDP_LENGTH, version: 0, isDnssecOk }, rcode);
}

/** Octets that passes every path without fragments: IPv6's least MTU without headers. */
export const OUR_UDP_LENGTH = 1232;
const EDNS_LENGTH = 11;

function emitEdns(out: Uint8Array, start: number, at: number, edns: Edns, rcode: number): number {
  out[at] = 0;
  writeUint16(out, at + 1, DNS_TYPE.OPT);
  writeUint16(out, at + 3, edns.udpLength);
  out[at + 5] = rcode >>> 4;
  out[at + 6] = edns.version;
  writeUint16(out, at + 7, edns.isDnssecOk ? 0x8000 : 0);
  writeUint16(out, at + 9, 0);
  writeUint16(out, start + DNS_ADDITIONALS, readUint16(out, start + DNS_ADDITIONALS) + 1);
  return at + EDNS_LENGTH;
}

/** An answer that is a header only, to what cannot be read; `bytes` holds a header. */
export function emitDnsFailure(bytes: Uint8Array, start: number, rcode: number, out: Uint8Array, at: number): number {
  const kept = dnsFlags(bytes, start) & (OPCODE_MASK | DNS_FLAG.recursionDesired | DNS_FLAG.checkingDisabled);
  writeHeader(out, at, readUint16(bytes, start), DNS_FLAG.response | kept | rcode, 0);
  return at + DNS_HEADER_LENGTH;
}

function responseFlags({ flags }: DnsQuery, others: number): number {
  const echoed = flags & (DNS_FLAG.recursionDesired | DNS_FLAG.checkingDisabled);
  return DNS_FLAG.response | DNS_FLAG.recursionAvailable | echoed | others;
}

function writeHeader(out: Uint8Array, at: number, id: number, flags: number, questions: number): void {
  writeUint16(out, at, id);
  writeUint16(out, at + DNS_FLAGS, flags);
  writeUint16(out, at + DNS_QUESTIONS, questions);
  writeUint16(out, at + DNS_ANSWERS, 0);
  writeUint16(out, at + DNS_AUTHORITIES, 0);
  writeUint16(out, at + DNS_ADDITIONALS, 0);
}

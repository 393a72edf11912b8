/**
 * What is in the records of the Domain Name System: data as people write it into octets, and the records of a message into data without
 * compression. Only this file knows the package that does it, and here its exceptions end.
 */
import * as packets from '@leichtgewicht/dns-packet';
import { joined } from '../base/joined.ts';
import type { Defect } from './defect.ts';
import { CLASS_IN, DNS_ANSWERS, DNS_HEADER_LENGTH, DNS_MAX_LENGTH, DNS_TYPE } from './dns-message.ts';
import { emitName, endOfName, isDomainName, NAME_ROOM, plainName } from './dns-name.ts';
import type { EncodedRecord } from './dns-response.ts';
import { parseIpv4 } from './ipv4-address.ts';
import { parseIpv6 } from './ipv6-text.ts';
import { readUint16, readUint32 } from './octets.ts';

/** Data of a record, as people write it. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly type: 'TXT'; readonly texts: readonly string[] }
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'SOA';
      readonly server: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      /** Seconds for which "there is none" may be kept. */
      readonly minimum: number;
    };

/** RFC 1035, 3.3: a character string is shorter than this. */
const TEXT_LIMIT = 256;

/** The octets of a record's data; `bad-value` where they cannot be written: names, addresses or texts that are none. */
export function encodeRecordData(data: RecordData): Uint8Array | Defect {
  if (namesOf(data).some((name) => !isDomainName(name))) return 'bad-value';
  if (data.type === 'TXT' && data.texts.some((text) => new TextEncoder().encode(text).length >= TEXT_LIMIT))
    return 'bad-length';
  // The package reads more than addresses as such.
  if (data.type === 'A' && parseIpv4(data.address) === undefined) return 'bad-value';
  if (data.type === 'AAAA' && parseIpv6(data.address) === undefined) return 'bad-value';
  try {
    return dataOctets(data).slice(2);
  } catch {
    return 'bad-value';
  }
}

function namesOf(data: RecordData): readonly string[] {
  switch (data.type) {
    case 'CNAME':
    case 'PTR':
    case 'NS':
    case 'SRV':
      return [data.target];
    case 'MX':
      return [data.exchange];
    case 'SOA':
      return [data.server, data.mailbox];
    default:
      return [];
  }
}

/** The data behind its length. */
function dataOctets(data: RecordData): Uint8Array {
  switch (data.type) {
    case 'A':
      return packets.a.encode(data.address);
    case 'AAAA':
      return packets.aaaa.encode(data.address);
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return packets.ns.encode(data.target);
    case 'TXT':
      return packets.txt.encode(data.texts.map((text) => new TextEncoder().encode(text)));
    case 'MX':
      return packets.mx.encode(data);
    case 'SRV':
      return packets.srv.encode(data);
    case 'SOA':
      return packets.soa.encode({ mname: data.server, rname: data.mailbox, ...data });
  }
}

/** A name in octets; undefined where the text is none. */
export function encodeName(name: string): Uint8Array | undefined {
  if (!isDomainName(name)) return undefined;
  const octets = new Uint8Array(NAME_ROOM);
  return octets.slice(0, emitName(name, octets, 0));
}

/** The answers of a message with one question, `elapsed` seconds older, without compression: they can stand in another message. */
export function decodeAnswers(bytes: Uint8Array, elapsed: number): readonly EncodedRecord[] | Defect {
  if (bytes.length < DNS_HEADER_LENGTH || bytes.length > DNS_MAX_LENGTH) return 'bad-length';
  const records: EncodedRecord[] = [];
  const questionNameEnd = endOfName(bytes, 0, DNS_HEADER_LENGTH, bytes.length);
  if (typeof questionNameEnd === 'string') return questionNameEnd;
  let at = questionNameEnd + 4;
  try {
    for (let left = readUint16(bytes, DNS_ANSWERS); left > 0; left--) {
      const fields = endOfName(bytes, 0, at, bytes.length);
      if (typeof fields === 'string') return fields;
      if (fields + 10 > bytes.length) return 'truncated';
      const type = readUint16(bytes, fields);
      const end = fields + 10 + readUint16(bytes, fields + 8);
      if (end > bytes.length) return 'truncated';
      if (readUint16(bytes, fields + 2) !== CLASS_IN) return 'bad-value';
      const data = plainData(bytes.subarray(0, end), type, fields + 8);
      if (typeof data === 'string') return data;
      const ttl = Math.max(0, readUint32(bytes, fields + 4) - elapsed);
      records.push({ owner: plainName(bytes, at), type, ttl, data });
      at = end;
    }
  } catch {
    return 'bad-value';
  }
  return records;
}

/** Octets in front of the name that ends the data. RFC 3597, 4: in no other types but SOA are names compressed. */
const BEFORE_NAME: Readonly<Record<number, number>> = {
  [DNS_TYPE.NS]: 0,
  [DNS_TYPE.CNAME]: 0,
  [DNS_TYPE.PTR]: 0,
  [DNS_TYPE.MX]: 2,
  [DNS_TYPE.SRV]: 6,
};

/** Data whose length is at `at` and that ends with `bytes`. */
function plainData(bytes: Uint8Array, type: number, at: number): Uint8Array | Defect {
  const start = at + 2;
  if (type === DNS_TYPE.SOA) return packets.soa.encode(packets.soa.decode(bytes, at)).slice(2);
  const before = BEFORE_NAME[type];
  if (before === undefined) return bytes.slice(start);
  const end = endOfName(bytes, 0, start + before, bytes.length);
  return typeof end === 'string'
    ? end
    : joined([bytes.subarray(start, start + before), plainName(bytes, start + before)]);
}

/**
 * Multicast listener discovery, versions 1 and 2 (RFC 2710, RFC 3810), as a listener speaks it. Its messages are ICMPv6 behind a
 * router alert (RFC 2711).
 *
 *     octet      0    1    2          4                    6                  8          24          26      28
 *                +----+----+----------+--------------------+------------------+----------+-----------+-------+--------
 *     query      | 130| 0  | checksum | max response       | 0                | group    | S QRV QQIC| count | sources
 *     report v1  | 131| 0  | checksum | 0                  | 0                | group    |
 *     report v2  | 143| 0  | checksum | 0                  | count            | records …
 *                +----+----+----------+--------------------+------------------+----------+
 *     record     | type, auxiliary length 0, number of sources | group | sources
 */
import type { Defect } from './defect.ts';
import { emitIcmpv6 } from './icmpv6.ts';
import type { Ipv6View } from './ipv6.ts';
import { NEXT_HEADER_ICMPV6 } from './ipv6.ts';
import type { Ipv6 } from './ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH, isLinkLocalIpv6, isMulticastIpv6, isUnspecifiedIpv6 } from './ipv6-address.ts';
import { readUint16, writeUint16, writeUint32 } from './octets.ts';

export const MLD_QUERY = 130;
const REPORT_V1 = 131;
const DONE_V1 = 132;
const REPORT_V2 = 143;

const MAX_RESPONSE = 4;
const RECORDS = 6;
const GROUP = 8;
const V1_LENGTH = GROUP + IPV6_ADDRESS_LENGTH;
const V2_QUERY_LENGTH = 28;
const RECORD_LENGTH = 4 + IPV6_ADDRESS_LENGTH;
const V2_HEADER_LENGTH = 8;

/** RFC 2710, 3 and RFC 3810, 5: no router passes it on. */
export const MLD_HOP_LIMIT = 1;
/** ff02::16, where reports of version 2 go (RFC 3810, 5.2.14). */
export const MLD_ROUTERS: Ipv6 = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16);

/** Whether an ICMPv6 message of this type is between listeners and queriers. */
export function isMldType(type: number): boolean {
  return type === MLD_QUERY || type === REPORT_V1 || type === DONE_V1 || type === REPORT_V2;
}

export interface MldQuery {
  readonly version: 1 | 2;
  /** Milliseconds within which listeners answer. */
  readonly maxResponse: number;
  /** Undefined: all groups are asked for. On loan with the packet. */
  readonly group: Ipv6 | undefined;
}

/** Reads the payload of `ip`, a query whose checksum is right (RFC 3810, 5.1.14, 6.2 and 8.1). */
export function parseMldQuery(bytes: Uint8Array, ip: Ipv6View): MldQuery | Defect {
  const { payloadStart: start, payloadEnd: end } = ip;
  const length = end - start;
  if (length < V1_LENGTH || (length > V1_LENGTH && length < V2_QUERY_LENGTH)) return 'truncated';
  if (ip.hopLimit !== MLD_HOP_LIMIT || !isLinkLocalIpv6(ip.source)) return 'bad-value';
  const group = bytes.subarray(start + GROUP, start + V1_LENGTH);
  const isGeneral = isUnspecifiedIpv6(group);
  if (!isGeneral && !isMulticastIpv6(group)) return 'bad-value';
  const code = readUint16(bytes, start + MAX_RESPONSE);
  const version = length === V1_LENGTH ? 1 : 2;
  return { version, maxResponse: version === 1 ? code : millisOf(code), group: isGeneral ? undefined : group };
}

/** RFC 3810, 5.1.3: from 32768 up, an exponent of three bits and twelve bits of mantissa. */
function millisOf(code: number): number {
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);
}

/** What a record of version 2 says of a group, whose sources are all wanted, or none. */
export type MldRecordType = 'is-joined' | 'joins' | 'leaves';

/** RFC 3810, 5.2.5 and 5.2.12: MODE_IS_EXCLUDE, CHANGE_TO_EXCLUDE_MODE and CHANGE_TO_INCLUDE_MODE, without sources. */
const RECORD_TYPES: Record<MldRecordType, number> = { 'is-joined': 2, joins: 4, leaves: 3 };

/** The hop-by-hop options before a message: router alert, value 0 for this protocol, and padding. */
const ROUTER_ALERT = Uint8Array.of(NEXT_HEADER_ICMPV6, 0, 5, 2, 0, 0, 1, 0);
/** Where the message starts in what `emit…` returns; before it lie the hop-by-hop options. */
export const MLD_MESSAGE_START = ROUTER_ALERT.length;

/** Hop-by-hop options and a report of version 2, whose checksum is 0 until `sealIcmpv6`. */
export function emitMldReport(type: MldRecordType, groups: readonly Ipv6[]): Uint8Array {
  const out = new Uint8Array(MLD_MESSAGE_START + V2_HEADER_LENGTH + groups.length * RECORD_LENGTH);
  out.set(ROUTER_ALERT);
  writeUint32(out, emitIcmpv6(REPORT_V2, out, MLD_MESSAGE_START), 0);
  writeUint16(out, MLD_MESSAGE_START + RECORDS, groups.length);
  let at = MLD_MESSAGE_START + V2_HEADER_LENGTH;
  for (const group of groups) {
    writeUint32(out, at, RECORD_TYPES[type] * 0x100_0000);
    out.set(group, at + 4);
    at += RECORD_LENGTH;
  }
  return out;
}

/** The same of version 1: one group is reported, or left. */
export function emitMldV1(type: 'report' | 'done', group: Ipv6): Uint8Array {
  const out = new Uint8Array(MLD_MESSAGE_START + V1_LENGTH);
  out.set(ROUTER_ALERT);
  writeUint32(out, emitIcmpv6(type === 'report' ? REPORT_V1 : DONE_V1, out, MLD_MESSAGE_START), 0);
  out.set(group, MLD_MESSAGE_START + GROUP);
  return out;
}

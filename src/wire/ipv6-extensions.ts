/**
 * Extension headers of IPv6, RFC 8200, 4.
 *
 *     octet    0        1         2        3          4                 8
 *              +--------+---------+--------+----------+-----------------+---------
 *     options  | next   | length  | options: type, length, value …
 *     routing  | next   | length  | type   | segments | …
 *              |        |         |        | left     |
 *     fragment | next   | 0       | offset 13 bit 0 0 M | identification
 *              +--------+---------+---------------------+-----------------+
 *
 * Length counts units of eight octets behind the first.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export const NEXT_HEADER_HOP_BY_HOP = 0;
export const NEXT_HEADER_ROUTING = 43;
export const NEXT_HEADER_FRAGMENT = 44;
export const NEXT_HEADER_NONE = 59;
export const NEXT_HEADER_DESTINATION = 60;

const LENGTH = 1;
export const EXTENSION_UNIT = 8;

/** Octets of the extension header at `at`, of which the first two are there. */
export function extensionLength(bytes: Uint8Array, at: number): number {
  return (1 + bytes[at + LENGTH]!) * EXTENSION_UNIT;
}

/** Why extension headers keep a packet from being taken, and what its sender is told about it. */
export interface HeaderProblem {
  readonly kind: 'truncated' | 'too-many-headers' | 'unknown-option' | 'routing';
  /** Undefined: nothing is told. */
  readonly report?: ParameterProblem;
}

/** The fields of ICMPv6's parameter problem (RFC 4443, 3.4). */
export interface ParameterProblem {
  readonly code: number;
  /** Octets from the start of the packet to what is wrong. */
  readonly pointer: number;
  /** Told even to who sent the packet to a group. */
  readonly isForGroups?: boolean;
}

/** Codes of a parameter problem. */
export const ERRONEOUS_FIELD = 0;
export const UNKNOWN_NEXT_HEADER = 1;
export const UNKNOWN_OPTION = 2;
/** RFC 7112, 5: the headers do not end in the first fragment. */
export const INCOMPLETE_HEADERS = 3;

const OPTION_PAD1 = 0;
/** RFC 8200, 4.2: what who does not know an option does, from its two highest bits. */
const OPTION_ACTION = 0xc0;
const SKIP = 0x00;
const DISCARD = 0x40;
const DISCARD_AND_REPORT = 0x80;

/** What is wrong with the options of the header [start, end), whose packet starts at `packetStart`. All but padding are unknown here. */
export function optionProblem(
  bytes: Uint8Array,
  start: number,
  end: number,
  packetStart: number,
): HeaderProblem | undefined {
  for (let at = start + 2; at < end; ) {
    const type = bytes[at]!;
    const action = type & OPTION_ACTION;
    if (action === DISCARD) return { kind: 'unknown-option' };
    if (action !== SKIP) {
      const isForGroups = action === DISCARD_AND_REPORT;
      return { kind: 'unknown-option', report: { code: UNKNOWN_OPTION, pointer: at - packetStart, isForGroups } };
    }
    if (type !== OPTION_PAD1 && at + 1 === end) return { kind: 'truncated' };
    at += type === OPTION_PAD1 ? 1 : 2 + bytes[at + 1]!;
    if (at > end) return { kind: 'truncated' };
  }
  return undefined;
}

const ROUTING_TYPE = 2;
const SEGMENTS_LEFT = 3;

/** No type of routing header is followed (RFC 5095, 3 forbids type 0): one that is not at its end refuses the packet (RFC 8200, 4.4). */
export function routingProblem(bytes: Uint8Array, start: number, packetStart: number): HeaderProblem | undefined {
  if (bytes[start + SEGMENTS_LEFT] === 0) return undefined;
  return { kind: 'routing', report: { code: ERRONEOUS_FIELD, pointer: start + ROUTING_TYPE - packetStart } };
}

export const FRAGMENT_OFFSET = 2;
const IDENTIFICATION = 4;
export const FRAGMENT_HEADER_LENGTH = 8;

const OFFSET_MASK = 0xfff8;
const MORE_FRAGMENTS = 1;

/** The fields of a fragment header. */
export interface FragmentHeader {
  readonly nextHeader: number;
  /** Octets, a multiple of eight. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  readonly identification: number;
}

export function fragmentOffsetAt(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at + FRAGMENT_OFFSET) & OFFSET_MASK;
}

export function moreFragmentsAt(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + FRAGMENT_OFFSET + 1]! & MORE_FRAGMENTS) !== 0;
}

export function identificationAt(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + IDENTIFICATION);
}

/** Writes a fragment header; returns where the fragment starts. */
export function emitFragmentHeader(header: FragmentHeader, out: Uint8Array, at: number): number {
  writeUint16(out, at, header.nextHeader << 8);
  writeUint16(out, at + FRAGMENT_OFFSET, header.fragmentOffset | (header.moreFragments ? MORE_FRAGMENTS : 0));
  writeUint32(out, at + IDENTIFICATION, header.identification);
  return at + FRAGMENT_HEADER_LENGTH;
}

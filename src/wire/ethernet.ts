/**
 * Ethernet II frames, IEEE 802.3, without preamble and frame check sequence, and the 802.1Q tag.
 *
 *     octet  0             6             12          14
 *            +-------------+-------------+-----------+---------
 *            | destination | source      | EtherType | payload
 *            +-------------+-------------+-----------+---------
 *     tagged 0             6             12     14    16          18
 *            +-------------+-------------+------+-----+-----------+---------
 *            | destination | source      | 8100 | TCI | EtherType | payload
 *            +-------------+-------------+------+-----+-----------+---------
 */
import type { Mac } from './mac.ts';
import { writeMac } from './mac.ts';
import { writeUint16 } from './octets.ts';

export const ETHERNET_DESTINATION = 0;
export const ETHERNET_SOURCE = 6;
export const ETHERNET_TYPE = 12;
export const ETHERNET_HEADER_LENGTH = 14;
/** A station pads what it sends to this many octets (64 with the frame check sequence). */
export const ETHERNET_MIN_LENGTH = 60;

export const VLAN_TAG_LENGTH = 4;
/** Where the tag control information lies in a tagged frame. */
export const VLAN_TCI = 14;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Writes an untagged header; returns where the payload starts. */
export function emitEthernet(out: Uint8Array, at: number, destination: Mac, source: Mac, etherType: number): number {
  writeMac(out, at + ETHERNET_DESTINATION, destination);
  writeMac(out, at + ETHERNET_SOURCE, source);
  writeUint16(out, at + ETHERNET_TYPE, etherType);
  return at + ETHERNET_HEADER_LENGTH;
}

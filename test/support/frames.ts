import { ETHERTYPE_VLAN, emitEthernet } from '../../src/wire/ethernet.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { writeUint16 } from '../../src/wire/octets.ts';

/** Addresses of four stations. */
export const A: Mac = 0x525400000001;
export const B: Mac = 0x525400000002;
export const C: Mac = 0x525400000003;
export const D: Mac = 0x525400000004;

/** A frame of an experimental EtherType (IEEE 802) with `length` octets in all, filled with `fill`. */
export function frame(to: Mac, from: Mac, length = 60, fill = 0): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill);
  emitEthernet(bytes, 0, to, from, 0x88b5);
  return bytes;
}

/** The same with an 802.1Q tag. */
export function taggedFrame(to: Mac, from: Mac, vlan: number, length = 64): Uint8Array {
  const bytes = new Uint8Array(length);
  const tag = emitEthernet(bytes, 0, to, from, ETHERTYPE_VLAN);
  writeUint16(bytes, tag, vlan);
  writeUint16(bytes, tag + 2, 0x88b5);
  return bytes;
}

/** Octets from text like `52 54 00 …`; everything behind `#` is a comment. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/#.*/g, '').replace(/\s+/g, '');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

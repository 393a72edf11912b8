/**
 * MAC addresses, IEEE 802. Inside, an address is one number below 2^48: a map key that allocates nothing.
 * As text it is six hexadecimal octets, `52:54:00:12:34:56`.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

export type Mac = number;

export const BROADCAST_MAC: Mac = 0xffff_ffff_ffff;

const HIGH = 0x1_0000_0000;

export function readMac(bytes: Uint8Array, at: number): Mac {
  return readUint16(bytes, at) * HIGH + readUint32(bytes, at + 2);
}

export function writeMac(bytes: Uint8Array, at: number, mac: Mac): void {
  writeUint16(bytes, at, Math.floor(mac / HIGH));
  writeUint32(bytes, at + 2, mac % HIGH);
}

/** The group bit: multicast or broadcast. */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
}

export function formatMac(mac: Mac): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?!$)/g, '$&:');
}

/** Reads `52:54:00:12:34:56` (or with `-`); undefined where the text is something else. */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)) return undefined;
  return Number.parseInt(text.replace(/[:-]/g, ''), 16);
}

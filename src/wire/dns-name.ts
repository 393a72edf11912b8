/**
 * Domain names, RFC 1035, 3.1 and 4.1.4: labels behind their lengths, ended by an empty one; a length of 192 and more points to an
 * earlier place of the message, where the name goes on.
 *
 * As text a name is in lower case (RFC 4343) and has no dot at its end; the root is the empty text. Octets that are no visible ASCII,
 * and dots within a label, are written `\DDD`, so that different names have different texts.
 */
import type { Defect } from './defect.ts';
import { readUint16 } from './octets.ts';

/** Octets of a name, lengths and end included. */
const MAX_NAME_LENGTH = 255;
const MAX_LABEL_LENGTH = 63;
const POINTER = 0xc0;
/** As many labels as fit into a name: who follows more pointers works for whoever sent them. */
const MAX_POINTERS = 127;

/** The end of the name at `at`, which must not be compressed: a question's. */
export function endOfPlainName(bytes: Uint8Array, at: number, end: number): number | Defect {
  const limit = Math.min(end, at + MAX_NAME_LENGTH);
  for (let next = at; next < limit; ) {
    const length = bytes[next]!;
    if (length === 0) return next + 1;
    if (length > MAX_LABEL_LENGTH) return 'bad-value';
    next += length + 1;
  }
  return limit === end ? 'truncated' : 'bad-length';
}

/**
 * The end of the name at `at` of a message that begins at `start`. Pointers are followed, and each must lead to before the place where
 * the last one led, as 4.1.4 says: so there is no loop.
 */
export function endOfName(bytes: Uint8Array, start: number, at: number, end: number): number | Defect {
  let after = -1;
  let octets = 0;
  let pointers = 0;
  let earliest = at;
  for (let next = at; next < end; ) {
    const length = bytes[next]!;
    if (length >= POINTER) {
      if (next + 2 > end) return 'truncated';
      const target = start + (readUint16(bytes, next) & 0x3fff);
      if (target >= earliest || ++pointers > MAX_POINTERS) return 'bad-value';
      if (after === -1) after = next + 2;
      earliest = target;
      next = target;
      continue;
    }
    if (length > MAX_LABEL_LENGTH) return 'bad-value';
    octets += length + 1;
    if (octets > MAX_NAME_LENGTH) return 'bad-length';
    next += length + 1;
    if (length === 0) return after === -1 ? next : after;
  }
  return 'truncated';
}

/** The octets of a name that was found whole, without compression; the message begins at 0. */
export function plainName(bytes: Uint8Array, at: number): Uint8Array {
  const octets: number[] = [];
  for (let next = at; bytes[next] !== 0; ) {
    const length = bytes[next]!;
    if (length >= POINTER) {
      next = readUint16(bytes, next) & 0x3fff;
    } else {
      octets.push(...bytes.subarray(next, next + length + 1));
      next += length + 1;
    }
  }
  return Uint8Array.from([...octets, 0]);
}

/** The text of a name that is not compressed and was found whole. */
export function nameText(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let next = at; bytes[next] !== 0; ) {
    const labelEnd = next + 1 + bytes[next]!;
    if (next > at) text += '.';
    for (next++; next < labelEnd; next++) text += octetText(bytes[next]!);
  }
  return text;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function octetText(octet: number): string {
  if (octet >= 0x41 && octet <= 0x5a) return String.fromCharCode(octet | 0x20);
  if (octet > 0x20 && octet < 0x7f && octet !== DOT && octet !== BACKSLASH) return String.fromCharCode(octet);
  return `\\${octet.toString().padStart(3, '0')}`;
}

/** Whether the text can be written as a name: labels of 1 to 63 octets, 255 in all; the root too. */
export function isDomainName(text: string): boolean {
  const labels = labelsOf(text);
  return (
    labels.every(({ length }) => length > 0 && length <= MAX_LABEL_LENGTH) &&
    labels.reduce((sum, { length }) => sum + length + 1, 1) <= MAX_NAME_LENGTH
  );
}

/** Writes a name that `isDomainName` and returns its end; not compressed. */
export function emitName(text: string, out: Uint8Array, at: number): number {
  let next = at;
  for (const label of labelsOf(text)) {
    out[next] = label.length;
    out.set(label, next + 1);
    next += label.length + 1;
  }
  out[next] = 0;
  return next + 1;
}

/** As many octets as `emitName` writes at most. */
export const NAME_ROOM = MAX_NAME_LENGTH;

/** Names one behind the other, not compressed. */
export function plainNames(names: readonly string[]): Uint8Array {
  const octets = new Uint8Array(names.length * NAME_ROOM);
  let end = 0;
  for (const name of names) end = emitName(name, octets, end);
  return octets.subarray(0, end);
}

function labelsOf(text: string): Uint8Array[] {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name === '') return [];
  return name.split('.').map((label) => {
    const octets: number[] = [];
    for (const [, decimal, other] of label.matchAll(/\\(\d{3})|([\s\S])/gu)) {
      if (decimal !== undefined) octets.push(Number(decimal));
      else octets.push(...new TextEncoder().encode(other));
    }
    return Uint8Array.from(octets);
  });
}

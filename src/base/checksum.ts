/**
 * The Internet checksum, RFC 1071: the one's complement of the one's complement sum of 16-bit words.
 *
 * A sum is additive over pieces of even length: `finish(sum(a) + sum(b))`. Partial sums are doubles; 2^21 words of 32 bits, 8 MiB, fit
 * before precision is lost.
 */

/** Below this many octets a plain loop is faster than looking up a view. */
const SHORT = 128;
/** Octets that are added in one round. */
const GROUP = 32;

/** The view that was used last: sums come in rows over one buffer. */
let view: DataView = new DataView(new ArrayBuffer(0));

/** Adds the big-endian 16-bit words of bytes [start, end) to `initial`; an odd last octet counts as the high half. */
export function sumWords(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  let at = start;
  if (end - at >= SHORT) {
    if (view.buffer !== bytes.buffer) view = new DataView(bytes.buffer);
    at = end - ((end - start) % GROUP);
    sum += swapped(sumGroups(view, bytes.byteOffset + start, bytes.byteOffset + at));
  }
  let high = 0;
  let low = 0;
  for (; at + 2 <= end; at += 2) {
    high += bytes[at]!;
    low += bytes[at + 1]!;
  }
  if (at < end) high += bytes[at]!;
  return sum + high * 0x100 + low;
}

/**
 * Adds the little-endian 32-bit words of whole groups in [start, end): 2^16 is 1 in this arithmetic, so a word counts as its two halves.
 *
 * Four sums of doubles, because additions that do not wait for each other run at once, and the machine's order of octets, because it
 * needs no swap of each word: half the time of 16-bit halves in network order.
 */
function sumGroups(from: DataView, start: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let at = start; at < end; at += GROUP) {
    a += from.getUint32(at, true) + from.getUint32(at + 16, true);
    b += from.getUint32(at + 4, true) + from.getUint32(at + 20, true);
    c += from.getUint32(at + 8, true) + from.getUint32(at + 24, true);
    d += from.getUint32(at + 12, true) + from.getUint32(at + 28, true);
  }
  return a + b + c + d;
}

/** RFC 1071, 2 (B): the sum of words with swapped octets is the sum with its octets swapped. */
function swapped(sum: number): number {
  const low = sum >>> 0;
  const high = (sum - low) / 0x1_0000_0000;
  let folded = (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** Folds a sum to 16 bits and complements it: the value of a checksum field, or 0 where the sum covered a correct one. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0x7fff_ffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  folded = (folded & 0xffff) + (folded >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

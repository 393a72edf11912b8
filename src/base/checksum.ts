/**
 * The Internet checksum, RFC 1071: the one's complement of the one's complement sum of 16-bit words.
 *
 * A sum is additive over pieces of even length: `finish(sum(a) + sum(b))`. Partial sums are doubles; each 16-bit word adds
 * less than 2^16, so 2^37 words fit before precision is lost.
 */

/** Below this many octets a plain loop is faster than looking up a view. */
const SHORT = 64;
/** The halves of so many words add up to less than 2^31. */
const STRETCH = 64 * 1024;

/** The view that was used last: sums come in rows over one buffer. */
let view: DataView = new DataView(new ArrayBuffer(0));

/**
 * Adds the big-endian 16-bit words of bytes [start, end) to `initial`; an odd last octet counts as the high half.
 *
 * Four octets are read at a time, at any alignment, and their halves are summed apart, so that both sums stay small integers.
 */
export function sumWords(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  let at = start;
  if (end - at >= SHORT) {
    if (view.buffer !== bytes.buffer) view = new DataView(bytes.buffer);
    const offset = bytes.byteOffset;
    for (; end - at >= 16; at += STRETCH) sum += sumStretch(view, offset + at, offset + Math.min(at + STRETCH, end));
    at = end - ((end - start) % 16);
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

/** Whole groups of 16 octets in [start, end). */
function sumStretch(from: DataView, start: number, end: number): number {
  let high = 0;
  let low = 0;
  for (let at = start; at + 16 <= end; at += 16) {
    const a = from.getInt32(at);
    const b = from.getInt32(at + 4);
    const c = from.getInt32(at + 8);
    const d = from.getInt32(at + 12);
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
  }
  return high + low;
}

/** Folds a sum to 16 bits and complements it: the value of a checksum field, or 0 where the sum covered a correct one. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0x7fff_ffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  folded = (folded & 0xffff) + (folded >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

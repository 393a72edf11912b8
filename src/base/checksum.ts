/**
 * The Internet checksum, RFC 1071: the one's complement of the one's complement sum of 16-bit words.
 *
 * A sum is additive over pieces of even length: `finish(sum(a) + sum(b))`. Partial sums are doubles; each 16-bit word adds
 * less than 2^16, so 2^37 words fit before precision is lost.
 */

/**
 * Adds the big-endian 16-bit words of bytes [start, end) to `initial`; an odd last octet counts as the high half.
 *
 * High and low octets are summed apart, four words per step: both sums stay small integers, and the loop stays short.
 */
export function sumWords(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let high = 0;
  let low = 0;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    high += bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]!;
    low += bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]!;
  }
  for (; at + 2 <= end; at += 2) {
    high += bytes[at]!;
    low += bytes[at + 1]!;
  }
  if (at < end) high += bytes[at]!;
  return initial + high * 0x100 + low;
}

/** Folds a sum to 16 bits and complements it: the value of a checksum field, or 0 where the sum covered a correct one. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

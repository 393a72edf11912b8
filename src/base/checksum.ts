/**
 * The Internet checksum, RFC 1071: the one's complement of the one's complement sum of 16-bit words.
 *
 * A sum is additive over pieces of even length: `finish(sum(a) + sum(b))`. Partial sums are doubles; each 16-bit word adds
 * less than 2^16, so 2^37 words fit before precision is lost.
 */

/** Adds the big-endian 16-bit words of bytes [start, end) to `initial`; an odd last octet counts as the high half. */
export function sumWords(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  const even = end - ((end - start) & 1);
  for (let at = start; at < even; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  if (even < end) sum += bytes[even]! << 8;
  return sum;
}

/** Folds a sum to 16 bits and complements it: the value of a checksum field, or 0 where the sum covered a correct one. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

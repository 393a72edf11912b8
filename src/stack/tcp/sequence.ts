/** Sequence numbers, RFC 9293, 3.4: 32 bits, compared modulo 2^32. This is the only place where they are. */

/** Octets from `from` up to `to`; negative where `to` is before `from`. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function isAtOrBefore(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function advance(sequence: number, octets: number): number {
  return (sequence + octets) >>> 0;
}

export function later(a: number, b: number): number {
  return isBefore(a, b) ? b : a;
}

export function earlier(a: number, b: number): number {
  return isBefore(a, b) ? a : b;
}

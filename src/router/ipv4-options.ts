/**
 * Options of an IPv4 header, as far as they matter to a router (RFC 791, 3.1): 0 ends them, 1 is one octet of padding, any other is
 * type, length, data. Routes that a sender names are told from the rest, and a bit of the type says which options each fragment has.
 */
const END = 0;
const NO_OPERATION = 1;
/** Loose and strict source and record route. */
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;
const COPIED = 0x80;

/** Calls `each` with type, start and end of the options in [from, to), as far as they are well-formed. */
function walk(bytes: Uint8Array, from: number, to: number, each: (type: number, start: number, end: number) => void) {
  for (let at = from; at < to; ) {
    const type = bytes[at]!;
    if (type === END) return;
    const length = type === NO_OPERATION ? 1 : at + 1 < to ? bytes[at + 1]! : 0;
    if (length === 0 || (length === 1 && type !== NO_OPERATION) || at + length > to) return;
    each(type, at, at + length);
    at += length;
  }
}

/** Whether the options in [from, to) name the packet's way. */
export function isSourceRouted(bytes: Uint8Array, from: number, to: number): boolean {
  let isRouted = false;
  walk(bytes, from, to, (type) => {
    isRouted ||= type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE;
  });
  return isRouted;
}

/** The options that fragments but the first have, padded to whole words. */
export function copiedOptions(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copied: number[] = [];
  walk(bytes, from, to, (type, start, end) => {
    if ((type & COPIED) !== 0) copied.push(...bytes.subarray(start, end));
  });
  const padded = new Uint8Array(Math.ceil(copied.length / 4) * 4);
  padded.set(copied);
  return padded;
}

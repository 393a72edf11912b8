import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Octets that are looked at for the last lines. */
const LOOK_BACK = 64 * 1024;

/** The last lines of a file, of which the very last may have no end; as many as stand in its last 64 KiB. */
export function lastLines(path: string, count: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, LOOK_BACK));
    const end = bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, size - bytes.length));
    let start = end.length;
    for (let lines = 0; start > 0 && lines < count; lines++)
      start = start < 2 ? 0 : end.lastIndexOf(NEWLINE, start - 2) + 1;
    return end.subarray(start);
  } finally {
    closeSync(descriptor);
  }
}

const NEWLINE = 0x0a;

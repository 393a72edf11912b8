import { randomBytes } from 'node:crypto';

/** A link address in the range that QEMU's documentation uses, 52:54:00. */
export function freshMac(): string {
  return `52:54:00:${randomBytes(3)
    .toString('hex')
    .replace(/..(?!$)/g, '$&:')}`;
}

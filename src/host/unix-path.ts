import { StartError } from './start-error.ts';

/** The longest path that fits `sockaddr_un` (unix(7)), without its final zero. Node cuts longer ones without a word. */
const UNIX_PATH_LIMIT = 107;

export function isUnixPathTooLong(path: string): boolean {
  return Buffer.byteLength(path) > UNIX_PATH_LIMIT;
}

export function checkUnixPath(path: string): void {
  if (!isUnixPathTooLong(path)) return;
  const message = `${path} is longer than the ${UNIX_PATH_LIMIT} octets a unix socket may have; choose a shorter folder`;
  throw new StartError('path-too-long', message);
}

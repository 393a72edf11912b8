import type { ConnectFailure } from '../base/host-net.ts';

const FAILURES: Readonly<Record<string, ConnectFailure>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  EHOSTUNREACH: 'host-unreachable',
  EHOSTDOWN: 'host-unreachable',
  ENETUNREACH: 'network-unreachable',
  ENETDOWN: 'network-unreachable',
  // The host has the family nowhere, or no address of it to leave from.
  EAFNOSUPPORT: 'network-unreachable',
  EADDRNOTAVAIL: 'network-unreachable',
  ETIMEDOUT: 'timeout',
  EACCES: 'prohibited',
  EPERM: 'prohibited',
  EMFILE: 'no-descriptors',
  ENFILE: 'no-descriptors',
  ENOENT: 'no-such-file',
};

/** What the system's code says of a connection that did not open. */
export function connectFailure(code: string | undefined): ConnectFailure {
  return FAILURES[code ?? ''] ?? 'other';
}

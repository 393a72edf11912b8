import type { StreamTarget } from '../base/host-net.ts';
import { HostNetError } from '../base/host-net.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';

/** The first port that every user may listen on, unless the system's administrator says otherwise. */
const FIRST_FREE_PORT = 1024;

/** Why a program cannot listen, and what to do about it. */
export function listenError(error: NodeJS.ErrnoException, at: StreamTarget, protocol: 'tcp' | 'udp'): HostNetError {
  const where = at.kind === 'unix' ? `unix:${at.path}` : `${protocol}:${formatEndpoint(at.endpoint)}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new HostNetError('address-in-use', `${where} is taken; stop its owner or choose another`);
    case 'EADDRNOTAVAIL':
      return new HostNetError(
        'no-such-address',
        `${where} is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are`,
      );
    case 'EACCES':
    case 'EPERM':
      return new HostNetError('permission-denied', `${where}: permission denied; ${permissionRemedy(at)}`);
    case 'EMFILE':
    case 'ENFILE':
      return new HostNetError('no-descriptors', `${where}: too many files are open; raise the limit with ulimit -n`);
    default:
      return new HostNetError('cannot-listen', `${where}: ${error.message}`);
  }
}

function permissionRemedy(at: StreamTarget): string {
  if (at.kind === 'unix') return 'choose a folder that you may write to';
  const { port } = at.endpoint;
  if (port >= FIRST_FREE_PORT) return 'choose another port';
  return `choose a port above ${FIRST_FREE_PORT - 1}, or allow this one with sysctl net.ipv4.ip_unprivileged_port_start=${port}`;
}

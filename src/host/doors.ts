/**
 * Doors on real sockets: listening ones, and connecting ones that try again for as long as they are open, or wait until there is a
 * socket to connect to.
 */
import { chmodSync, statSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { SocketAddress } from '../base/socket-address.ts';
import { formatSocketAddress } from '../base/socket-address.ts';
import type { Arrival, Door, DoorMode, LeaveReason } from '../link/arrival.ts';
import { removeDeadSocket } from './dead-socket.ts';
import { awaitPath } from './path-watch.ts';
import { StartError } from './start-error.ts';
import { StreamPort } from './stream-port.ts';
import { checkUnixPath } from './unix-path.ts';

/** How long a connecting door waits before it tries again: the first time, and at most. */
const FIRST_RETRY_DELAY = 100;
const LONGEST_RETRY_DELAY = 1000;

/**
 * Opens a door; rejects with a `StartError` where the address cannot be used. `onTrouble` is told the system's code when a
 * connecting door cannot connect for a reason it did not have before; a machine that is not there yet is no trouble.
 */
export async function openDoor(
  mode: DoorMode,
  address: SocketAddress,
  onArrival: (arrival: Arrival) => void,
  onTrouble: (code: string) => void = () => undefined,
): Promise<Door> {
  if (address.kind === 'unix') checkUnixPath(address.path);
  return mode === 'listen' ? listenAt(address, onArrival) : connectTo(address, onArrival, onTrouble);
}

async function listenAt(address: SocketAddress, onArrival: (arrival: Arrival) => void): Promise<Door> {
  if (address.kind === 'unix' && statSync(dirname(address.path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StartError(
      'no-folder',
      `there is no folder ${dirname(address.path)} for ${formatSocketAddress(address)}; make it first`,
    );
  }
  const open = new Set<StreamPort>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    onArrival(arrivalOf(socket, peerOf(socket, address), open));
  });
  if (address.kind === 'unix' && !(await removeDeadSocket(address.path))) {
    throw new StartError(
      'address-in-use',
      `unix:${address.path} is in use by a running program; stop it or choose another path`,
    );
  }
  await listening(server, address);
  if (address.kind === 'unix') chmodSync(address.path, 0o600);
  return {
    mode: 'listen',
    address: boundAddress(server, address),
    close: async () => {
      // Node unlinks the path of a unix socket that it listened on.
      server.close();
      for (const port of open) port.close();
    },
  };
}

function connectTo(
  address: SocketAddress,
  onArrival: (arrival: Arrival) => void,
  onTrouble: (code: string) => void,
): Door {
  const open = new Set<StreamPort>();
  let delay = FIRST_RETRY_DELAY;
  let trouble: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopWaiting: (() => void) | undefined;
  let pending: Socket | undefined;
  let isOpen = true;
  const again = () => {
    if (!isOpen) return;
    retry = setTimeout(attempt, delay);
    delay = Math.min(2 * delay, LONGEST_RETRY_DELAY);
  };
  const appeared = () => {
    delay = FIRST_RETRY_DELAY;
    attempt();
  };
  const failed = ({ code = 'unknown' }: NodeJS.ErrnoException) => {
    if (code !== trouble && !isAbsence(code, address)) onTrouble(code);
    trouble = code;
    stopWaiting =
      isOpen && code === 'ENOENT' && address.kind === 'unix' ? awaitPath(address.path, appeared) : undefined;
    if (stopWaiting === undefined) again();
  };
  const attempt = () => {
    const socket = connect(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    );
    pending = socket;
    socket.once('error', failed);
    socket.once('connect', () => {
      pending = undefined;
      trouble = undefined;
      socket.pause().off('error', failed);
      const arrival = arrivalOf(socket, formatSocketAddress(address), open, again);
      onArrival({
        ...arrival,
        accept: (drops, onLeave) => {
          delay = FIRST_RETRY_DELAY;
          return arrival.accept(drops, onLeave);
        },
      });
    });
  };
  attempt();
  return {
    mode: 'connect',
    address,
    close: async () => {
      isOpen = false;
      clearTimeout(retry);
      stopWaiting?.();
      pending?.destroy();
      for (const port of open) port.close();
    },
  };
}

/** The machine at a unix socket is simply not running. */
function isAbsence(code: string, address: SocketAddress): boolean {
  return address.kind === 'unix' && (code === 'ENOENT' || code === 'ECONNREFUSED');
}

function arrivalOf(socket: Socket, peer: string, open: Set<StreamPort>, onGone: () => void = () => undefined): Arrival {
  return {
    peer,
    accept: (drops, onLeave) => {
      const port: StreamPort = new StreamPort(socket, drops, (why: LeaveReason) => {
        open.delete(port);
        onLeave(why);
        onGone();
      });
      open.add(port);
      return port;
    },
    refuse: () => {
      socket.on('error', () => undefined); // nobody is interested any more
      socket.on('close', onGone);
      socket.destroy();
    },
  };
}

function listening(server: Server, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => reject(startErrorOf(error, address)));
    server.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port });
  });
}

const ALLOWED = { unix: 'a folder that you may write to', tcp: 'a port above 1023' } as const;

function startErrorOf(error: NodeJS.ErrnoException, address: SocketAddress): StartError {
  const where = formatSocketAddress(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError('address-in-use', `${where} is taken; stop its owner or choose another`);
    case 'EADDRNOTAVAIL':
      return new StartError(
        'no-such-address',
        `${where} is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are`,
      );
    case 'EACCES':
      return new StartError('address-refused', `${where}: permission denied; choose ${ALLOWED[address.kind]}`);
    default:
      return new StartError('cannot-listen', `${where}: ${error.message}`);
  }
}

function boundAddress(server: Server, asked: SocketAddress): SocketAddress {
  const bound = server.address();
  return asked.kind === 'tcp' && bound !== null && typeof bound === 'object' ? { ...asked, port: bound.port } : asked;
}

function peerOf(socket: Socket, address: SocketAddress): string {
  if (address.kind === 'unix' || socket.remoteAddress === undefined) return formatSocketAddress(address);
  return formatSocketAddress({ kind: 'tcp', host: socket.remoteAddress, port: socket.remotePort ?? 0 });
}

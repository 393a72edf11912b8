/** Streams of the real network: TCP and unix sockets, both directions. */
import { chmodSync, statSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Endpoint } from '../base/endpoint.ts';
import type {
  ConnectOptions,
  HostListener,
  HostStream,
  HostStreamEvents,
  OnHostStream,
  StreamTarget,
} from '../base/host-net.ts';
import { HostNetError } from '../base/host-net.ts';
import { formatAddress } from '../wire/endpoint-text.ts';
import { addressOctets } from './address-text.ts';
import { removeDeadSocket } from './dead-socket.ts';
import { listenError } from './listen-error.ts';
import { moved, onreadInto, SocketStream } from './socket-stream.ts';
import { isUnixPathTooLong } from './unix-path.ts';

export function connectStream(to: StreamTarget, events: HostStreamEvents, { source }: ConnectOptions = {}): HostStream {
  const stream: SocketStream = new SocketStream((onBytes) => {
    const common = { allowHalfOpen: true, noDelay: true, onread: onreadInto(onBytes) };
    const socket =
      to.kind === 'unix'
        ? connect({ ...common, path: to.path })
        : connect({
            ...common,
            host: formatAddress(to.endpoint.address),
            port: to.endpoint.port,
            ...(source === undefined ? {} : { localAddress: formatAddress(source) }),
          });
    return socket.once('connect', () => stream.open());
  });
  stream.tell(events);
  return stream;
}

/** Listens; rejects with a `HostNetError` that says what to do. A unix socket is for the user alone. */
export async function listenStreams(at: StreamTarget, onStream: OnHostStream): Promise<HostListener> {
  if (at.kind === 'unix') await makeRoom(at.path);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    accept(socket, at.kind, onStream);
  });
  await listening(server, at);
  // Without descriptors libuv closes the clients that come, and tells; the next ones may succeed.
  server.on('error', () => undefined);
  if (at.kind === 'unix') chmodSync(at.path, 0o600);
  return {
    at: boundTarget(server, at),
    close: async () => void server.close(), // Node unlinks the path of a unix socket that it listened on
  };
}

function accept(socket: Socket, kind: StreamTarget['kind'], onStream: OnHostStream): void {
  const from = kind === 'tcp' ? clientOf(socket) : undefined;
  if (kind === 'tcp' && from === undefined) {
    socket.on('error', () => undefined).destroy(); // it has gone already
    return;
  }
  const stream = new SocketStream((onBytes) => moved(socket, onBytes));
  stream.beginPaused();
  stream.tell(onStream(stream, from));
}

function clientOf({ remoteAddress = '', remotePort = 0 }: Socket): Endpoint | undefined {
  const address = addressOctets(remoteAddress);
  return address === undefined ? undefined : { address, port: remotePort };
}

async function makeRoom(path: string): Promise<void> {
  if (isUnixPathTooLong(path)) {
    throw new HostNetError(
      'cannot-listen',
      `unix:${path} is longer than a unix socket's path may be; choose a shorter folder`,
    );
  }
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new HostNetError('cannot-listen', `there is no folder ${dirname(path)} for unix:${path}; make it first`);
  }
  if (await removeDeadSocket(path)) return;
  throw new HostNetError(
    'address-in-use',
    `unix:${path} is in use by a running program; stop it or choose another path`,
  );
}

function listening(server: Server, at: StreamTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', () => {
      server.removeAllListeners('error');
      resolve();
    });
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, at, 'tcp')));
    if (at.kind === 'unix') server.listen({ path: at.path });
    else server.listen({ host: formatAddress(at.endpoint.address), port: at.endpoint.port, ipv6Only: true });
  });
}

function boundTarget(server: Server, at: StreamTarget): StreamTarget {
  const bound = server.address();
  if (at.kind === 'unix' || bound === null || typeof bound === 'string') return at;
  return { kind: 'tcp', endpoint: { address: at.endpoint.address, port: bound.port } };
}

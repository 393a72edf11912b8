import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { resetSocket } from '../reset-socket.ts';

/** Carries octets and ends both ways; where one side breaks, or the client has gone already, the other is cut off. */
export function joinStreams(client: Socket, far: Duplex): void {
  if (client.destroyed) {
    far.destroy();
    return;
  }
  client.pipe(far).pipe(client);
  client.on('error', () => far.destroy());
  client.on('close', () => far.destroy());
  far.on('error', () => resetSocket(client));
  far.on('close', () => {
    if (!client.writableEnded) client.destroy();
  });
}

import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { StartError } from './start-error.ts';

/** A connection to a lab's socket, paused; rejects with a `StartError` where nobody answers there. */
export function connectUnix(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const failed = ({ message }: Error) => reject(new StartError('no-lab', `the lab does not answer (${message})`));
    socket.once('error', failed);
    socket.once('connect', () => resolve(socket.pause().off('error', failed)));
  });
}

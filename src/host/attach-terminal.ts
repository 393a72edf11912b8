/** A serial console at a unix socket, on a terminal or on a pipe. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { ReadStream } from 'node:tty';

/** Ctrl-], as telnet(1) has it. */
const ESCAPE = 0x1d;

type Input = NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;

/** From now on the console speaks to us. */
export async function openConsole(path: string): Promise<Socket> {
  const socket = connect({ path });
  await once(socket, 'connect');
  return socket;
}

/**
 * Resolves when the machine has ended the connection, or whoever is here has. A terminal passes every key on but Ctrl-], which ends it.
 * From a pipe everything is passed on; its end ends nothing, for the machine may still have to say something about it.
 */
export async function attachTerminal(
  socket: Socket,
  input: Input,
  output: NodeJS.WritableStream,
): Promise<'detached' | 'ended'> {
  const isTerminal = input.isTTY === true;
  let end: 'detached' | 'ended' = 'ended';
  const detach = () => {
    end = 'detached';
    socket.destroy();
  };
  const typed = (bytes: Buffer) => {
    const leaving = isTerminal ? bytes.indexOf(ESCAPE) : -1;
    if (!socket.write(leaving < 0 ? bytes : bytes.subarray(0, leaving))) input.pause();
    if (leaving >= 0) detach();
  };
  const signals = ['SIGTERM', 'SIGHUP', ...(isTerminal ? [] : ['SIGINT'])];
  for (const signal of signals) process.on(signal, detach);
  output.on('error', detach);
  if (isTerminal) input.setRawMode?.(true);
  input.on('data', typed);
  socket.on('drain', () => input.resume());
  socket.on('data', (bytes) => {
    if (output.write(bytes)) return;
    socket.pause();
    output.once('drain', () => socket.resume());
  });
  socket.on('error', () => undefined); // its end is told by `close`
  await once(socket, 'close');
  if (isTerminal) input.setRawMode?.(false);
  input.off('data', typed).pause();
  output.off('error', detach);
  for (const signal of signals) process.off(signal, detach);
  return end;
}

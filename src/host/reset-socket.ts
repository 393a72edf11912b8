/** Ends a TCP connection with RST, as far as Node can. */
import type { Socket } from 'node:net';

/**
 * The socket is destroyed, and the other side is told by RST. A socket that is still connecting would be reset only once it has
 * connected, one of a file has no RST, and of one whose end is on its way libuv refuses the reset (`uv_tcp_close_reset`: EINVAL), after
 * which Node leaves the descriptor open: those are just closed.
 */
export function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (isEnding || socket.connecting || socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

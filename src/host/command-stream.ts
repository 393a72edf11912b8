/** Processes as streams. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import { connectFailure } from './connect-failure.ts';
import { moved, SocketStream } from './socket-stream.ts';

/** Makes descriptor 3, one socket for both directions, the command's standard input and output. */
const PLUMBING = 'exec <&3 >&3 3<&-; exec /bin/sh -c "$1"';

/** Starts a command for the shell in a process group of its own, which a reset kills. Its standard error is ours. */
export function runCommand(command: string, events: HostStreamEvents): HostStream {
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', ['-c', PLUMBING, 'sh', command], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      detached: true,
    });
  } catch (error) {
    return failedStream(error as NodeJS.ErrnoException, events);
  }
  if (child.pid === undefined) {
    const stream = new FailedStream(events);
    child.once('error', (error: NodeJS.ErrnoException) => stream.fail(error));
    return stream;
  }
  child.on('error', () => undefined); // it is about signals that come too late
  const group = -child.pid;
  const stream = new SocketStream(
    (onBytes) => moved((child.stdio[3] as Socket).pause(), onBytes),
    () => {
      if (child.exitCode === null && child.signalCode === null) killGroup(group);
    },
  );
  stream.tell(events);
  child.once('spawn', () => stream.open());
  return stream;
}

function killGroup(group: number): void {
  try {
    process.kill(group, 'SIGKILL');
  } catch {
    // It ended by itself, and Node has not told yet.
  }
}

function failedStream(error: NodeJS.ErrnoException, events: HostStreamEvents): HostStream {
  const stream = new FailedStream(events);
  queueMicrotask(() => stream.fail(error));
  return stream;
}

/** A process that did not start. */
class FailedStream implements HostStream {
  readonly queued = 0;
  readonly #events: HostStreamEvents;
  #isReset = false;

  constructor(events: HostStreamEvents) {
    this.#events = events;
  }

  fail(error: NodeJS.ErrnoException): void {
    if (!this.#isReset) this.#events.failed(connectFailure(error.code));
  }

  write(): void {}
  pause(): void {}
  resume(): void {}
  finish(): void {}

  reset(): void {
    this.#isReset = true;
  }
}

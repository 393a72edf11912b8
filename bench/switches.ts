/** The switches that can be measured: vmlan of this source, other builds of it, vde_switch, and a relay in C. */
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { compile } from './workshop.ts';

export type Started = ChildProcessByStdio<Writable, Readable, Readable | null>;

/** A switch that machines can plug into. */
export interface RunningSwitch {
  readonly name: string;
  /** Which protocol `load` speaks to it. */
  readonly wire: 'stream' | 'vde';
  readonly address: string;
  readonly process: ChildProcess;
}

/** Starts `relay`, `vde_switch`, `vmlan` (the program given), or another build named as `old=/path/to/dist/main.js`; undefined where it is not installed. */
export async function startSwitch(peer: string, vmlan: string, folder: string): Promise<RunningSwitch | undefined> {
  const [name, path] = peer.split('=') as [string, string | undefined];
  const address = join(folder, `${name}.sock`);
  switch (name) {
    case 'relay': {
      const program = compile('relay', folder);
      if (program === undefined) return undefined;
      return ready({ name, wire: 'stream', address, process: start(program, [address]) });
    }
    case 'vde_switch': {
      if (spawnSync(name, ['--version']).error !== undefined) return undefined;
      return ready({ name, wire: 'vde', address, process: start(name, ['-s', address]) });
    }
    default:
      return ready({ name, wire: 'stream', address, process: startVmlan(path ?? vmlan, address, folder) });
  }
}

/** `vmlan serve`, without a gateway unless `more` says otherwise; what it keeps stays in the folder. */
export function startVmlan(
  program: string,
  socket: string,
  folder: string,
  more: readonly string[] = ['--no-gateway'],
): Started {
  const words = [program, 'serve', '--listen', `unix:${socket}`, ...more, '--json', '--name', `bench-${process.pid}`];
  return start(process.execPath, words, { XDG_RUNTIME_DIR: `${socket}.run`, XDG_STATE_HOME: join(folder, 'state') });
}

/** Resolves when something accepts at the path. */
export async function accepting(path: string, process: ChildProcess): Promise<void> {
  while (!(await accepts(path))) {
    if (process.exitCode !== null)
      throw new Error(`${process.spawnargs.join(' ')} ended with status ${process.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function ready(running: RunningSwitch): Promise<RunningSwitch> {
  await accepting(running.wire === 'vde' ? join(running.address, 'ctl') : running.address, running.process);
  return running;
}

/** Standard input stays a pipe: vde_switch ends at its end. What it prints is for those who listen to `stdout`. */
function start(program: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', program === 'vde_switch' ? 'ignore' : 'inherit'],
    env: { ...process.env, ...environment },
  });
  child.stdout.resume();
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL'); // nothing may write into the folder that is removed next
});

/** Machines as processes of this machine, in sessions of their own, which go on when vmlan ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import type { MachineGone, MachineHost, MachineProcess } from '../lab/machine-host.ts';
import type { MachinePlan } from '../lab/machine-plan.ts';
import type { MachinePlaces } from '../qemu/machine-arguments.ts';
import type { QemuVersion } from '../qemu/version.ts';
import { removeDeadSocket } from './dead-socket.ts';
import { connectStream } from './host-streams.ts';
import { programPath } from './machine-files.ts';
import { installedQemu } from './qemu-version.ts';
import { StartError } from './start-error.ts';
import { checkUnixPath } from './unix-path.ts';

/** Octets of a console's log, beyond which a start begins a new one beside the old. */
const LOG_LIMIT = 16 * 1024 * 1024;
/** Milliseconds between two looks at a process that is not our child. */
const LOOK_INTERVAL = 50;
/** Octets of what QEMU complained about that are told. */
const COMPLAINT_LENGTH = 1000;

export class QemuMachines implements MachineHost {
  readonly #runtimeFolder: string;
  readonly #stateFolder: string;
  readonly #versions = new Map<string, Promise<QemuVersion | undefined>>();

  /** Sockets lie in the one folder, logs in the other. */
  constructor(runtimeFolder: string, stateFolder: string) {
    this.#runtimeFolder = runtimeFolder;
    this.#stateFolder = stateFolder;
  }

  get accelerators(): readonly string[] {
    try {
      accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
      return ['kvm', 'tcg'];
    } catch {
      return []; // QEMU knows what else there is
    }
  }

  places(node: string): MachinePlaces {
    const stem = join(this.#runtimeFolder, node);
    const consoleLog = consoleLogPath(this.#stateFolder, node);
    return { qmp: `${stem}.qmp`, console: `${stem}.console`, pidFile: `${stem}.pid`, consoleLog };
  }

  async version({ program, folder }: MachinePlan): Promise<QemuVersion> {
    const path = pathOf(program, folder);
    const asked = this.#versions.get(path) ?? installedQemu(path);
    this.#versions.set(path, asked);
    const version = await asked;
    if (version === undefined) throw new StartError('no-qemu', `${path} did not tell its version; is it a QEMU?`);
    return version;
  }

  async start(plan: MachinePlan, words: readonly string[]): Promise<MachineProcess> {
    const { program, folder, node } = plan;
    const { qmp, console, consoleLog } = this.places(node);
    for (const path of [qmp, console]) checkUnixPath(path);
    mkdirSync(this.#stateFolder, { recursive: true, mode: 0o700 });
    makeRoomInLog(consoleLog);
    const complaints = join(this.#stateFolder, `${node}.qemu.log`);
    const output = openSync(complaints, 'w', 0o600);
    const child = spawn(pathOf(program, folder), words, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const ended = new Promise<Pick<MachineGone, 'status' | 'signal'>>((resolve) => {
      child.once('exit', (status, signal) => resolve(signal === null ? { status: status ?? 0 } : { signal }));
    });
    await once(child, 'spawn').catch((error: Error) => {
      throw new StartError('not-a-program', `${program} cannot be started (${error.message})`);
    });
    child.unref();
    return {
      pid: child.pid,
      gone: async () => {
        const end = await ended;
        await this.#clear(node);
        return { ...end, complaints: lastWords(complaints) };
      },
      kill: () => void child.kill('SIGKILL'),
    };
  }

  connect(node: string, events: HostStreamEvents): HostStream {
    return connectStream({ kind: 'unix', path: this.places(node).qmp }, events);
  }

  /** Only a process that was started with the machine's UUID is it; a number alone may be anybody's by now. */
  adopt({ node, uuid }: MachinePlan): MachineProcess {
    const pid = pidIn(this.places(node).pidFile);
    const isRunning = () => pid !== undefined && wordsOf(pid).includes(uuid);
    const birth = isRunning() ? birthOf(pid!) : undefined;
    return {
      pid: isRunning() ? pid : undefined,
      gone: async () => {
        // Its words go before its sockets do.
        while (birth !== undefined && birthOf(pid!) === birth) await pause(LOOK_INTERVAL);
        await this.#clear(node);
        return { complaints: '' };
      },
      kill: () => {
        if (isRunning()) process.kill(pid!, 'SIGKILL');
      },
    };
  }

  /** Removes what a QEMU that was killed leaves, as far as it is there: the sockets where it listened, and its pid file. */
  async #clear(node: string): Promise<void> {
    if (!existsSync(this.#runtimeFolder)) return;
    const left = readdirSync(this.#runtimeFolder).filter((name) => name.startsWith(`${node}.`));
    for (const name of left.filter((each) => /\.(qmp|console|qemu)$/.test(each))) {
      await removeDeadSocket(join(this.#runtimeFolder, name));
    }
    rmSync(this.places(node).pidFile, { force: true });
  }
}

/** The file with all that a machine's serial console said. */
export function consoleLogPath(stateFolder: string, node: string): string {
  return join(stateFolder, `${node}.console.log`);
}

function pathOf(program: string, folder: string): string {
  const path = programPath(program, folder);
  if (path !== undefined) return path;
  throw new StartError('no-such-program', `there is no program ${program}; install it, or write where it is`);
}

/** QEMU appends to the log; it is made here because it is for the user alone. */
function makeRoomInLog(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT) renameSync(path, `${path}.old`);
  closeSync(openSync(path, 'a', 0o600));
}

/** The end of what QEMU wrote, on one line, without its name in front; nothing where somebody removed the file. */
function lastWords(path: string): string {
  const text = existsSync(path) ? readFileSync(path, 'utf8').slice(-COMPLAINT_LENGTH) : '';
  const lines = text.split('\n').map((line) => line.trim().replace(/^[^ ]*qemu[^ ]*: /, ''));
  return lines.filter((line) => line !== '').join('; ');
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined; // it ended, or never got that far
  }
}

/** The command line of a process; none where it is gone, or the system does not tell. */
function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/**
 * When the process began, in the system's clock ticks; undefined where it has ended. A process whose first thread is over holds its
 * sockets as long as it has others. (proc(5), stat: fields 3, 20 and 22.)
 */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isOver = (state === 'Z' || state === 'X') && Number(rest[16]) <= 1;
    return isOver ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../support/child.ts';
import type { Workbench } from '../../support/workbench.ts';

const RIG = fileURLToPath(new URL('../rig/', import.meta.url));
export const READY = '::ready::';
const DONE = '::done::';

/** What a guest's shell runs to take commands from `Guest`. */
export const SHELL_LOOP = `n=0; echo ${READY}; while IFS= read -r line; do eval "$line" </dev/null; rc=$?; n=$((n+1)); printf '\\n${DONE}%d::%d\\n' $n $rc; done`;

/** A network card: QEMU's `-netdev` words without the id, and its address. */
export interface Nic {
  readonly netdev: string;
  readonly mac: string;
}

export interface GuestOptions {
  readonly nics?: readonly Nic[];
  /** More words for QEMU, none with a space in it; `vmlan qemu-args` prints such. */
  readonly qemu?: readonly string[];
  /** Programs that are not in every guest: `dns` (dig), `python`. */
  readonly with?: readonly string[];
  /** Runs udhcpc on eth0 before anything else. */
  readonly dhcp?: boolean;
  /** Hard limit for the machine's whole life. */
  readonly seconds?: number;
}

/** What a command in a guest wrote, and its status. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** A booted Linux machine that takes commands. */
export class Guest {
  readonly #child: Child;
  readonly #pidFile: string;
  #asked = 0;

  constructor(child: Child, pidFile: string) {
    this.#child = child;
    this.#pidFile = pidFile;
  }

  /** Types a command that the machine does not live to answer. */
  type(command: string): void {
    this.#child.write(`${command}\n`);
  }

  /** Runs a shell command line (one line) in the guest; one at a time. */
  async sh(command: string, seconds = 60): Promise<Outcome> {
    const token = `${DONE}${++this.#asked}::`;
    const from = this.#child.stdout.length;
    this.#child.write(`${command.replaceAll(/\s*\n\s*/g, ' ')}\n`);
    return this.#child.until(
      `guest command "${command}"`,
      () => {
        const said = this.#child.stdout.slice(from);
        const match = new RegExp(`\\n${token}(\\d+)\\n`).exec(said);
        return match === null ? undefined : { status: Number(match[1]), output: said.slice(0, match.index) };
      },
      seconds,
    );
  }

  /** As `sh`, for a command that must succeed; gives its output. */
  async must(command: string, seconds = 60): Promise<string> {
    const { status, output } = await this.sh(command, seconds);
    if (status !== 0) throw new Error(`"${command}" ended with ${status} in the guest:\n${output}`);
    return output;
  }

  /** The IPv4 address of a card, or undefined. */
  async address(card = 'eth0'): Promise<string | undefined> {
    return /inet (\d+\.\d+\.\d+\.\d+)/.exec(await this.must(`ip -4 addr show dev ${card}`))?.[1];
  }

  /** Sends a signal to QEMU itself. */
  signal(signal: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#pidFile, 'utf8')), signal);
  }

  /** Pulls the plug: SIGKILL to QEMU. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#child.exited;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}

/** Boots a Linux guest and leaves it running; resolves when it takes commands. */
export async function startGuest(bench: Workbench, options: GuestOptions): Promise<Guest> {
  const pidFile = bench.freshPath('qemu.pid');
  const child = bench.start(`${RIG}run-guest`, [
    ...guestArguments({ ...options, qemu: [...(options.qemu ?? []), '-pidfile', pidFile] }),
    '--',
    SHELL_LOOP,
  ]);
  await child.until('guest boots', () =>
    child.stdout.includes(`${READY}\n`) && existsSync(pidFile) ? true : undefined,
  );
  return new Guest(child, pidFile);
}

/** Boots a Linux guest for one command; resolves when the machine is off again. */
export async function runGuest(
  bench: Workbench,
  options: GuestOptions & { readonly command: string },
): Promise<Outcome> {
  const child = await bench.run(`${RIG}run-guest`, [...guestArguments(options), '--', options.command]);
  return { status: child.status ?? -1, output: child.stdout };
}

export interface FirmwareOptions {
  readonly kind: 'ipxe' | 'ipxe-uefi' | 'uefi4' | 'uefi6' | 'uboot';
  readonly nic: Nic;
  /** In order: what the console must show (a regular expression), or what is typed. */
  readonly steps: readonly ({ readonly expect: string } | { readonly send: string })[];
  readonly memory?: number;
  readonly seconds?: number;
}

/** Boots a diskless machine from the network; status 0 when its console showed everything expected. */
export async function runFirmware(bench: Workbench, options: FirmwareOptions): Promise<Outcome> {
  const child = await bench.run(`${RIG}run-firmware`, [
    options.kind,
    '--nic',
    options.nic.netdev,
    '--mac',
    options.nic.mac,
    '--memory',
    String(options.memory ?? 512),
    '--timeout',
    String(options.seconds ?? 90),
    ...options.steps.flatMap((step) => ('expect' in step ? ['--expect', step.expect] : ['--send', step.send])),
  ]);
  return { status: child.status ?? -1, output: child.stdout + child.stderr };
}

/** QEMU's words for a card that connects to a unix socket. */
export function connectTo(path: string): string {
  return `stream,server=off,addr.type=unix,addr.path=${path}`;
}

/** QEMU's words for a card that waits for a connection on a unix socket. */
export function listenOn(path: string): string {
  return `stream,server=on,addr.type=unix,addr.path=${path}`;
}

function guestArguments(options: GuestOptions): string[] {
  return [
    ...(options.nics ?? []).flatMap(({ netdev, mac }) => ['--nic', netdev, '--mac', mac]),
    ...(options.with ?? []).flatMap((name) => ['--with', name]),
    ...(options.dhcp === true ? ['--dhcp'] : []),
    ...(options.qemu === undefined ? [] : ['--qemu', options.qemu.join(' ')]),
    '--timeout',
    String(options.seconds ?? 240),
  ];
}

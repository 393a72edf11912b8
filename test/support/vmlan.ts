import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LabStatus, LeaseStatus } from '../../src/lab/status-schemas.ts';
import type { Child, Exit } from './child.ts';
import type { Workbench } from './workbench.ts';

/** A line of `--json` output. */
export type VmlanEvent = Readonly<Record<string, unknown>> & { readonly event: string };

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The program, which `build.ts` has made of the sources as they are. */
export const PROGRAM = `${ROOT}dist/main.js`;

/** The words that start vmlan. */
export const vmlanCommand: readonly string[] = [process.execPath, PROGRAM];

/** A running `vmlan serve` or `vmlan up`. */
export class Vmlan {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get events(): VmlanEvent[] {
    return parseLines(this.#child.stdout);
  }

  /** The first event of that name which `matches`; what already happened counts. */
  event(name: string, matches: (event: VmlanEvent) => boolean = () => true): Promise<VmlanEvent> {
    return this.#child.until(`event ${name}`, () =>
      this.events.find((event) => event.event === name && matches(event)),
    );
  }

  /** Resident memory in MiB. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  /** Ctrl-C. */
  stop(): Promise<Exit> {
    return this.#child.stop('SIGINT');
  }

  kill(): Promise<Exit> {
    return this.#child.stop('SIGKILL');
  }
}

/** Starts vmlan with JSON output and waits until it is ready. */
export async function startVmlan(bench: Workbench, args: readonly string[]): Promise<Vmlan> {
  const vmlan = new Vmlan(bench.start(process.execPath, [PROGRAM, ...args, '--json']));
  await vmlan.event('ready');
  return vmlan;
}

/** Starts a verb that goes on until it is stopped. */
export function spawnVmlan(bench: Workbench, args: readonly string[]): Child {
  return bench.start(process.execPath, [PROGRAM, ...args]);
}

/** Runs a verb to its end. */
export function runVmlan(
  bench: Workbench,
  args: readonly string[],
): Promise<Child & { readonly status: number | undefined }> {
  return bench.run(process.execPath, [PROGRAM, ...args]);
}

/** `vmlan leases --json` of the only running lab. */
export async function leases(bench: Workbench): Promise<readonly LeaseStatus[]> {
  return ((await askVmlan(bench, 'leases')) as { leases: readonly LeaseStatus[] }).leases;
}

/** `vmlan status --json` of the named lab, or of the only running one. */
export async function status(bench: Workbench, ...lab: readonly string[]): Promise<LabStatus> {
  return (await askVmlan(bench, 'status', ...lab)) as LabStatus;
}

/** `vmlan capture PORT -w -` into a tshark that prints what passes the display filter, line by line, until the lab ends; records already. */
export async function startLiveCapture(bench: Workbench, port: string, filter: string): Promise<Child> {
  const pipe = bench.freshPath('capture');
  await bench.run('mkfifo', [pipe]);
  const capture = [...vmlanCommand, 'capture', port, '-w', '-'];
  bench.start('bash', ['-c', 'exec "$@" >"$0"', pipe, ...capture]);
  const shark = bench.start('bash', ['-c', 'exec tshark -n -l -r - -Y "$1" <"$0"', pipe, filter]);
  while (!(await status(bench)).captures.some(({ capture: label }) => label === 'standard output'));
  return shark;
}

async function askVmlan(bench: Workbench, ...words: readonly string[]): Promise<unknown> {
  const child = await runVmlan(bench, [...words, '--json']);
  if (child.status !== 0) throw new Error(child.transcript);
  return JSON.parse(child.stdout);
}

function parseLines(text: string): VmlanEvent[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as VmlanEvent);
}

/** `vmlan run`: a QEMU command whose user networks are vmlan's. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';
import type { Log } from '../base/log.ts';
import { runtimeFolder } from '../host/folders.ts';
import { runInForeground } from '../host/foreground.ts';
import { nodeEnvironment } from '../host/node-environment.ts';
import { installedQemu } from '../host/qemu-version.ts';
import type { DoorPlan, LabPlan } from '../lab/plan.ts';
import { runPlan } from '../lab/run-plan.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import type { HostForward } from '../nat/forward-spec.ts';
import type { QemuCommand } from '../qemu/command-line.ts';
import { readQemuCommand } from '../qemu/command-line.ts';
import type { Plug } from '../qemu/plugged-command.ts';
import { pluggedCommand } from '../qemu/plugged-command.ts';
import type { QemuVersion } from '../qemu/version.ts';
import { formatQemuVersion, OLDEST_QEMU } from '../qemu/version.ts';
import { EXIT_USAGE, Exit, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { freshMac } from './fresh-mac.ts';
import { claimNamedLab, withLab } from './run-lab.ts';
import { sharedRun, withForwards } from './run-shared.ts';
import { SHARED_SOCKET } from './sockets.ts';
import { started } from './started.ts';
import { version } from './version.ts';

export interface RunCommand {
  readonly network?: string;
  readonly capture?: string;
  readonly name?: string;
  readonly slirpListenAll?: true;
}

export async function run(words: readonly string[], options: RunCommand): Promise<void> {
  const command = readQemuCommand(words);
  const status = await (options.network === undefined
    ? runAlone(command, options)
    : runOn(options.network, command, options));
  if (status !== 0) throw new Exit(status);
}

/** With a lab of its own. */
async function runAlone(command: QemuCommand, options: RunCommand): Promise<number> {
  const name = options.name ?? `run-${process.pid}`;
  const { networks } = command;
  const planned = runPlan({
    name,
    networks,
    listensEverywhere: options.slirpListenAll === true,
    ...(options.capture !== undefined && { capture: resolve(options.capture) }),
  });
  const issues = [...command.issues, ...('issues' in planned ? planned.issues : [])];
  if ('issues' in planned || issues.length > 0) return refuse(issues);
  for (const remark of command.remarks) say(remark);
  if (networks.length === 0) {
    say(NOTHING_TO_DO);
    return started(runInForeground(plugged(command, [], OLDEST_QEMU)));
  }
  const qemu = versionOf(command);
  const control = await claimNamedLab(name);
  const { plan } = planned;
  const doors = doorsOf(plan);
  return withLab(plan, doors, control, environmentOf(name), async (lab) => {
    const full = plugged(
      command,
      doors.map(({ address }) => ({ socket: address })),
      await qemu,
    );
    say(`${name} is its user network: ${DIFFERENCES}`);
    for (const { name: network, gateway } of plan.networks) tellFreePorts(lab, network, gateway?.hostForwards ?? []);
    const ended = started(runInForeground(full));
    control.serve({ lab, pid: process.pid, version: version() });
    return ended;
  });
}

const DIFFERENCES = 'a hostfwd that names no host address listens on 127.0.0.1 (on all with --slirp-listen-all)';

/** Of the forwards that asked for a free port: which they got. */
function tellFreePorts(lab: RunningLab, network: string, asked: readonly HostForward[]): void {
  const listed = lab.network(network)?.gateway?.forwards.list() ?? [];
  listed.forEach(({ protocol, listen, guest }, i) => {
    const place = asked[i]?.listen;
    if (place?.kind === 'ip' && place.first === 0) say(`hostfwd to ${guest} listens on ${protocol} ${listen}`);
  });
}

function doorsOf({ name, networks }: LabPlan): readonly DoorPlan[] {
  return networks.map((network) => ({
    mode: 'listen',
    address: { kind: 'unix', path: join(runtimeFolder(name), `${network.name}.vm.sock`) },
    network: network.name,
  }));
}

/** QEMU's leases live as long as QEMU. */
function environmentOf(name: string): ReturnType<typeof nodeEnvironment> {
  const nothing = { load: async () => undefined, save: async () => undefined, setAside: async () => undefined };
  return { ...nodeEnvironment(runtimeFolder(name), '', sayTroubles), openState: () => nothing };
}

/** The terminal is QEMU's: only what its operator must know is said. */
const sayTroubles: Log = ({ event, message }) => {
  if (event === 'capture-failed') say(message);
};

/** With the lab of a running vmlan, on the socket that its machines share. */
async function runOn(lab: string, command: QemuCommand, options: RunCommand): Promise<number> {
  const { rules, issues: ofNetwork } = sharedRun(lab, command.networks, options);
  const issues = [...command.issues, ...ofNetwork];
  if (issues.length > 0) return refuse(issues);
  const control = await findLab(lab, '--lab NAME');
  const path = join(runtimeFolder(lab), SHARED_SOCKET);
  if (!existsSync(path)) {
    fail(`${lab} has no socket that machines share; start it with vmlan serve --name ${lab}, without --listen`);
  }
  for (const remark of command.remarks) say(remark);
  const plugs = command.networks.map(() => ({ socket: { kind: 'unix', path }, freshMac }) as const);
  const words = plugged(command, plugs, await versionOf(command));
  return withForwards(control, rules, async (forwards) => {
    for (const { rule } of forwards) say(`${lab} forwards ${rule} as long as the command runs`);
    say(command.networks.length === 0 ? NOTHING_TO_DO : `the network of ${lab} is its user network`);
    return started(runInForeground(words));
  });
}

const NOTHING_TO_DO = 'the command has no user network; QEMU runs as it would without vmlan';

function plugged(command: QemuCommand, plugs: readonly Plug[], qemu: QemuVersion): readonly string[] {
  const words = pluggedCommand(command, plugs, qemu);
  if (words !== undefined) return words;
  return fail(`QEMU ${formatQemuVersion(qemu)} has no netdev that reaches vmlan; take 7.2 or later`);
}

async function versionOf({ program }: QemuCommand): Promise<QemuVersion> {
  return (program === undefined ? undefined : await installedQemu(program)) ?? OLDEST_QEMU;
}

function refuse(issues: readonly Issue[]): never {
  for (const issue of issues) process.stderr.write(`vmlan run: ${formatIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

/** Standard output is QEMU's. */
function say(sentence: string): void {
  process.stderr.write(`vmlan: ${sentence}\n`);
}

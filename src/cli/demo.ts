/** `vmlan demo`: two machines boot from a network that vmlan makes. What it tells is read from the capture that it writes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { noLog } from '../base/log.ts';
import { nodeEnvironment } from '../host/node-environment.ts';
import { installedQemu } from '../host/qemu-version.ts';
import type { Environment } from '../lab/environment.ts';
import type { LabPlan } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { RunningLab } from '../lab/running-lab.ts';
import type { QemuVersion } from '../qemu/version.ts';
import { formatQemuVersion, qemuFeatures } from '../qemu/version.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import { BOOT_FILE, DEMO_LAB, demoFiles, noFiles, SECOND_FILE } from './demo/lab.ts';
import type { DemoMachine } from './demo/machines.ts';
import { builtInMachine, qemuMachine } from './demo/machines.ts';
import { Narrator } from './demo/narrator.ts';
import { CaptureTail } from './demo/tail.ts';
import { EXIT_FAILURE, EXIT_USAGE, Exit, fail } from './exit.ts';
import { print, table } from './report.ts';
import { labDoors, nicSockets } from './sockets.ts';
import { stopSignal } from './stop-signal.ts';

export interface DemoCommand {
  readonly builtIn?: true;
  readonly break?: string;
  readonly write: string;
}

const QEMU = 'qemu-system-x86_64';

/** Milliseconds until a machine that is not done has failed. iPXE waits 4 s at its prompts; two of them boot in about 8. */
const QEMU_LIMIT = 27_000;
const BUILT_IN_LIMIT = 8_000;
const LOOK_INTERVAL = 100;

/** What a shell gives a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

export async function demo(options: DemoCommand): Promise<void> {
  if (options.break !== undefined && options.break !== 'dhcp' && options.break !== 'tftp') {
    fail(`--break ${options.break}: it must be dhcp or tftp`, EXIT_USAGE);
  }
  const version = options.builtIn ? undefined : await usableQemu();
  const file = resolve(options.write);
  const plan = demoPlan(file, options.break);
  introduce(version, options);

  const sockets = mkdtempSync(join(tmpdir(), 'vmlan-demo-'));
  const problems = await run(plan, file, sockets, version, options).finally(() =>
    rmSync(sockets, { recursive: true, force: true }),
  );

  print();
  if (problems.length > 0) {
    for (const problem of problems) print(`FAILED  ${problem}`);
    print(`\nThe capture is in ${options.write}.`);
    throw new Exit(EXIT_FAILURE);
  }
  print(`Both machines booted. Every frame is in ${options.write}. Try next:`);
  print(`  wireshark ${options.write}                 look at it`);
  print('  vmlan demo --break dhcp               see what a network without DHCP looks like');
  print('  vmlan serve                           plug your own QEMU in');
  print('  vmlan up FILE.yaml                    run a lab like the one above');
}

/** The installed QEMU, where its `stream` netdev can be plugged in. */
async function usableQemu(): Promise<QemuVersion | undefined> {
  const version = await installedQemu(QEMU);
  return version !== undefined && qemuFeatures(version).hasStreamNetdev ? version : undefined;
}

function demoPlan(file: string, broken: string | undefined): LabPlan {
  const read = readLab(DEMO_LAB, 'demo.yaml');
  if ('issues' in read) throw new Error(`the demo's lab is wrong: ${JSON.stringify(read.issues)}`);
  const { plan } = read;
  const networks = plan.networks.map(({ gateway, ...network }) => {
    if (gateway === undefined) return network;
    const { dhcp, ...rest } = gateway;
    return { ...network, gateway: broken === 'dhcp' || dhcp === undefined ? rest : { ...rest, dhcp } };
  });
  return { ...plan, networks, captures: plan.captures.map((capture) => ({ ...capture, file })) };
}

function introduce(version: QemuVersion | undefined, { builtIn, break: broken }: DemoCommand): void {
  print('Two diskless machines, alice and bob, on a switch and a gateway that vmlan makes from this lab file:\n');
  print(DEMO_LAB.replace(/^/gm, '    ').trimEnd());
  print();
  if (broken !== undefined) print(`Today without ${broken.toUpperCase()}: the demo must fail.`);
  if (version !== undefined)
    print(
      `They are two QEMU ${formatQemuVersion(version)} processes with iPXE in their network cards. From the wire:\n`,
    );
  else if (builtIn) print('They are built-in machines. From the wire:\n');
  else
    print(
      `No QEMU 7.2 or later was found (on Debian: apt install qemu-system-x86), so they are built-in machines. From the wire:\n`,
    );
}

async function run(
  plan: LabPlan,
  file: string,
  sockets: string,
  version: QemuVersion | undefined,
  options: DemoCommand,
): Promise<readonly string[]> {
  const lab = await RunningLab.start(plan, labDoors(plan, sockets), demoEnvironment(options));
  const machines: DemoMachine[] = [];
  const narrator = new Narrator(stationNames(plan), print);
  const tail = new CaptureTail(file);
  let reports: readonly MachineReport[];
  try {
    for (const nic of plan.nics) {
      const machine =
        version === undefined
          ? builtInMachine(nic, lab.network(nic.network)!)
          : qemuMachine(QEMU, version, nic, nicSockets(sockets, nic));
      machines.push(machine);
    }
    await watch(machines, version === undefined ? BUILT_IN_LIMIT : QEMU_LIMIT, async () => {
      for (const packet of await tail.packets()) narrator.hear(packet);
    });
    reports = machines.map(({ name, address, isDone, failure }) => ({ name, address, isDone, failure }));
  } finally {
    await Promise.all(machines.map((machine) => machine.stop()));
    await lab.stop();
  }
  for (const packet of await tail.packets()) narrator.hear(packet);
  printConversations(narrator);
  return problemsOf(reports, narrator);
}

/** The real machine, but files and leases are the demo's own. */
function demoEnvironment(options: DemoCommand): Environment {
  return {
    ...nodeEnvironment('', noLog),
    openFolder: async () => (options.break === 'tftp' ? noFiles : demoFiles),
    openState: () => ({ load: async () => undefined, save: async () => undefined, setAside: async () => undefined }),
  };
}

function stationNames(plan: LabPlan): ReadonlyMap<number, string> {
  const names = new Map(plan.nics.map((nic) => [nic.mac, nic.node]));
  for (const { gateway } of plan.networks) if (gateway !== undefined) names.set(gateway.mac, 'gateway');
  return names;
}

/** Looks at the capture until every machine is done or cannot be any more. Rejects on Ctrl-C. */
async function watch(machines: readonly DemoMachine[], limit: number, look: () => Promise<void>): Promise<void> {
  const end = performance.now() + limit;
  let isStopped = false;
  void stopSignal().then(() => {
    isStopped = true;
  });
  while (performance.now() < end && machines.some((machine) => !machine.isDone && machine.failure === undefined)) {
    if (isStopped) throw new Exit(EXIT_INTERRUPTED);
    await look();
    await new Promise((done) => setTimeout(done, LOOK_INTERVAL));
  }
}

function printConversations({ conversations }: Narrator): void {
  print('\nFrames between whom:');
  const rows = [...conversations].map(([between, frames]) => [...between.split(' -> '), String(frames)]);
  print(table(['FROM', 'TO', 'FRAMES'], rows).replace(/^/gm, '  '));
}

/** How a machine was before it was switched off. */
type MachineReport = Omit<DemoMachine, 'stop'>;

/** Everything that should be so and is not: by the capture, and by what the machines say themselves. */
function problemsOf(machines: readonly MachineReport[], narrator: Narrator): string[] {
  const problems: string[] = [];
  for (const { name, address, isDone, failure } of machines) {
    const lease = narrator.leases.get(name);
    if (failure !== undefined) problems.push(`${name}: ${failure}`);
    if (lease === undefined) problems.push(`${name} got no lease`);
    else if (address !== formatIpv4(lease))
      problems.push(`${name} was given ${formatIpv4(lease)} and says that it has ${address ?? 'none'}`);
    for (const file of [BOOT_FILE, SECOND_FILE]) {
      if (!narrator.files.has(`${name} ${file}`)) problems.push(`${name} did not get ${file}`);
    }
    if (!isDone && failure === undefined) problems.push(`${name} was not done in time`);
  }
  const leases = [...narrator.leases.values()];
  if (new Set(leases).size < leases.length) problems.push('two machines were given the same address');
  return problems;
}

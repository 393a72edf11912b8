/**
 * `vmlan demo`: two machines boot from a network that vmlan makes and read a page of the host, and the host reads one of a third. What it
 * tells is read from the capture that it writes.
 */
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
import { startPageServer } from './demo/host-web.ts';
import {
  BOOT_FILE,
  demoFiles,
  demoLab,
  noFiles,
  PAGE_HOST,
  PAGE_PATH,
  SECOND_FILE,
  WEB,
  WEB_PATH,
} from './demo/lab.ts';
import type { DemoMachine } from './demo/machines.ts';
import { builtInMachine, qemuMachine, webMachine } from './demo/machines.ts';
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

/** What can be taken away. */
const PARTS: readonly string[] = ['dhcp', 'tftp', 'dns', 'http'];

const QEMU = 'qemu-system-x86_64';

/** Milliseconds until a machine that is not done has failed. iPXE waits 4 s at its prompts; two of them boot in about 8. */
const QEMU_LIMIT = 27_000;
const BUILT_IN_LIMIT = 8_000;
const LOOK_INTERVAL = 100;

/** What a shell gives a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

export async function demo(options: DemoCommand): Promise<void> {
  if (options.break !== undefined && !PARTS.includes(options.break)) {
    fail(`--break ${options.break}: it must be one of ${PARTS.join(', ')}`, EXIT_USAGE);
  }
  const version = options.builtIn ? undefined : await usableQemu();
  const pages = await startPageServer();
  if (options.break === 'http') pages.close();
  const text = demoLab(pages.port);
  introduce(text, version, options);

  const sockets = mkdtempSync(join(tmpdir(), 'vmlan-demo-'));
  const problems = await run(text, pages.port, sockets, version, options).finally(() => {
    pages.close();
    rmSync(sockets, { recursive: true, force: true });
  });

  print();
  if (problems.length > 0) {
    for (const problem of problems) print(`FAILED  ${problem}`);
    print(`\nThe capture is in ${options.write}.`);
    throw new Exit(EXIT_FAILURE);
  }
  print(`Everything arrived. Every frame is in ${options.write}. Try next:`);
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

function demoPlan(text: string, file: string, broken: string | undefined): LabPlan {
  const read = readLab(text, 'demo.yaml');
  if ('issues' in read) throw new Error(`the demo's lab is wrong: ${JSON.stringify(read.issues)}`);
  const { plan } = read;
  const networks = plan.networks.map(({ gateway, ...network }) => {
    if (gateway === undefined) return network;
    const { dhcp, dns, ...rest } = gateway;
    const kept = { ...(broken !== 'dhcp' && dhcp && { dhcp }), ...(broken !== 'dns' && dns && { dns }) };
    return { ...network, gateway: { ...rest, ...kept } };
  });
  return { ...plan, networks, captures: plan.captures.map((capture) => ({ ...capture, file })) };
}

function introduce(text: string, version: QemuVersion | undefined, { builtIn, break: broken }: DemoCommand): void {
  print(
    'Two diskless machines, alice and bob, and a web server, on a switch and a gateway that vmlan makes from this lab file:\n',
  );
  print(text.replace(/^/gm, '    ').trimEnd());
  print();
  if (broken !== undefined) print(`Today without ${broken.toUpperCase()}: the demo must fail.`);
  if (version !== undefined)
    print(
      `Alice and bob are two QEMU ${formatQemuVersion(version)} processes with iPXE in their network cards. From the wire:\n`,
    );
  else if (builtIn) print('They are built-in machines. From the wire:\n');
  else
    print(
      `No QEMU 7.2 or later was found (on Debian: apt install qemu-system-x86), so they are built-in machines. From the wire:\n`,
    );
}

async function run(
  text: string,
  port: number,
  sockets: string,
  version: QemuVersion | undefined,
  options: DemoCommand,
): Promise<readonly string[]> {
  const file = resolve(options.write);
  const plan = demoPlan(text, file, options.break);
  const lab = await RunningLab.start(plan, labDoors(plan, sockets), demoEnvironment(port, options));
  const machines: DemoMachine[] = [];
  const narrator = new Narrator(stationNames(plan), print);
  const tail = new CaptureTail(file);
  let reports: readonly MachineReport[];
  try {
    for (const nic of plan.nics) {
      const network = lab.network(nic.network)!;
      if (nic.node === WEB) machines.push(webMachine(nic, network, forwardPort(lab)));
      else if (version === undefined) machines.push(builtInMachine(nic, network, port));
      else machines.push(qemuMachine(QEMU, version, nic, nicSockets(sockets, nic)));
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

/** The port that the lab's only forward got. */
function forwardPort(lab: RunningLab): number {
  return Number(/:(\d+)$/.exec(lab.forwards.list()[0]!.listen)![1]);
}

/** The real machine, but files and leases are the demo's own. */
function demoEnvironment(port: number, options: DemoCommand): Environment {
  return {
    ...nodeEnvironment('', '', noLog),
    openFolder: async () => (options.break === 'tftp' ? noFiles : demoFiles(port)),
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
    problems.push(...(name === WEB ? problemsOfForward(narrator) : problemsOfGuest(name, narrator)));
    if (!isDone && failure === undefined) problems.push(`${name} was not done in time`);
  }
  const leases = [...narrator.leases.values()];
  if (new Set(leases).size < leases.length) problems.push('two machines were given the same address');
  return problems;
}

function problemsOfGuest(name: string, { files, names, pages }: Narrator): readonly string[] {
  const missing = [BOOT_FILE, SECOND_FILE].filter((file) => !files.has(`${name} ${file}`));
  return [
    ...missing.map((file) => `${name} did not get ${file}`),
    ...(names.has(`${name} ${PAGE_HOST}`) ? [] : [`${name} did not find ${PAGE_HOST}`]),
    ...(pages.has(`${name} ${PAGE_PATH}`) ? [] : [`${name} did not get ${PAGE_PATH}`]),
  ];
}

/** On the wire the host is the gateway. */
function problemsOfForward({ pages }: Narrator): readonly string[] {
  return pages.has(`gateway ${WEB_PATH}`) ? [] : [`the host did not get ${WEB_PATH} of ${WEB}`];
}

/** `vmlan serve`: one network without any file. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';
import type { SocketAddress } from '../base/socket-address.ts';
import { formatSocketAddress, parseSocketAddress } from '../base/socket-address.ts';
import { isAnswered } from '../host/dead-socket.ts';
import { controlSocket, runtimeFolder } from '../host/folders.ts';
import type { DoorPlan, LabPlan } from '../lab/plan.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import { SERVE_NETWORK, servePlan } from '../lab/serve-plan.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import { EXIT_USAGE, logTo, print } from './report.ts';
import { runLab } from './run-lab.ts';

export interface ServeCommand {
  readonly listen?: readonly string[];
  readonly connect?: readonly string[];
  readonly hub?: true;
  readonly gateway: boolean;
  readonly subnet?: string;
  readonly mtu?: number;
  readonly user?: string;
  readonly capture?: string;
  readonly name?: string;
  readonly json?: true;
}

export async function serve(options: ServeCommand): Promise<void> {
  const name = options.name ?? (await freeName());
  const issues: Issue[] = [];
  const doors = doorsOf(name, options, issues);
  const planned = servePlan({
    name,
    hub: options.hub === true,
    gateway: options.gateway,
    ...(options.subnet !== undefined && { subnet: options.subnet }),
    ...(options.mtu !== undefined && { mtu: options.mtu }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.capture !== undefined && { capture: resolve(options.capture) }),
  });
  if ('issues' in planned) issues.push(...planned.issues);
  if ('issues' in planned || issues.length > 0) refuse(issues, options.json === true);
  const log = logTo(options.json === true);
  await runLab(planned.plan, doors, log, async (lab) => {
    const addresses = lab.doors.map((door) => formatSocketAddress(door.address));
    log({
      event: 'ready',
      message: `${name} is ready at ${addresses.join(', ')}`,
      lab: name,
      pid: process.pid,
      doors: addresses,
    });
    if (!options.json) await printNextSteps(lab);
  });
}

/** Without a name it is `serve`; with one running already, `serve-2`, and so on. */
async function freeName(): Promise<string> {
  let name = 'serve';
  for (let number = 2; await isAnswered(controlSocket(name)); number++) name = `serve-${number}`;
  return name;
}

function doorsOf(name: string, { listen, connect }: ServeCommand, issues: Issue[]): DoorPlan[] {
  const addressesOf = (option: string, texts: readonly string[] = []): SocketAddress[] =>
    texts.flatMap((text) => {
      const address = parseSocketAddress(text);
      if (address !== undefined)
        return [address.kind === 'unix' ? { ...address, path: resolve(address.path) } : address];
      issues.push({
        code: 'bad-address',
        path: [option],
        message: `${text} is no address`,
        hint: 'write unix:PATH or tcp:ADDR:PORT',
      });
      return [];
    });
  const own: SocketAddress = { kind: 'unix', path: join(runtimeFolder(name), 'vm.sock') };
  const listening = listen === undefined && connect === undefined ? [own] : addressesOf('--listen', listen);
  return [
    ...listening.map((address) => ({ mode: 'listen' as const, address, network: SERVE_NETWORK })),
    ...addressesOf('--connect', connect).map((address) => ({
      mode: 'connect' as const,
      address,
      network: SERVE_NETWORK,
    })),
  ];
}

function refuse(issues: readonly Issue[], json: boolean): never {
  if (json) print(JSON.stringify({ issues }, undefined, 2));
  else for (const issue of issues) process.stderr.write(`vmlan serve: ${formatIssue(issue)}\n`);
  process.exit(EXIT_USAGE);
}

async function printNextSteps(lab: RunningLab): Promise<void> {
  const { installedQemu } = await import('../host/qemu-version.ts');
  const { netdevArguments } = await import('../qemu/netdev-arguments.ts');
  const { shellQuote } = await import('../qemu/shell-words.ts');
  const installed = await installedQemu('qemu-system-x86_64');
  const version = installed ?? { major: 7, minor: 2, patch: 0 };
  print(describe(lab.plan));
  print(
    `Plug machines in with these words, each with a mac of its own${installed ? '' : ' (no QEMU found here; they fit 7.2 and later)'}:`,
  );
  lab.doors.forEach(({ address, mode }, i) => {
    const sockets = mode === 'listen' ? { listen: address } : { connect: address };
    const result = netdevArguments({ name: 'net0', sockets, mac: freshMac(), mtu: lab.plan.networks[0]!.mtu }, version);
    if ('words' in result) print(`  ${shellQuote(result.words)}`);
    if (i + 1 < lab.doors.length) print();
  });
  print(`Then: vmlan status, vmlan leases, vmlan capture vm1 -w - | wireshark -k -i -`);
  print('Ctrl-C stops it.');
}

function describe({ networks }: LabPlan): string {
  const { kind, mtu, gateway } = networks[0]!;
  if (gateway === undefined) return `A ${kind} without a gateway, mtu ${mtu}.`;
  const { address, prefixLength } = gateway.interface;
  const leases = gateway.dhcp === undefined ? '' : `, leases from ${formatIpv4(gateway.dhcp.first)}`;
  return `A ${kind}, gateway ${formatIpv4(address)}/${prefixLength}${leases}, mtu ${mtu}.`;
}

/** In the range that QEMU's documentation uses, 52:54:00. */
function freshMac(): string {
  return `52:54:00:${randomBytes(3)
    .toString('hex')
    .replace(/..(?!$)/g, '$&:')}`;
}

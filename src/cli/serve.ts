/** `vmlan serve`: one network without any file. */
import { join, resolve } from 'node:path';
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';
import type { Log } from '../base/log.ts';
import { formatSocketAddress, parseSocketAddress } from '../base/socket-address.ts';
import type { ControlServer } from '../control/server.ts';
import { runtimeFolder } from '../host/folders.ts';
import type { DoorPlan, LabPlan } from '../lab/plan.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import { SERVE_NETWORK, servePlan } from '../lab/serve-plan.ts';
import type { Door, DoorMode } from '../link/arrival.ts';
import { formatIpv4, formatIpv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv6Interface } from '../wire/ipv6-text.ts';
import { EXIT_USAGE, Exit } from './exit.ts';
import { freshMac } from './fresh-mac.ts';
import { tellOpenings } from './openings.ts';
import { logTo, print } from './report.ts';
import { claimLab, claimNamedLab, runLab } from './run-lab.ts';
import { SHARED_SOCKET } from './sockets.ts';

export interface ServeCommand {
  readonly listen?: readonly string[];
  readonly connect?: readonly string[];
  readonly hub?: true;
  readonly gateway: boolean;
  readonly subnet?: string;
  readonly mtu?: number;
  readonly user?: string;
  readonly forward?: readonly string[];
  readonly capture?: string;
  readonly name?: string;
  readonly json?: true;
}

export async function serve(options: ServeCommand): Promise<void> {
  const issues: Issue[] = [];
  const doors = doorsOf(options, issues);
  const planned = servePlan({
    name: options.name ?? DEFAULT_NAME,
    hub: options.hub === true,
    gateway: options.gateway,
    ...(options.subnet !== undefined && { subnet: options.subnet }),
    ...(options.mtu !== undefined && { mtu: options.mtu }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.forward !== undefined && { forwards: options.forward }),
    ...(options.capture !== undefined && { capture: resolve(options.capture) }),
  });
  if ('issues' in planned) issues.push(...planned.issues);
  if ('issues' in planned || issues.length > 0) return refuse(issues, options.json === true);
  const { name, control } = await claim(options.name);
  const own: DoorPlan = {
    mode: 'listen',
    address: { kind: 'unix', path: join(runtimeFolder(name), SHARED_SOCKET) },
    network: SERVE_NETWORK,
  };
  const ownLog = logTo(options.json === true);
  await runLab({ ...planned.plan, name }, doors.length > 0 ? doors : [own], control, ownLog, async (lab, log) => {
    const addresses = lab.doors.map((door) => formatSocketAddress(door.address));
    const message = `${name} is ready at ${addresses.join(', ')}`;
    log({ event: 'ready', message, lab: name, pid: process.pid, doors: addresses });
    await tellNextSteps(lab, options.json ? log : undefined);
  });
}

const DEFAULT_NAME = 'serve';

/** Without a name it is `serve`; with one running already, `serve-2`, and so on. */
async function claim(name: string | undefined): Promise<{ readonly name: string; readonly control: ControlServer }> {
  if (name !== undefined) return { name, control: await claimNamedLab(name) };
  for (let number = 1; ; number++) {
    const free = number === 1 ? DEFAULT_NAME : `${DEFAULT_NAME}-${number}`;
    const control = await claimLab(free);
    if (control !== undefined) return { name: free, control };
  }
}

/** The doors that were asked for. */
function doorsOf({ listen = [], connect = [] }: ServeCommand, issues: Issue[]): DoorPlan[] {
  const seen = new Set<string>();
  const doorOf = (mode: DoorMode, text: string): DoorPlan[] => {
    const address = parseSocketAddress(text);
    const path = [`--${mode}`];
    if (address === undefined) {
      issues.push({
        code: 'bad-address',
        path,
        message: `${text} is no address`,
        hint: 'write unix:PATH or tcp:ADDR:PORT',
      });
      return [];
    }
    const absolute = address.kind === 'unix' ? { ...address, path: resolve(address.path) } : address;
    const where = formatSocketAddress(absolute);
    if (seen.has(where))
      issues.push({ code: 'address-twice', path, message: `${text} stands twice`, hint: 'leave one out' });
    if (!where.endsWith(':0')) seen.add(where); // port 0 is another one each time
    return [{ mode, address: absolute, network: SERVE_NETWORK }];
  };
  return [...listen.flatMap((text) => doorOf('listen', text)), ...connect.flatMap((text) => doorOf('connect', text))];
}

function refuse(issues: readonly Issue[], json: boolean): never {
  if (json) print(JSON.stringify({ event: 'serve-refused', issues }));
  else for (const issue of issues) process.stderr.write(`vmlan serve: ${formatIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

/** The words that plug a machine in: for people, or as an event for each door. */
async function tellNextSteps(lab: RunningLab, jsonLog: Log | undefined): Promise<void> {
  const { installedQemu } = await import('../host/qemu-version.ts');
  const { netdevArguments } = await import('../qemu/netdev-arguments.ts');
  const { shellQuote } = await import('../qemu/shell-words.ts');
  const { OLDEST_QEMU } = await import('../qemu/version.ts');
  const installed = await installedQemu('qemu-system-x86_64');
  const { mtu } = lab.plan.networks[0]!;
  const wordsOf = ({ address, mode }: Door): readonly string[] => {
    const sockets = mode === 'listen' ? { listen: address } : { connect: address };
    const result = netdevArguments({ name: 'net0', sockets, mac: freshMac(), mtu }, installed ?? OLDEST_QEMU);
    return 'words' in result ? result.words : [];
  };
  if (jsonLog !== undefined) {
    tellOpenings(lab, jsonLog);
    for (const door of lab.doors) {
      const words = wordsOf(door);
      jsonLog({ event: 'qemu-args', message: shellQuote(words), door: formatSocketAddress(door.address), words });
    }
    return;
  }
  const remark = installed === undefined ? ' (no QEMU was found here; these fit 7.2 and later)' : '';
  print(describe(lab.plan));
  tellOpenings(lab, undefined);
  print(`Plug machines in with these words, each with a mac of its own${remark}:`);
  print(lab.doors.map((door) => `  ${shellQuote(wordsOf(door))}`).join('\n\n'));
  print(`Then: vmlan status, vmlan leases, vmlan capture vm1 -w - | wireshark -k -i -`);
  print('Ctrl-C stops it.');
}

function describe({ networks }: LabPlan): string {
  const { kind, mtu, gateway } = networks[0]!;
  if (gateway === undefined) return `A ${kind} without a gateway, mtu ${mtu}.`;
  const { interface: own, ipv6, dhcp } = gateway;
  const places = [own && formatIpv4Interface(own), ipv6 && formatIpv6Interface(ipv6.interface)];
  const leases = dhcp === undefined ? '' : `, leases from ${formatIpv4(dhcp.first)}`;
  return `A ${kind}, gateway ${places.filter((place) => place !== undefined).join(' and ')}${leases}, mtu ${mtu}.`;
}

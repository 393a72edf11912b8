/** What of this machine vmlan can use: for each thing whether it is there, what its absence costs, and how to get it. */
import { formatQemuVersion, parseQemuVersion, qemuFeatures } from '../qemu/version.ts';
import type { HostAbilities } from './node-host-net.ts';
import type { NamespaceProblem } from './user-namespaces.ts';

/** `missing` of what no lab can do without ends `vmlan doctor` with status 1. `poor`: it is there, and not all that it could be. */
export type CheckState = 'good' | 'poor' | 'missing';

export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What there is less of, and how to have it; of a good thing neither. */
  readonly costs?: string;
  readonly remedy?: string;
  /** No lab can do without it. */
  readonly isNeeded?: true;
}

/** How the machine is asked; tests ask another. */
export interface Machine {
  /** Where a program is. */
  program(name: string): string | undefined;
  /** What a program prints; undefined where it fails. */
  output(program: string, args: readonly string[]): Promise<string | undefined>;
  /** Whether this user may read and write a device. */
  device(path: string): 'usable' | 'forbidden' | 'absent';
  namespaceProblem(): NamespaceProblem | undefined;
  hasSystemCalls(): boolean;
  echo(): HostAbilities['echo'];
  /** Whether it has IPv6 addresses beyond its links; `off` where it has no IPv6 at all. */
  ipv6(): 'global' | 'links' | 'off';
  /** Files that a process may have open; undefined where the machine does not tell. */
  descriptorLimit(): number | undefined;
  /** Why sockets of labs, or what outlives them, cannot be kept in their folder; undefined where they can. */
  folderProblem(which: 'runtime' | 'state'): string | undefined;
  folder(which: 'runtime' | 'state'): string;
}

export async function examine(machine: Machine): Promise<readonly Check[]> {
  return [
    checkFolder(machine, 'runtime', 'sockets of labs', 'XDG_RUNTIME_DIR'),
    checkFolder(machine, 'state', 'leases and forwards', 'XDG_STATE_HOME'),
    await checkQemu(machine),
    checkKvm(machine),
    checkKoffi(machine),
    checkNamespaces(machine),
    checkIp(machine),
    checkTun(machine),
    checkPing(machine),
    checkIpv6(machine),
    checkDescriptors(machine),
    checkProgram(machine, SHARK),
    checkProgram(machine, SMBD),
  ];
}

function checkFolder(machine: Machine, which: 'runtime' | 'state', what: string, variable: string): Check {
  const folder = machine.folder(which);
  const problem = machine.folderProblem(which);
  const name = `${which} folder`;
  if (problem === undefined) return { name, state: 'good', found: folder };
  const remedy = `mend ${folder}, or set ${variable} to a folder of your own`;
  return { name, state: 'missing', found: problem, costs: `no lab starts: ${what} lie there`, remedy, isNeeded: true };
}

async function checkQemu(machine: Machine): Promise<Check> {
  const name = 'QEMU';
  const remedy = install({ debian: 'qemu-system-x86', fedora: 'qemu-system-x86', arch: 'qemu-system-x86' });
  const program = machine.program('qemu-system-x86_64');
  if (program === undefined) {
    const costs = 'no machines here: vmlan run and nodes that vmlan starts; the demo has built-in machines only';
    return { name, state: 'missing', found: 'no qemu-system-x86_64', costs, remedy };
  }
  const [said, accelerators] = await Promise.all([
    machine.output(program, ['-version']),
    machine.output(program, ['-accel', 'help']),
  ]);
  const version = said === undefined ? undefined : parseQemuVersion(said);
  if (version === undefined)
    return { name, state: 'poor', found: program, costs: 'it does not say its version', remedy };
  const kinds = (accelerators ?? '').split('\n').slice(1).filter(Boolean).join(', ');
  const found = `${formatQemuVersion(version)}, ${program}${kinds === '' ? '' : ` (${kinds})`}`;
  const { hasStreamNetdev, reconnect } = qemuFeatures(version);
  if (!hasStreamNetdev) return { name, state: 'poor', found, costs: 'it has no -netdev stream', remedy: NEWER_QEMU };
  if (reconnect !== 'none') return { name, state: 'good', found };
  return {
    name,
    state: 'poor',
    found,
    costs: 'it does not reconnect by itself; vmlan connects to it',
    remedy: NEWER_QEMU,
  };
}

const NEWER_QEMU = 'take QEMU 8.0 or later';

function checkKvm(machine: Machine): Check {
  const name = 'KVM';
  const device = '/dev/kvm';
  const costs = 'machines are emulated, about ten times slower';
  switch (machine.device(device)) {
    case 'usable':
      return { name, state: 'good', found: device };
    case 'forbidden':
      return {
        name,
        state: 'missing',
        found: `${device} is closed to you`,
        costs,
        remedy: 'sudo usermod -aG kvm $USER, and log in again',
      };
    case 'absent':
      return {
        name,
        state: 'missing',
        found: `no ${device}`,
        costs,
        remedy: "switch virtualization on in the machine's firmware, or nested virtualization in its hypervisor",
      };
  }
}

function checkKoffi(machine: Machine): Check {
  const name = 'system calls';
  if (machine.hasSystemCalls()) return { name, state: 'good', found: 'koffi' };
  return {
    name,
    state: 'missing',
    found: 'no koffi for this machine',
    costs: 'no vmlan exec and shell; senders of UDP hear no ICMP errors, so traceroute ends at the gateway',
    remedy: 'npm install koffi, on Linux',
  };
}

function checkNamespaces(machine: Machine): Check {
  const name = 'user namespaces';
  const problem = machine.namespaceProblem();
  if (problem === undefined) return { name, state: 'good', found: 'unshare makes them' };
  return { name, state: 'missing', found: problem.message, costs: 'no vmlan exec and shell', remedy: problem.hint };
}

function checkIp(machine: Machine): Check {
  const name = 'ip';
  const program = machine.program('ip');
  if (program !== undefined) return { name, state: 'good', found: program };
  const remedy = install({ debian: 'iproute2', fedora: 'iproute', arch: 'iproute2' });
  return { name, state: 'missing', found: 'no ip', costs: 'no vmlan exec and shell', remedy };
}

function checkTun(machine: Machine): Check {
  const name = 'TAP';
  const device = '/dev/net/tun';
  const state = machine.device(device);
  if (state === 'usable') return { name, state: 'good', found: device };
  const found = state === 'absent' ? `no ${device}` : `${device} is closed to you`;
  const remedy = state === 'absent' ? 'sudo modprobe tun' : `sudo chmod 0666 ${device}`;
  return { name, state: 'poor', found, costs: 'vmlan exec takes a veth and a packet socket, which are slower', remedy };
}

function checkPing(machine: Machine): Check {
  const name = 'ping';
  const remedy = "sudo sysctl -w net.ipv4.ping_group_range='0 2147483647'";
  switch (machine.echo()) {
    case 'ping-socket':
      return { name, state: 'good', found: 'ping sockets' };
    case 'raw':
      return { name, state: 'good', found: 'raw sockets' };
    case 'ping-command':
      return { name, state: 'poor', found: "the system's ping", costs: 'a process for each ping of a guest', remedy };
    case 'none':
      return {
        name,
        state: 'missing',
        found: 'nothing that pings',
        costs: 'pings of guests to the world stay unanswered',
        remedy,
      };
  }
}

function checkIpv6(machine: Machine): Check {
  const name = 'IPv6';
  const found = { global: 'an address for the world', links: 'no address beyond the links', off: 'none at all' };
  const state = machine.ipv6();
  if (state === 'global') return { name, state: 'good', found: found[state] };
  const within = state === 'off' ? ', nor the loopback' : '';
  const costs = `guests reach no IPv6 of the world${within}; IPv6 among machines of a lab works`;
  const remedy = 'connect this machine to a network with IPv6; guests use IPv4 where a name has both';
  return { name, state: 'poor', found: found[state], costs, remedy };
}

/** Descriptors below which a lab of some machines may run out of them: one for each conversation with the world. */
const ENOUGH_DESCRIPTORS = 4096;

function checkDescriptors(machine: Machine): Check {
  const name = 'open files';
  const limit = machine.descriptorLimit();
  if (limit === undefined) return { name, state: 'good', found: 'the machine does not tell' };
  if (limit >= ENOUGH_DESCRIPTORS) return { name, state: 'good', found: `${limit}` };
  const costs = 'each conversation of a guest with the world takes one; beyond that they are refused';
  return { name, state: 'poor', found: `${limit} at a time`, costs, remedy: 'ulimit -n 65536 before vmlan starts' };
}

interface WantedProgram {
  readonly name: string;
  /** Any of them will do. */
  readonly programs: readonly string[];
  readonly costs: string;
  readonly packages: Packages;
}

const SHARK: WantedProgram = {
  name: 'Wireshark',
  programs: ['wireshark', 'tshark'],
  costs: 'captures are written, and nothing here shows them',
  packages: { debian: 'wireshark', fedora: 'wireshark', arch: 'wireshark-qt' },
};
const SMBD: WantedProgram = {
  name: 'Samba',
  programs: ['smbd'],
  costs: 'no smb= of user networks',
  packages: { debian: 'samba', fedora: 'samba', arch: 'samba' },
};

function checkProgram(machine: Machine, { name, programs, costs, packages }: WantedProgram): Check {
  const found = programs.flatMap((program) => machine.program(program) ?? []).join(', ');
  if (found !== '') return { name, state: 'good', found };
  return { name, state: 'missing', found: `no ${programs.join(', no ')}`, costs, remedy: install(packages) };
}

interface Packages {
  readonly debian: string;
  readonly fedora: string;
  readonly arch: string;
}

function install({ debian, fedora, arch }: Packages): string {
  return `apt install ${debian} (Debian, Ubuntu); dnf install ${fedora} (Fedora); pacman -S ${arch} (Arch)`;
}

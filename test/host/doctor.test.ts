import { describe, expect, it } from 'vitest';
import type { Check, Machine } from '../../src/host/doctor.ts';
import { examine } from '../../src/host/doctor.ts';
import { thisMachine } from '../../src/host/machine.ts';

const QEMU_SAYS: Readonly<Record<string, string>> = {
  '-version': 'QEMU emulator version 9.2.0',
  '-accel help': 'Accelerators supported in QEMU binary:\ntcg\nkvm\n',
};

/** A machine that has everything. */
const FULL: Machine = {
  program: (name) => `/usr/bin/${name}`,
  output: async (_program, args) => QEMU_SAYS[args.join(' ')],
  device: () => 'usable',
  namespaceProblem: () => undefined,
  hasSystemCalls: () => true,
  echo: () => 'ping-socket',
  ipv6: () => 'global',
  descriptorLimit: () => 65_536,
  folderProblem: () => undefined,
  folder: (which) => `/${which}`,
};

const without = (...names: readonly string[]): Partial<Machine> => ({
  program: (name) => (names.includes(name) ? undefined : FULL.program(name)),
});
const device = (path: string, state: 'forbidden' | 'absent'): Partial<Machine> => ({
  device: (asked) => (asked === path ? state : 'usable'),
});
const qemu = (version: string): Partial<Machine> => ({
  output: async (_program, args) => (args[0] === '-version' ? `QEMU emulator version ${version}` : undefined),
});

/** Checks that are not good, as `name: state`. */
async function trouble(machine: Partial<Machine>): Promise<readonly Check[]> {
  return (await examine({ ...FULL, ...machine })).filter(({ state }) => state !== 'good');
}

it('finds nothing wrong with a machine that has everything', async () => {
  expect(await trouble({})).toEqual([]);
});

describe('with one thing removed says what that costs, and how to get it:', () => {
  it.each<[string, Partial<Machine>, string, RegExp, RegExp]>([
    ['QEMU', without('qemu-system-x86_64'), 'QEMU: missing', /vmlan run/, /apt install qemu-system-x86/],
    ['a QEMU before 7.2', qemu('6.1.0'), 'QEMU: poor', /no -netdev stream/, /8\.0/],
    ['a QEMU before 8.0', qemu('7.2.0'), 'QEMU: poor', /does not reconnect/, /8\.0/],
    ['a QEMU that says something else', qemu('?'), 'QEMU: poor', /does not say/, /apt install/],
    ['IPv6 addresses', { ipv6: () => 'links' }, 'IPv6: poor', /no IPv6 of the world;/, /network with IPv6/],
    ['IPv6', { ipv6: () => 'off' }, 'IPv6: poor', /nor the loopback/, /network with IPv6/],
    ['KVM', device('/dev/kvm', 'absent'), 'KVM: missing', /emulated/, /firmware/],
    ['leave to use KVM', device('/dev/kvm', 'forbidden'), 'KVM: missing', /emulated/, /usermod -aG kvm/],
    ['koffi', { hasSystemCalls: () => false }, 'system calls: missing', /vmlan exec/, /npm install koffi/],
    [
      'user namespaces',
      { namespaceProblem: () => ({ message: 'no', hint: 'allow them: sudo sysctl' }) },
      'user namespaces: missing',
      /vmlan exec/,
      /sysctl/,
    ],
    ['ip', without('ip'), 'ip: missing', /vmlan exec/, /iproute2/],
    ['TAP', device('/dev/net/tun', 'absent'), 'TAP: poor', /veth/, /modprobe tun/],
    ['leave to use TAP', device('/dev/net/tun', 'forbidden'), 'TAP: poor', /veth/, /chmod 0666/],
    ['ping sockets', { echo: () => 'ping-command' }, 'ping: poor', /a process for each/, /ping_group_range/],
    ['every ping', { echo: () => 'none' }, 'ping: missing', /unanswered/, /ping_group_range/],
    ['descriptors', { descriptorLimit: () => 256 }, 'open files: poor', /refused/, /ulimit -n/],
    ['Wireshark', without('wireshark', 'tshark'), 'Wireshark: missing', /captures/, /wireshark-qt/],
    ['Samba', without('smbd'), 'Samba: missing', /smb=/, /samba/],
  ])('%s', async (_what, machine, expected, costs, remedy) => {
    const found = await trouble(machine);
    expect(found.map(({ name, state }) => `${name}: ${state}`)).toEqual([expected]);
    expect([found[0]!.costs, found[0]!.remedy]).toEqual([expect.stringMatching(costs), expect.stringMatching(remedy)]);
    expect(found[0]!.isNeeded).toBeUndefined();
  });
});

it.each(['runtime', 'state'] as const)('no lab starts without a %s folder', async (folder) => {
  const found = await trouble({ folderProblem: (which) => (which === folder ? 'read only' : undefined) });
  expect(found).toEqual([expect.objectContaining({ name: `${folder} folder`, state: 'missing', isNeeded: true })]);
});

it('one of Wireshark and tshark is enough, and a ping with privileges is one', async () => {
  expect(await trouble(without('wireshark'))).toEqual([]);
  expect(await trouble({ echo: () => 'raw', descriptorLimit: () => undefined })).toEqual([]);
});

it('asks this very machine', async () => {
  const checks = await examine(thisMachine);
  expect(checks.map(({ state, remedy }) => (state === 'good') === (remedy === undefined))).not.toContain(false);
  expect(checks).toHaveLength((await examine(FULL)).length);
});

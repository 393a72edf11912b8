import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { servePlan } from '../../src/lab/serve-plan.ts';
import { readQemuCommand } from '../../src/qemu/command-line.ts';
import { netdevArguments } from '../../src/qemu/netdev-arguments.ts';
import { pluggedCommand } from '../../src/qemu/plugged-command.ts';
import { parseQemuVersion } from '../../src/qemu/version.ts';
import { formatIpv4, networkOf } from '../../src/wire/ipv4-address.ts';
import { describeGuests } from '../guest/support/qemu.ts';

describeGuests('the installed QEMU', () => {
  it('takes the words for a card and makes one of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vmlan,'));
    const version = parseQemuVersion(await qemu(['-version']))!;
    const sockets = {
      listen: { kind: 'unix', path: join(folder, 'vmlan') },
      connect: { kind: 'unix', path: join(folder, 'qemu') },
    } as const;
    const result = netdevArguments({ name: 'lan', sockets, mac: '52:54:00:aa:bb:cc', mtu: 9000 }, version);
    const heard = await monitor(['-M', 'pc', ...('words' in result ? result.words : [])], 'info network');
    expect(heard).toMatch(/type=nic,model=virtio-net-pci,macaddr=52:54:00:aa:bb:cc/);
    expect(heard).toMatch(/lan: index=0,type=stream/);
    await rm(folder, { recursive: true });
  });

  it.each([
    ['', /hub 0\n.*model=e1000,macaddr=52:54:00:12:34:56\n.*type=stream/],
    ['-nic user,model=rtl8139,id=u', /hub 1\n \\ u: .*model=rtl8139,macaddr=52:54:00:12:34:56\n.*type=stream/],
    ['-net nic,model=ne2k_pci -net user', /hub 0\n.*model=ne2k_pci.*\n.*type=stream/],
    ['-netdev user,id=n -device virtio-net,netdev=n', /virtio-net.*type=nic.*\n \\ n: index=0,type=stream/],
    ['-netdev {"type":"user","id":"n"} -device e1000,netdev=n', / \\ n: index=0,type=stream/],
    ['-nic user -nic user', /hub 2\n(.*\n){2}hub 1\n/],
  ])('takes cables in place of the user networks of: %s', async (given, expected) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmlan,'));
    const path = join(folder, 'vm.sock');
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const command = readQemuCommand(['qemu-system-x86_64', ...given.split(' ').filter((word) => word !== '')]);
    const plugs = command.networks.map(() => ({ socket: { kind: 'unix', path } as const }));
    const version = parseQemuVersion(await qemu(['-version']))!;
    const [, ...words] = pluggedCommand(command, plugs, version)!;
    const heard = await qemu([...QUIET, ...words], 'info network\nquit\n');
    expect(heard.replaceAll('\r', '')).toMatch(expected);
    server.close();
    await rm(folder, { recursive: true });
  });

  it.each([
    '10.0.3.77/24',
    '10.9.0.0',
    '172.20.0.0',
    '130.1.0.0',
    '192.168.76.0',
    '198.18.0.0',
    '10.7.7.7/255.255.240.0',
  ])('understands net=%s as we do', async (net) => {
    const heard = await monitor(['-M', 'none', '-netdev', `user,id=u,net=${net}`], 'info network');
    const plan = servePlan({ name: 'serve', hub: false, gateway: true, user: `net=${net}` });
    const gateway = 'plan' in plan ? plan.plan.networks[0]?.gateway : undefined;
    expect(/net=([\d.]+)/.exec(heard)?.[1]).toBe(formatIpv4(networkOf(gateway!.interface!)));
  });
});

/** Starts a machine that does nothing, asks its monitor, and ends it. */
function monitor(words: readonly string[], command: string): Promise<string> {
  return qemu([...words, '-nodefaults', ...QUIET], `${command}\nquit\n`);
}

const QUIET = ['-display', 'none', '-S', '-monitor', 'stdio'];

function qemu(words: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('qemu-system-x86_64', words, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    child.stdin?.end(input);
  });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { shellQuote } from '../../src/qemu/shell-words.ts';
import { leases, spawnVmlan, startVmlan, vmlanCommand } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

const MAC = '52:54:00:00:00:0c';
const CARD = ['-nic', 'user,model=virtio-net-pci'];

/** From now on guests of the workbench are started by `vmlan run`. */
function putUnderRun(bench: Workbench, ...options: readonly string[]): void {
  const qemu = bench.path('qemu');
  const words = shellQuote([...vmlanCommand, 'run', ...options, '--', 'qemu-system-x86_64']);
  writeFileSync(qemu, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  bench.env['VMLAN_GUEST_QEMU'] = qemu;
}

describeGuests('machines started by vmlan run', () => {
  it.each([
    ["QEMU's default card", []],
    ['-nic user', ['-nic', 'user,model=e1000']],
    ['-net user', ['-net', 'nic,model=rtl8139', '-net', 'user']],
    ['-netdev user', ['-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n']],
    ['two cards', ['-nic', 'user', '-nic', 'user,net=10.0.9.0/24']],
  ])('boot from the network with %s', async (_, words) => {
    const bench = new Workbench();
    const qemu = ['qemu-system-x86_64', '-accel', 'tcg', '-M', 'pc,graphics=off', '-nographic', '-boot', 'n'];
    const machine = spawnVmlan(bench, ['run', '--', ...qemu, ...words]);
    await machine.until(
      'a lease',
      () => /net0: 10\.0\.2\.15\/255\.255\.255\.0 gw 10\.0\.2\.2/.exec(machine.stdout)?.[0],
      120,
    );
    if (words.length > 3 && words[0] === '-nic') {
      await machine.until('a lease of the second card', () => /net1: 10\.0\.9\.15\//.exec(machine.stdout)?.[0], 120);
    }
    machine.write('\x01x');
    expect((await machine.exited).status).toBe(0);
  });

  it('lease on a network for each card, and the capture shows both', async () => {
    const bench = new Workbench();
    const file = bench.path('all.pcapng');
    putUnderRun(bench, '--capture', file);
    const guest = await startGuest(bench, {
      nics: [
        { netdev: 'user', mac: MAC },
        { netdev: 'user,net=10.0.9.0/24,hostname=vm', mac: '52:54:00:00:00:0d' },
      ],
      dhcp: true,
    });
    await guest.must('udhcpc -i eth1 -n -q -s /etc/udhcpc.script');
    expect(await guest.address('eth0')).toBe('10.0.2.15');
    expect(await guest.address('eth1')).toBe('10.0.9.15');
    await guest.must('ping -c1 10.0.2.2 && ping -c1 10.0.9.2');
    expect((await leases(bench)).map(({ address }) => address).sort()).toEqual(['10.0.2.15', '10.0.9.15']);
    await guest.kill();
    expect(new PcapngReader().feed(readFileSync(file)).length).toBeGreaterThan(8);
  });

  it('reach services of the host, and the host theirs', async () => {
    const server = createServer((_, answer) => answer.end('from the host'));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bench = new Workbench();
    putUnderRun(bench);
    const socket = bench.path('forward.sock');
    const guest = await startGuest(bench, {
      nics: [{ netdev: `user,hostfwd=unix:${socket}-:7`, mac: MAC }],
      dhcp: true,
    });
    const { port } = server.address() as AddressInfo;
    expect(await guest.must(`curl -s http://10.0.2.2:${port}/`)).toContain('from the host');
    await guest.must(
      '(echo from the guest | nc -l -N -p 7 >/dev/null 2>&1 &) ; until ss -ltn | grep -q :7; do :; done',
    );
    expect(await text(connect(socket))).toBe('from the guest\n');
  });

  it('share the network of a running vmlan, each with an address of its own', async () => {
    const bench = new Workbench();
    putUnderRun(bench, '--network', 'office');
    await startVmlan(bench, ['serve', '--name', 'office']);
    const guests = await Promise.all([1, 2].map(() => startGuest(bench, { qemu: CARD, dhcp: true })));
    const [a, b] = await Promise.all(guests.map((guest) => guest.address()));
    expect(a).not.toBe(b);
    await guests[0]!.must(`ping -c1 ${b}`);
    await guests[1]!.must(`ping -c1 ${a}`);
    expect(new Set((await leases(bench)).map(({ mac }) => mac)).size).toBe(2);
  });
});

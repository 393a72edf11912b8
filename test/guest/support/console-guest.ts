import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawnVmlan } from '../../support/vmlan.ts';
import type { Workbench } from '../../support/workbench.ts';
import { Guest, READY, SHELL_LOOP } from './guest.ts';
import { guestImages } from './rig.ts';

/** The first process of a guest whose shell is at its first serial port. */
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs tmpfs /run
modprobe -q -b -a $(cat /sys/bus/pci/devices/*/modalias) 2>/dev/null
modprobe -q -b -a $(cat /sys/bus/virtio/devices/*/modalias) 2>/dev/null
ip link set lo up
for i in /sys/class/net/eth*; do ip link set "\${i##*/}" up; done
stty -F /dev/ttyS0 raw -echo
exec </dev/ttyS0 >/dev/ttyS0 2>&1
${SHELL_LOOP}
`;

/** The rig's guest as `qemu:` of a node has it: its files in the bench's folder, and the words that start it quickly. `pieces` are more of its root file system. */
export function consoleGuest(bench: Workbench, pieces: readonly string[] = []): string {
  const images = guestImages();
  const added = bench.makeFolder('added');
  writeFileSync(join(added, 'console'), INIT, { mode: 0o755 });
  const cpio = execFileSync(join(images, 'busybox'), ['cpio', '-o', '-H', 'newc', '-R', '0:0'], {
    cwd: added,
    input: 'console\n',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const root = ['base.cpio', ...pieces].map((piece) => readFileSync(resolve(images, piece)));
  writeFileSync(bench.path('initrd'), Buffer.concat([...root, cpio]));
  copyFileSync(join(images, 'vmlinuz'), bench.path('vmlinuz')); // whoever runs it may not read our cache
  const append =
    'console=ttyS0 quiet loglevel=3 rdinit=/console mitigations=off tsc=reliable no_timer_check lpj=4000000';
  const args = '-nodefaults -machine q35 -cpu max -global virtio-net-pci.romfile=';
  return `memory: ${pieces.length === 0 ? '256M' : '512M'}, kernel: vmlinuz, initrd: initrd, append: ${append}, args: ${args}`;
}

/** Attaches to the console of a machine that boots; resolves when it takes commands. `tail`: lines that it may have said before. */
export async function bootedGuest(bench: Workbench, node: string, tail: number): Promise<Guest> {
  const child = spawnVmlan(bench, ['console', node, '--tail', String(tail)]);
  await child.until(`${node} boots`, () => (child.stdout.includes(`${READY}\n`) ? true : undefined));
  return new Guest(child, '');
}

/** As `bootedGuest`, for a machine that has a shell with a prompt at its console. */
export async function guestAtPrompt(bench: Workbench, node: string, prompt: string, tail: number): Promise<Guest> {
  const child = spawnVmlan(bench, ['console', node, '--tail', String(tail)]);
  await child.until(`${node} has a prompt`, () => (child.stdout.includes(prompt) ? true : undefined));
  child.write(`stty raw -echo; ${SHELL_LOOP}\n`);
  await child.until(`${node} takes commands`, () => (child.stdout.includes(`${READY}\n`) ? true : undefined));
  return new Guest(child, '');
}

/** What `vmlan doctor` tells an ordinary user from whom one thing is really taken: by namespaces in which it is not there. */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Check } from '../../src/host/doctor.ts';
import { ordinaryUser } from '../support/ordinary-user.ts';
import { vmlanCommand } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { describeGuests } from './support/qemu.ts';

const KOFFI = realpathSync(fileURLToPath(new URL('../../node_modules/koffi', import.meta.url)));

/** Words for env(1) before a command. */
type Taking = readonly string[];

const inNamespaces = (script: string, ...more: readonly string[]): Taking => [
  ...['unshare', '--user', '--map-root-user', '--mount', ...more, 'sh', '-ec', `${script}; exec "$@"`, 'sh'],
];

/** Puts what cannot be run in the place of programs, wherever the shell or vmlan would look for them. */
function hide(...programs: readonly string[]): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  const places = programs.flatMap((name) => folders.map((folder) => join(folder, name)).filter(existsSync));
  return ['true', ...new Set(places.map((place) => `mount --bind /dev/null ${realpathSync(place)}`))].join('; ');
}

const TAKEN: readonly (readonly [string, Taking, readonly string[]])[] = [
  ['QEMU', inNamespaces(hide('qemu-system-x86_64')), ['QEMU: missing']],
  ['the devices of KVM and TAP', inNamespaces('mount -t tmpfs none /dev'), ['KVM: missing', 'TAP: poor']],
  ['koffi', inNamespaces(`mount -t tmpfs none ${KOFFI}`), ['system calls: missing']],
  [
    'leave to make namespaces',
    inNamespaces('echo 0 >/proc/sys/user/max_user_namespaces'),
    ['user namespaces: missing'],
  ],
  ['unshare', inNamespaces(hide('unshare')), ['user namespaces: missing']],
  ['ip', inNamespaces(hide('ip')), ['ip: missing']],
  [
    'the network, and every ping',
    inNamespaces(`${hide('ping')}; set -- unshare --map-user=1 --map-group=1 "$@"`, '--net'),
    ['ping: missing', 'IPv6: poor'],
  ],
  ['descriptors', ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh'], ['open files: poor']],
  ['Wireshark', inNamespaces(hide('wireshark', 'tshark')), ['Wireshark: missing']],
  ['Samba', inNamespaces(hide('smbd')), ['Samba: missing']],
  ['a folder for sockets', ['XDG_RUNTIME_DIR=/dev/null'], ['runtime folder: missing']],
  ['a folder for leases', ['XDG_STATE_HOME=/dev/null'], ['state folder: missing']],
];

async function doctor(bench: Workbench, taking: Taking = []) {
  const { status, stdout } = await bench.run('env', [...taking, ...vmlanCommand, 'doctor', '--json']);
  return { status, ...(JSON.parse(stdout) as { readonly ready: boolean; readonly checks: readonly Check[] }) };
}

const named = (checks: readonly Check[]) => checks.map(({ name, state }) => `${name}: ${state}`);

describeGuests('vmlan doctor, of an ordinary user from whom is taken', () => {
  it.each(TAKEN)('%s, tells what that costs and how to get it, and nothing else', async (_what, taking, expected) => {
    const bench = new Workbench(ordinaryUser);
    const before = await doctor(bench);
    const after = await doctor(bench, taking);
    const names = expected.map((text) => text.split(':')[0]!);
    const [gone, kept] = [true, false].map((isGone) =>
      after.checks.filter(({ name }) => names.includes(name) === isGone),
    );
    expect(named(gone!)).toEqual(expected);
    for (const check of gone!) expect(check).toMatchObject({ costs: expect.any(String), remedy: expect.any(String) });
    expect(named(kept!)).toEqual(named(before.checks.filter(({ name }) => !names.includes(name))));
    const isReady = !names.some((name) => name.endsWith('folder'));
    expect([before.status, before.ready, after.status, after.ready]).toEqual([0, true, isReady ? 0 : 1, isReady]);
  });
});

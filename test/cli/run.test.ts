import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { shellQuote } from '../../src/qemu/shell-words.ts';
import { describeGuests } from '../guest/support/qemu.ts';
import type { Child } from '../support/child.ts';
import { fakeQemu } from '../support/fake-qemu.ts';
import { runVmlan, spawnVmlan, startVmlan, status, vmlanCommand } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

/** Starts the command under `vmlan run`; resolves when it is ready. */
async function run(bench: Workbench, ...words: readonly string[]): Promise<Child> {
  const child = spawnVmlan(bench, ['run', ...words]);
  await heard(child, 'ready');
  return child;
}

/** The same at a terminal of its own, in place of the shell that would hear Ctrl-C too. */
async function runAtTerminal(bench: Workbench, ready: string, ...words: readonly string[]): Promise<Child> {
  const command = `exec ${shellQuote([...vmlanCommand, 'run', ...words])}`;
  const child = bench.start('script', ['-qec', command, '/dev/null']);
  await heard(child, ready);
  return child;
}

const heard = (child: Child, text: string) => child.until(text, () => (child.stdout.includes(text) ? true : undefined));

const MACHINE = expect.objectContaining({ port: 'vm1', connected: true });

function wordsOf(child: Child): readonly string[] {
  return child.stdout.split('\n').flatMap((line) => (line.startsWith('word ') ? [line.slice('word '.length)] : []));
}

describe('vmlan run', { timeout: 60_000 }, () => {
  it('starts the command with cables for its user networks, and is silent on standard output', async () => {
    const bench = new Workbench();
    const child = await run(bench, '--name', 'vm', '--', fakeQemu(bench), '-m', '1', '-netdev', 'user,id=n0', 'a b');
    const cable = `stream,id=n0,server=off,addr.type=unix,addr.path=${bench.path('run/vmlan/vm/n0.vm.sock')}`;
    expect(child.stdout).toBe(
      `${['-m', '1', '-netdev', cable, 'a b'].map((word) => `word ${word}\n`).join('')}ready\n`,
    );
    child.write('exit 0\n');
    await child.exited;
    expect(child.stderr).toMatch(/^vmlan: vm is its user network: .*127\.0\.0\.1.*\n$/);
  });

  it.each([
    ['exit 0', 0],
    ['exit 42', 42],
    ['kill SIGTERM', 143],
    ['kill SIGKILL', 137],
  ])('ends as the command ends: %s', async (order, expected) => {
    const bench = new Workbench();
    const child = await run(bench, '--', fakeQemu(bench), '-nic', 'user');
    child.write(`${order}\n`);
    expect(await child.exited).toEqual({ status: expected, signal: undefined });
  });

  it('lets the command decide what a signal means', async () => {
    const bench = new Workbench();
    const child = await run(bench, '--', fakeQemu(bench), '-nic', 'user');
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      child.signal(signal);
      await heard(child, `heard ${signal}`);
    }
    child.write('exit 5\n');
    expect((await child.exited).status).toBe(5);
  });

  it('leaves Ctrl-C at a terminal to the command, which hears it once', async () => {
    const bench = new Workbench();
    const child = await runAtTerminal(bench, 'ready', '--', fakeQemu(bench), '-nic', 'user');
    child.write('\x03');
    await heard(child, 'heard SIGINT');
    child.write('exit 6\n');
    expect((await child.exited).status).toBe(6);
    expect(child.stdout.match(/heard/g)).toHaveLength(1);
  });

  it('is a lab while it runs, one network for each card, and completes its capture', async () => {
    const bench = new Workbench();
    const file = bench.path('all.pcapng');
    const words = ['-netdev', 'user,id=n0', '-netdev', 'user,id=n1,net=10.9.0.0/24'];
    const child = await run(bench, '--capture', file, '--name', 'vm', '--', fakeQemu(bench), ...words);
    child.write('frame\n');
    const heardOf = async () => (await status(bench, 'vm')).ports.filter(({ fromGuest }) => fromGuest.frames === 1);
    while ((await heardOf()).length < 2);
    expect((await heardOf()).map(({ network, port }) => [network, port])).toEqual([
      ['n0', 'vm1'],
      ['n1', 'vm2'],
    ]);
    child.write('exit 0\n');
    expect((await child.exited).status).toBe(0);
    const frames = new PcapngReader().feed(readFileSync(file));
    expect(frames.filter(({ bytes }) => bytes[0] === 0xff && bytes[6] === 0xff)).toHaveLength(2);
  });

  it('takes its own options before the command only', async () => {
    const bench = new Workbench();
    const child = await run(bench, fakeQemu(bench), '-name', '--capture', '-nic', 'none');
    expect(wordsOf(child)).toEqual(['-name', '--capture', '-nic', 'none']);
    child.write('exit 0\n');
    await child.exited;
    expect(child.stderr).toContain('QEMU runs as it would without vmlan');
  });

  it('refuses what it does not know, all at once, before anything starts', async () => {
    const bench = new Workbench();
    const child = await runVmlan(bench, ['run', '--', fakeQemu(bench), '-netdev', 'user,id=n0,foo=1,host=1.2.3.4']);
    expect(child.status).toBe(2);
    expect(child.stdout).toBe('');
    expect(child.stderr).toMatch(/^vmlan run: -netdev n0\.foo: .*\nvmlan run: -netdev n0\.host: .*\n$/);
  });

  it('tells which free port a hostfwd got, on 127.0.0.1 unless it is told otherwise', async () => {
    const bench = new Workbench();
    const words = [fakeQemu(bench), '-nic', 'user,hostfwd=tcp::0-:22'];
    const child = await run(bench, '--', ...words);
    const port = Number(/hostfwd to 10\.0\.2\.15:22 listens on tcp 127\.0\.0\.1:(\d+)/.exec(child.stderr)?.[1]);
    const everywhere = await run(bench, '--slirp-listen-all', '--', ...words);
    expect(everywhere.stderr).toMatch(/listens on tcp 0\.0\.0\.0:\d+/);
    const late = await runVmlan(bench, ['run', '--', fakeQemu(bench), '-nic', `user,hostfwd=tcp::${port}-:22`]);
    expect(late.status).toBe(1);
    expect(late.stderr).toMatch(new RegExp(`^vmlan: .*127\\.0\\.0\\.1:${port}.*; `, 'm'));
    for (const each of [child, everywhere]) each.write('exit 0\n');
    await Promise.all([child.exited, everywhere.exited]);
  });

  it('says which program was not found, or cannot be started', async () => {
    const bench = new Workbench();
    const missing = await runVmlan(bench, ['run', '--', bench.path('qemu-system-x86_64'), '-nic', 'user']);
    expect(missing.status).toBe(127);
    expect(missing.stderr).toContain(`${bench.path('qemu-system-x86_64')} was not found; install it`);
    writeFileSync(bench.path('kvm'), '');
    expect((await runVmlan(bench, ['run', '--', bench.path('kvm'), '-nic', 'user'])).status).toBe(126);
  });

  it('plugs into the network of a running vmlan, with an address of its own', async () => {
    const bench = new Workbench();
    await startVmlan(bench, ['serve', '--name', 'office']);
    const child = await run(
      bench,
      '--network',
      'office',
      '--',
      fakeQemu(bench),
      '-netdev',
      'user,id=n',
      '-device',
      'e1000,netdev=n',
    );
    expect(wordsOf(child)).toEqual([
      '-netdev',
      `stream,id=n,server=off,addr.type=unix,addr.path=${bench.path('run/vmlan/office/vm.sock')}`,
      '-device',
      expect.stringMatching(/^e1000,netdev=n,mac=52:54:00(:[0-9a-f]{2}){3}$/),
    ]);
    expect((await status(bench, 'office')).ports).toContainEqual(MACHINE);
    child.write('exit 3\n');
    expect((await child.exited).status).toBe(3);
  });

  it('forwards into the network of a running vmlan as long as the command runs', async () => {
    const bench = new Workbench();
    await startVmlan(bench, ['serve', '--name', 'office']);
    const words = ['--network', 'office', '--', fakeQemu(bench), '-nic', 'user,hostfwd=tcp::0-10.0.2.40:22'];
    const child = await run(bench, ...words);
    expect(child.stderr).toMatch(/office forwards tcp 127\.0\.0\.1:[1-9]\d* -> 10\.0\.2\.40:22/);
    expect((await status(bench, 'office')).forwards).toMatchObject([{ guest: '10.0.2.40:22' }]);
    child.write('exit 0\n');
    await child.exited;
    expect((await status(bench, 'office')).forwards).toEqual([]);
  });

  it('cannot change the network of a running vmlan, and says so by name', async () => {
    const bench = new Workbench();
    const qemu = [fakeQemu(bench), '-nic', 'user,net=10.9.0.0/24,restrict=on,hostfwd=tcp::2222-:22'];
    const child = await runVmlan(bench, ['run', '--network', 'office', '--capture', 'a.pcap', '--', ...qemu]);
    expect(child.status).toBe(2);
    expect(child.stderr.match(/^vmlan run: [^:]+/gm)).toEqual([
      'vmlan run: -nic user.net',
      'vmlan run: -nic user.restrict',
      'vmlan run: -nic user.hostfwd',
      'vmlan run: --capture',
    ]);
  });

  it('says when no such vmlan is running', async () => {
    const bench = new Workbench();
    const child = await runVmlan(bench, ['run', '--network', 'office', '--', fakeQemu(bench), '-nic', 'user']);
    expect(child).toMatchObject({
      status: 1,
      stderr: 'vmlan: no lab named office is running; start one with vmlan up FILE.yaml or vmlan serve\n',
    });
  });
});

describeGuests('vmlan run with the installed QEMU', () => {
  const QEMU = ['qemu-system-x86_64', '-S', '-display', 'none', '-monitor', 'stdio'];

  it.each([
    [[]],
    [['-nic', 'user']],
    [['-net', 'nic', '-net', 'user']],
    [['-netdev', 'user,id=n', '-device', 'e1000,netdev=n']],
  ])('has a machine on its network: %j', async (words) => {
    const bench = new Workbench();
    const child = spawnVmlan(bench, ['run', '--name', 'vm', '--', ...QEMU, ...words]);
    await heard(child, '(qemu)');
    expect((await status(bench, 'vm')).ports).toContainEqual(MACHINE);
    child.write('quit\n');
    expect((await child.exited).status).toBe(0);
  });

  it('ends as QEMU does when it refuses its own options', async () => {
    const bench = new Workbench();
    const child = await runVmlan(bench, ['run', '--', ...QEMU, '-nic', 'user', '-M', 'nonesuch']);
    expect(child.status).toBe(1);
    expect(child.stderr).toContain('unsupported machine type');
  });

  it('gives QEMU the terminal: its Ctrl-A x, and Ctrl-C', { timeout: 60_000 }, async () => {
    const bench = new Workbench();
    const console = await runAtTerminal(bench, 'SeaBIOS', '--', QEMU[0]!, '-nographic', '-nic', 'user');
    console.write('\x01x');
    expect((await console.exited).status).toBe(0);
    expect(console.stdout).toContain('QEMU: Terminated');
    const monitor = await runAtTerminal(bench, '(qemu)', '--', ...QEMU, '-nic', 'user');
    monitor.write('info status\r');
    await heard(monitor, 'VM status: paused');
    monitor.write('\x03');
    expect((await monitor.exited).status).toBe(0);
    expect(monitor.stdout).toContain('terminating on signal 2');
  });
});

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ordinaryUser } from '../support/ordinary-user.ts';
import type { Vmlan } from '../support/vmlan.ts';
import { leases, runVmlan, spawnVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { bootedGuest, consoleGuest, guestAtPrompt } from './support/console-guest.ts';
import type { Guest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { guestImages } from './support/rig.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const DHCP = 'udhcpc -i eth0 -n -q -t 10 -T 1 -A 1 -s /etc/udhcpc.script';
const WHOLE_LOG = 1000;

/** The examples in a folder of an ordinary user, with the rig's guest for their machines. */
function examples(): Workbench {
  const bench = new Workbench(ordinaryUser);
  cpSync(EXAMPLES, bench.path('examples'), { recursive: true });
  consoleGuest(bench);
  Object.assign(bench.env, {
    VMLAN_GUEST_KERNEL: bench.path('vmlinuz'),
    VMLAN_GUEST_INITRD: bench.path('initrd'),
    VMLAN_GUEST_APPEND:
      'console=ttyS0 rdinit=/console quiet loglevel=3 mitigations=off tsc=reliable no_timer_check lpj=4000000',
    VMLAN_GUEST_ARGS: '-nodefaults -machine q35 -cpu max -global virtio-net-pci.romfile=',
    WEB_PORT: '0',
  });
  return bench;
}

const up = (bench: Workbench, name: string): Promise<Vmlan> =>
  startVmlan(bench, ['up', bench.path(`examples/${name}/lab.yaml`)]);

function guests(bench: Workbench, names: readonly string[]): Promise<Guest[]> {
  return Promise.all(
    names.map(async (name) => {
      const guest = await bootedGuest(bench, name, WHOLE_LOG);
      await guest.must(DHCP);
      return guest;
    }),
  );
}

const hops = (traceroute: string) => [...traceroute.matchAll(/^ *\d+ +(\d+\.\d+\.\d+\.\d+)/gm)].map(([, hop]) => hop);

describeGuests('the examples do what they say', () => {
  it('two-machines', async () => {
    const bench = examples();
    const lab = await up(bench, 'two-machines');
    const [left, right] = (await guests(bench, ['left', 'right'])) as [Guest, Guest];
    await left.must('ping -c1 right');
    await right.must('ping -c1 left');
    await left.must('ping -c1 10.0.2.2');
    expect((await leases(bench)).map(({ address }) => address).sort()).toEqual(['10.0.2.15', '10.0.2.80']);
    expect((await lab.stop()).status).toBe(0);
  });

  it('three-tier', async () => {
    const bench = examples();
    const lab = await up(bench, 'three-tier');
    const [web, app, db] = (await guests(bench, ['web', 'app', 'db'])) as [Guest, Guest, Guest];
    expect(hops(await web.must('traceroute -n 10.2.0.60'))).toEqual(['10.1.0.2', '10.1.0.1', '10.2.0.60']);
    await app.must('ping -c1 10.1.0.80');
    expect((await db.sh('ping -c1 -W5 192.0.2.1')).output).toMatch(/From 10\.2\.0\.1 .*Net Unreachable/);
    const { listen } = await lab.event('forward');
    await web.must('mkdir -p /www && echo it works >/www/index.html && httpd -h /www');
    const answer = await bench.run('curl', ['-s', '-m', '20', `http://${String(listen)}/`]);
    expect(answer.stdout).toBe('it works\n');
    expect((await lab.stop()).status).toBe(0);
  });

  it('bad-wan', async () => {
    const bench = examples();
    const lab = await up(bench, 'bad-wan');
    const [a] = (await guests(bench, ['a', 'b'])) as [Guest];
    const pinged = await a.must('ping -c5 -i.2 10.2.0.80');
    expect(Number(/= ([\d.]+)\//.exec(pinged)?.[1])).toBeGreaterThanOrEqual(80);
    expect(hops(await a.must('traceroute -n -w2 10.2.0.80'))).toEqual(['10.1.0.1', '10.9.0.3', '10.2.0.80']);
    expect((await lab.stop()).status).toBe(0);
  });

  it('pxe-boot', async () => {
    const bench = examples();
    const boot = bench.path('examples/pxe-boot/boot');
    copyFileSync(bench.path('vmlinuz'), join(boot, 'vmlinuz'));
    writeFileSync(join(boot, 'initrd'), smallSystem(bench, 'booted over the network'));
    const lab = await up(bench, 'pxe-boot');
    const console = spawnVmlan(bench, ['console', 'diskless', '--tail', String(WHOLE_LOG)]);
    await console.until('Linux', () => console.stdout.includes('booted over the network') || undefined, 120);
    expect(console.stdout).toContain('This is 10.0.2.15, booted by vmlan');
    expect((await lab.stop()).status).toBe(0);
  });

  it('ipv6-only', async () => {
    const bench = examples();
    const old = createServer((_request, response) => response.end('it works\n')).listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port } = old.address() as AddressInfo;
    Object.assign(bench.env, { OLD_PORT: String(port) });
    const lab = await up(bench, 'ipv6-only');
    const client = await bootedGuest(bench, 'client', WHOLE_LOG);
    await client.must(until('ip -6 addr show dev eth0 scope global | grep -v tentative | grep -q inet6'));
    await client.must('dhclient -6 -S -1 -q eth0');
    expect(await client.must('ip -4 route')).toBe('');
    expect(await client.must('ip -6 route show default')).toContain('via fe80::');
    expect(await client.must('busybox nslookup -type=aaaa old')).toContain('64:ff9b::7f00:1');
    expect(await client.must(`curl -s -m 20 http://old:${port}/`)).toContain('it works');
    await client.must('ping -c1 client');
    expect((await lab.stop()).status).toBe(0);
    old.close();
  });

  it('router-lab', async () => {
    const bench = examples();
    Object.assign(bench.env, routerMachine(bench));
    const lab = await up(bench, 'router-lab');
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map((name) => guestAtPrompt(bench, name, `${name}# `, WHOLE_LOG)),
    );
    const wayToC = () => a!.must('traceroute -n -q1 -w9 10.0.0.3').then(hops);
    for (const router of [a!, b!, c!])
      await router.must(until('[ $(birdcl show ospf neighbors | grep -c Full/) = 2 ]'));
    await a!.must(until(`ip route | grep -q '10.0.0.3 via 10.3.0.3'`));
    await c!.must(until(`ip route | grep -q '10.0.0.1 via 10.3.0.1'`));
    expect(await a!.must('birdcl show ospf neighbors')).toMatch(/Full\/DR/);
    await a!.must('ping -c1 -W9 -I 10.0.0.1 10.0.0.3');
    expect(await wayToC()).toEqual(['10.0.0.3']);

    await runVmlan(bench, ['link', 'down', 'c:ca']);
    await a!.must(until(`ip route | grep -q '10.0.0.3 via 10.1.0.2'`));
    await c!.must(until(`ip route | grep -q '10.0.0.1 via 10.2.0.2'`));
    expect(await wayToC()).toEqual(['10.1.0.2', '10.0.0.3']);
    await runVmlan(bench, ['link', 'up', 'c:ca']);
    await a!.must(until(`ip route | grep -q '10.0.0.3 via 10.3.0.3'`));
    expect((await lab.stop()).status).toBe(0);
  });
});

/** The machine that the example's own script makes, for the user of the bench, as the script's lines for `.env` say. */
function routerMachine(bench: Workbench): NodeJS.ProcessEnv {
  const script = join(EXAMPLES, 'router-lab/build-router');
  const env = { ...process.env, APT_CONFIG: join(guestImages(), '../apt-bookworm/apt.conf') };
  const said = execFileSync(script, [join(guestImages(), '../router-lab')], { env, encoding: 'utf8' });
  const files = [...said.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, file]) => {
    copyFileSync(file!, bench.path(name!));
    return [name!, bench.path(name!)];
  });
  return Object.fromEntries(files);
}

/** A command line that ends when the condition holds. */
const until = (condition: string): string => `until ${condition}; do usleep 200000; done`;

/** An initial file system that says one thing. */
function smallSystem(bench: Workbench, words: string): Buffer {
  const folder = bench.makeFolder('small');
  const busybox = join(guestImages(), 'busybox');
  copyFileSync(busybox, join(folder, 'busybox'));
  writeFileSync(join(folder, 'init'), `#!/busybox sh\necho ${words}\n/busybox sleep 1000\n`, { mode: 0o755 });
  return execFileSync(busybox, ['cpio', '-o', '-H', 'newc', '-R', '0:0'], {
    cwd: folder,
    input: 'busybox\ninit\n',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 2 ** 26,
  });
}

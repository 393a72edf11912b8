/** Linux machines behind `vmlan serve --user`, whose host has a resolver, routers and a machine far away. */
import { createCipheriv, createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Child } from '../support/child.ts';
import { PROGRAM, Vmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, type Guest, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { FAR, World } from './support/world.ts';

const MAC = '52:54:00:00:00:0a';
const GATEWAY = '10.0.2.2';
const HOPS = [GATEWAY, '10.1.0.254', '10.2.0.254', FAR];

/** VMLAN_LONG=1 moves a GiB, as long as a slow machine needs; otherwise there are enough octets for every window to open and turn. */
const OCTETS = process.env['VMLAN_LONG'] === '1' ? 2 ** 30 : 2 ** 26;
const LONG = 1200;

describeGuests('a Linux machine behind the gateway', () => {
  it('moves large files both ways, octet for octet', { timeout: LONG * 1000 }, async () => {
    const { guest } = await startAll();
    const url = `http://${FAR}:8080/octets/${OCTETS}`;
    const sum = sha256(OCTETS);
    expect(await guest.must(`curl -sS ${url} | sha256sum`, LONG)).toContain(sum);
    expect(await guest.must(`curl -sS ${url} | curl -sS -T - ${url}`, LONG)).toContain(`${OCTETS} ${sum}`);
  });

  it('sees how connections end: half-closed, refused, unreachable', async () => {
    const { guest, world, server } = await startAll();
    expect(await guest.must(`echo hello | nc -N ${FAR} 9000`)).toContain('HELLO');
    await guest.must(`mkfifo /tmp/late; nc -N ${FAR} 9001 </tmp/late | { read x; echo late-$x; } >/tmp/late`);
    await server.until('what came after bye', () =>
      server.stdout.includes('after bye came late-bye') ? true : undefined,
    );

    expect((await guest.sh(`nc -v -w 20 ${FAR} 9999`)).output).toContain('Connection refused');
    expect((await guest.sh('nc -v -w 20 10.9.9.9 80')).output).toMatch(/No route to host|Network is unreachable/);
    await world.must('host', 'ip route add unreachable 10.8.0.0/16');
    expect((await guest.sh('nc -v -w 20 10.8.0.1 80')).output).toMatch(/No route to host|Network is unreachable/);
    expect((await guest.sh('ping -c2 -i.2 -W5 10.9.9.9')).output).toMatch(/Destination (Net|Host) Unreachable/);
  });

  it('asks for names of every kind, over UDP and TCP', async () => {
    const { guest } = await startAll();
    const dig = (words: string) => guest.must(`dig +tries=1 +time=20 ${words}`);
    expect(await dig('+short www.example A')).toBe('93.184.215.14\n');
    expect(await dig('+short www.example AAAA')).toBe('2001:db8::80\n');
    expect(await dig('+short -x 93.184.215.14')).toBe('www.example.\n');
    expect(await dig('+short www.example TXT')).toBe('"hello world"\n');
    expect(await dig('+noall +answer www.example ANY')).toMatch(/93\.184\.215\.14/);
    expect(await dig('+tcp +short www.example A')).toBe('93.184.215.14\n');
    expect(await dig('+bufsize=1232 www.example A')).toMatch(/EDNS: version: 0.*udp: \d+/);
    expect(await dig('nobody.example A')).toContain('status: NXDOMAIN');
    expect(await dig('+ignore +noedns large.example TXT')).toMatch(/flags:.* tc/);
    expect(await dig('+noedns large.example TXT')).toMatch(/x{200}/);
    expect(await dig('+bufsize=1232 +ignore large.example TXT')).toMatch(/x{200}/);
  });

  it('is told each hop, by ping and both kinds of traceroute', async () => {
    const { guest } = await startAll();
    for (const address of [GATEWAY, '10.0.2.3', '10.1.0.254', FAR]) {
      expect(await guest.must(`ping -c3 -i.2 -W5 ${address}`)).toContain(' 0% packet loss');
    }
    expect(await guest.must(`ping -c1 -W5 -s 8000 ${FAR}`)).toContain(' 0% packet loss');
    for (const kind of ['-I', '-U', '']) {
      const traced = await guest.must(`traceroute -n -q 1 -w 10 ${kind} ${FAR}`);
      expect(
        traced.match(/^ *\d+ +\S+/gm)?.map((line) => line.trim().split(/ +/)[1]),
        kind,
      ).toEqual(HOPS);
    }
  });

  it('fills the line with one stream and with sixteen, both ways, over TCP and UDP', async () => {
    const { guest, world } = await startAll();
    const iperf = world.start('far', 'iperf3', ['-s', '--forceflush']);
    await iperf.until('iperf3 listens', () => (iperf.stdout.includes('listening') ? true : undefined));
    for (const words of ['-P 1', '-P 1 -R', '-P 16', '-P 16 -R']) {
      const { end } = JSON.parse(await guest.must(`iperf3 -J -t 2 -c ${FAR} ${words}`, 120)) as IperfReport;
      expect(end.sum_received.bytes, words).toBeGreaterThan(2 ** 20);
    }
    for (const words of ['-u -b 8M', '-u -b 8M -R']) {
      const { end } = JSON.parse(await guest.must(`iperf3 -J -t 2 -c ${FAR} ${words}`, 120)) as IperfReport;
      expect(end.sum.packets, words).toBeGreaterThan(100);
      expect(end.sum.lost_percent, words).toBeLessThan(5);
    }
  });
});

interface IperfReport {
  readonly end: {
    readonly sum: { readonly packets: number; readonly lost_percent: number };
    readonly sum_received: { readonly bytes: number };
  };
}

async function startAll(): Promise<{
  readonly guest: Guest;
  readonly world: World;
  readonly vmlan: Vmlan;
  readonly server: Child;
}> {
  const bench = new Workbench();
  const world = await World.start(bench);
  await world.startResolver([
    ...['--host-record=www.example,93.184.215.14,2001:db8::80', '--txt-record=www.example,hello world'],
    `--txt-record=large.example,${Array(3).fill('x'.repeat(250)).join(',')}`,
  ]);
  const server = world.start('far', process.execPath, [
    fileURLToPath(new URL('support/far-server.mjs', import.meta.url)),
  ]);
  await server.until('the far server listens', () => (server.stdout.includes('listening') ? true : undefined));
  const socket = bench.path('net.sock');
  const words = ['serve', '--listen', `unix:${socket}`, '--user', 'net=10.0.2.0/24', '--json'];
  const vmlan = new Vmlan(world.start('host', process.execPath, [PROGRAM, ...words]));
  await vmlan.event('ready');
  const guest = await startGuest(bench, {
    nics: [{ netdev: connectTo(socket), mac: MAC }],
    dhcp: true,
    with: ['dns'],
    seconds: LONG,
  });
  return { guest, world, vmlan, server };
}

/** Of the octets that far-server.mjs gives. */
function sha256(length: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const hash = createHash('sha256');
  for (let left = length; left > 0; left -= 2 ** 16) hash.update(cipher.update(Buffer.alloc(Math.min(left, 2 ** 16))));
  return hash.digest('hex');
}

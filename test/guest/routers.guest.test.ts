/** Six Linux machines on three networks that two routers of vmlan join; the host has a world of routers behind it. */
import { readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PROGRAM, runVmlan, status, Vmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { type Guest, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { FAR, World } from './support/world.ts';

const LAB = `
name: campus
networks:
  lan: { subnet: 172.16.1.0/24, routes: [{ to: 172.16.0.0/16, via: 172.16.1.1 }] }
  mid: { subnet: 172.16.2.0/24, gateway: isolated, mtu: 1300 }
  far: { subnet: 172.16.3.0/24, gateway: isolated, kind: hub }
routers:
  r1:
    interfaces: [{ network: lan, address: 172.16.1.1 }, { network: mid, address: 172.16.2.1 }]
    routes: [{ to: 172.16.3.0/24, via: 172.16.2.9 }, { to: 0.0.0.0/0, via: 172.16.1.2 }]
  r2:
    interfaces: [{ network: mid, address: 172.16.2.9 }, { network: far, address: 172.16.3.1 }]
    routes: [{ to: 0.0.0.0/0, via: 172.16.2.1 }]
nodes:
  a1: { nics: [lan] }
  a2: { nics: [lan] }
  b1: { nics: [mid] }
  b2: { nics: [mid] }
  c1: { nics: [far] }
  c2: { nics: [far] }
forwards: [tcp 127.0.0.1:0 -> c2:7000]
`;
const NODES = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'] as const;

describeGuests('a lab of three networks, two routers and six Linux machines', () => {
  it('reaches everybody by name, shows each hop, carries TCP, and leads to the world', {
    timeout: 600_000,
  }, async () => {
    const bench = new Workbench();
    const world = await World.start(bench);
    const server = world.start('far', process.execPath, [
      fileURLToPath(new URL('support/far-server.mjs', import.meta.url)),
    ]);
    await server.until('the far server listens', () => (server.stdout.includes('listening') ? true : undefined));
    const file = bench.path('campus.yaml');
    writeFileSync(file, LAB);
    const vmlan = new Vmlan(world.start('host', process.execPath, [PROGRAM, 'up', file, '--json']));
    await vmlan.event('ready');
    const guests = new Map<string, Guest>();
    for (const node of NODES) guests.set(node, await boot(bench, node)); // one after the other: each wants a core
    const at = (node: (typeof NODES)[number]) => guests.get(node)!;

    for (const guest of guests.values()) {
      const pings = NODES.map((node) => `{ ping -c1 -W9 ${node} >/tmp/out || cat /tmp/out; }`);
      expect(await guest.must(pings.join('; '))).toBe('');
    }

    expect(await hops(at('a1'), 'c1')).toEqual(['gateway', 'r1-lan', 'r2-mid', 'c1'].map(inLab));
    expect(await hops(at('c1'), 'a1')).toEqual(['r2-far', 'r1-mid', 'a1'].map(inLab));
    expect(await hops(at('c1'), 'r1')).toEqual(['r2-far', 'r1-lan'].map(inLab));
    expect(await hops(at('c1'), FAR)).toEqual(
      ['r2-far', 'r1-mid'].map(inLab).concat('172.16.1.2', '10.1.0.254', '10.2.0.254', FAR),
    );

    expect(await at('a1').must('ping -c1 -W9 -M dont -s 1472 c1')).toContain(' 0% packet loss');
    expect((await at('a2').sh('ping -c1 -W9 -M do -s 1472 c1')).output).toMatch(/mtu ?= ?1300/);
    await at('c1').must('iperf3 -s -D');
    for (const words of ['', '-R']) expect(await at('a1').must(`iperf3 -c c1 -n 4M ${words}`)).toMatch(/receiver/);

    expect(await at('c2').must(`curl -sS http://${FAR}:8080/octets/1000000 | wc -c`)).toContain('1000000');
    await at('c2').must('(echo hello | nc -l 7000 >/dev/null) &');
    const { listen } = (await status(bench)).forwards[0]!;
    expect(await world.must('host', `echo | nc -w9 ${listen.replace(':', ' ')}`)).toBe('hello\n');
    expect((await at('b1').sh('ping -c1 -W9 172.16.3.77')).output).toContain('Destination Host Unreachable');

    for (const guest of guests.values()) await guest.stop();
    expect((await vmlan.stop()).status).toBe(0);
    expect(readdirSync(bench.path('run'), { recursive: true }).filter((name) => !/^vmlan$/.test(String(name)))).toEqual(
      [],
    );
  });
});

async function boot(bench: Workbench, node: string): Promise<Guest> {
  const words = JSON.parse((await runVmlan(bench, ['qemu-args', node, '--json'])).stdout) as string[];
  return startGuest(bench, { qemu: words, dhcp: true, seconds: 600 });
}

/** By name where there is one. */
async function hops(guest: Guest, to: string): Promise<readonly string[]> {
  const traced = await guest.must(`traceroute -q 1 -w 9 ${to}`);
  return [...traced.matchAll(/^ *\d+ +(\S+) \(/gm)].map(([, name]) => name!);
}

function inLab(name: string): string {
  return `${name}.lab.internal`;
}

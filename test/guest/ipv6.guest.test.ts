/** A Linux machine that configures itself by IPv6 in a lab, and reaches a world of routers by it, and IPv4 by NAT64. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PROGRAM, runVmlan, Vmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { FAR, FAR6, World } from './support/world.ts';

const LAB = `
name: six
networks:
  lan:
    ipv4: off
    ipv6: { prefix: fd00:1:2:3::/64, nat64: on }
nodes:
  web: { nics: [lan] }
`;
const GATEWAY = 'fd00:1:2:3::1';
const HOPS = [GATEWAY, '2001:db8:1::fe', '2001:db8:2::fe', FAR6];

describeGuests('a Linux machine without IPv4', () => {
  it('configures itself, finds names, and talks to the world by IPv6, and to IPv4 by NAT64', {
    timeout: 300_000,
  }, async () => {
    const bench = new Workbench();
    const world = await World.start(bench);
    await world.addIpv6();
    await world.startResolver([`--host-record=www.example,${FAR6}`, `--host-record=old.example,${FAR}`]);
    const server = world.start('far', process.execPath, [
      fileURLToPath(new URL('support/far-server.mjs', import.meta.url)),
    ]);
    await server.until('the far server listens', () => (server.stdout.includes('listening') ? true : undefined));
    const file = bench.path('six.yaml');
    writeFileSync(file, LAB);
    const vmlan = new Vmlan(world.start('host', process.execPath, [PROGRAM, 'up', file, '--json']));
    await vmlan.event('ready');
    const words = JSON.parse((await runVmlan(bench, ['qemu-args', 'web', '--json'])).stdout) as string[];
    const guest = await startGuest(bench, { qemu: words, with: ['dns'], seconds: 280 });

    const addresses = 'ip -6 addr show dev eth0 scope global';
    await guest.must(`for i in $(seq 50); do ${addresses} | grep fd00: | grep -qv tentative && break; sleep .2; done`);
    expect(await guest.must(addresses)).toMatch(/inet6 fd00:1:2:3:\S+\/64 .*dynamic/);
    await guest.must(`echo nameserver ${GATEWAY} > /etc/resolv.conf`);

    const dig = (asked: string) => guest.must(`dig +tries=1 +time=20 +short ${asked}`);
    expect(await dig('www.example AAAA')).toBe(`${FAR6}\n`);
    expect(await dig(`-x ${GATEWAY}`)).toBe('gateway.lab.internal.\n');
    expect(await dig('old.example AAAA')).toBe('64:ff9b::a03:7\n');
    expect(await dig('gateway.lab.internal AAAA')).toBe(`${GATEWAY}\n`);

    for (const address of [GATEWAY, FAR6]) {
      expect(await guest.must(`ping -6 -c3 -i.2 -W5 ${address}`)).toContain(' 0% packet loss');
    }
    expect(await guest.must(`ping -6 -c1 -W5 -s 8000 ${FAR6}`)).toContain(' 0% packet loss');
    expect(await guest.must('ping -6 -c1 -W5 old.example')).toContain(' 0% packet loss');
    for (const kind of ['-I', '-U']) {
      const traced = await guest.must(`traceroute -6 -n -q 1 -w 10 ${kind} ${FAR6}`);
      expect(
        [...traced.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop]) => hop),
        kind,
      ).toEqual(HOPS);
    }

    for (const name of ['www.example', 'old.example']) {
      const url = `http://${name}:8080/octets/3000000`;
      expect(await guest.must(`curl -6 -sS ${url} | curl -6 -sS -T - ${url}`)).toMatch(/^3000000 /);
    }
    const since = Date.now();
    for (const name of ['www.example', 'old.example'])
      expect((await guest.sh(`nc -6 -v -w 20 ${name} 9999`)).output).toContain('Connection refused');
    expect((await guest.sh('nc -6 -v -w 20 2001:db8:8::1 80')).output).toMatch(/No route to host|unreachable/);
    expect(Date.now() - since).toBeLessThan(10_000);

    const iperf = world.start('far', 'iperf3', ['-s', '--forceflush']);
    await iperf.until('iperf3 listens', () => (iperf.stdout.includes('listening') ? true : undefined));
    for (const way of ['', '-R', '-u -b 8M', '-u -b 8M -R']) {
      const { end } = JSON.parse(await guest.must(`iperf3 -6 -J -t 1 -c ${FAR6} ${way}`, 60)) as IperfReport;
      if (way.includes('-u')) expect(end.sum.lost_percent, way).toBeLessThan(5);
      else expect(end.sum_received.bytes, way).toBeGreaterThan(2 ** 20);
    }
    await guest.stop();
    expect((await vmlan.stop()).status).toBe(0);
  });
});

interface IperfReport {
  readonly end: {
    readonly sum: { readonly lost_percent: number };
    readonly sum_received: { readonly bytes: number };
  };
}

import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { LabStatus, PortStatus } from '../../src/lab/status-schemas.ts';
import { leases, runVmlan, startLiveCapture, startVmlan, status } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { tshark } from './support/tshark.ts';

const LAB = `
name: office
capture: office.pcapng
networks:
  lan:
    subnet: 10.5.0.0/24
    dhcp: { domain: office.internal, lease: 1h }
  cable:
    kind: hub
    gateway: none
nodes:
  web:
    nics: [{ network: lan, address: 10.5.0.80 }]
  db:
    nics: [lan, { network: cable, capture: cable.pcapng }]
  backup:
    nics: [cable]
`;

/** With a network, a node and a forward more. */
const BIGGER = `${LAB.replace('nodes:', '  wan: { subnet: 10.6.0.0/24 }\nnodes:\n  app: { nics: [lan] }')}
forwards: [tcp 127.0.0.1:0 -> app:80]
`;

describeGuests('a lab from a file', () => {
  it('gives each card its port, its address and its place in the captures, and grows while they talk', async () => {
    const bench = new Workbench();
    const file = bench.path('office.yaml');
    writeFileSync(file, LAB);
    const vmlan = await startVmlan(bench, ['up', file]);
    const boot = async (node: string, dhcp: boolean) => {
      const words = JSON.parse((await runVmlan(bench, ['qemu-args', node, '--json'])).stdout) as string[];
      return startGuest(bench, { qemu: words, dhcp });
    };
    const [web, db, backup] = await Promise.all([boot('web', true), boot('db', true), boot('backup', false)]);

    expect(await web.address()).toBe('10.5.0.80');
    const address = await db.address();
    expect((await leases(bench)).map((lease) => lease.address).sort()).toEqual([address, '10.5.0.80'].sort());

    const octets = async () => (await status(bench)).ports.find(({ port }) => port === 'db:lan')!.fromGuest.octets;
    await web.must('iperf3 -s -1 -D');
    const sending = db.must('iperf3 -J -i 0.5 -t 5 -c 10.5.0.80');
    await expect.poll(octets, { timeout: 20_000 }).toBeGreaterThan(1_000_000);
    writeFileSync(file, BIGGER);
    expect((await runVmlan(bench, ['reload'])).stdout).toBe(
      'network wan comes\nnetwork lan answers otherwise\ncard app:lan comes\nforward tcp 127.0.0.1:0 -> app:80 comes\n',
    );
    const { intervals } = JSON.parse(await sending) as { intervals: { sum: { bytes: number } }[] };
    expect(intervals.length).toBeGreaterThan(5);
    for (const { sum } of intervals) expect(sum.bytes).toBeGreaterThan(0);

    const live = await startLiveCapture(bench, 'web:lan', 'icmp');
    await db.must('ping -c3 -i.2 10.5.0.80');
    await live.until('pings in the live capture', () =>
      live.stdout.match(/Echo \(ping\) reply/g)?.length === 3 ? true : undefined,
    );

    await db.must('ip addr add 192.0.2.1/24 dev eth1');
    await backup.must('ip addr add 192.0.2.2/24 dev eth0 && ping -c3 -i.2 192.0.2.1');
    expect((await backup.sh('ping -c1 -W1 10.5.0.80')).status).not.toBe(0);

    const link = async (...words: string[]) => expect((await runVmlan(bench, ['link', ...words])).status).toBe(0);
    await link('set', 'db:lan', 'delay=50ms', 'jitter=5ms');
    const times = roundTrips(await db.must('ping -c4 -i.2 10.5.0.80'));
    expect(times).toHaveLength(4);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(90);
    await link('set', 'db:lan', 'delay=0', 'jitter=0', 'loss=100%', 'to-guest');
    expect((await db.sh('ping -c2 -i.2 -W1 10.5.0.80')).status).not.toBe(0);
    expect(await drops(bench, 'db:lan')).toMatchObject({ 'link-loss': expect.any(Number) });
    await link('reset', 'db:lan');
    await link('down', 'web:lan');
    expect((await db.sh('ping -c1 -W1 10.5.0.80')).status).not.toBe(0);
    expect(await drops(bench, 'web:lan')).toMatchObject({ 'link-down': expect.any(Number) });
    await link('up', 'web:lan');
    await db.must('ping -c2 -i.2 10.5.0.80');

    expect((await vmlan.stop()).status).toBe(0);
    expect((await live.exited).status).toBe(0);
    const ports = async (capture: string, filter: string) =>
      new Set((await tshark(bench, bench.path(capture), filter, ['frame.interface_name'])).flat());
    expect(await ports('office.pcapng', 'icmp && ip.addr == 10.5.0.80')).toEqual(new Set(['web:lan', 'db:lan']));
    expect(await ports('office.pcapng', 'icmp && ip.addr == 192.0.2.2')).toEqual(new Set(['db:cable', 'backup:cable']));
    expect(await ports('cable.pcapng', 'icmp')).toEqual(new Set(['db:cable']));
  });
});

/** Milliseconds. */
function roundTrips(said: string): number[] {
  return [...said.matchAll(/time=([\d.]+) ms/g)].map(([, millis]) => Number(millis));
}

async function drops(bench: Workbench, port: string): Promise<PortStatus['drops'] | undefined> {
  const status = JSON.parse((await runVmlan(bench, ['status', '--json'])).stdout) as LabStatus;
  return status.ports.find((each) => each.port === port)?.drops;
}

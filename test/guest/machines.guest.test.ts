import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { NodeStatus } from '../../src/lab/node-status-schema.ts';
import { leases, runVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { bootedGuest, consoleGuest } from './support/console-guest.ts';
import { describeGuests } from './support/qemu.ts';

const lab = (machine: string) => `name: pair
networks: { lan: { subnet: 10.7.0.0/24 } }
nodes:
  a: { nics: [lan], qemu: { ${machine}, stop: 0s } }
  b: { nics: [{ network: lan, address: 10.7.0.99 }], qemu: { ${machine}, stop: 1s } }
`;

const DHCP = 'udhcpc -i eth0 -n -q -t 10 -T 1 -A 1 -s /etc/udhcpc.script';
const WHOLE_LOG = 1000;

async function nodes(bench: Workbench): Promise<readonly NodeStatus[]> {
  return JSON.parse((await runVmlan(bench, ['node', 'ls', '--json'])).stdout).nodes;
}

const isRunning = (pid: number | undefined) =>
  existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';

describeGuests('machines of a lab', () => {
  it('boot, talk, are stopped and started, outlive vmlan and leave nothing', async () => {
    const bench = new Workbench();
    const file = bench.path('pair.yaml');
    writeFileSync(file, lab(consoleGuest(bench)));
    const first = await startVmlan(bench, ['up', file]);
    const [early, b] = await Promise.all([bootedGuest(bench, 'a', WHOLE_LOG), bootedGuest(bench, 'b', WHOLE_LOG)]);
    await Promise.all([early.must(DHCP), b.must(DHCP)]);
    expect(await b.address()).toBe('10.7.0.99');
    const address = await early.address();
    await early.must('ping -c2 -i.2 10.7.0.99');

    await runVmlan(bench, ['node', 'stop', 'a']);
    expect((await b.sh(`ping -c1 -W1 ${address}`)).status).not.toBe(0);
    await runVmlan(bench, ['node', 'start', 'a']);
    const a = await bootedGuest(bench, 'a', 0);
    await a.must(DHCP);
    expect(await a.address()).toBe(address);
    await b.must('touch /survived');

    const before = { leases: await leases(bench), pids: (await nodes(bench)).map(({ pid }) => pid) };
    await first.kill();
    expect(before.pids.map(isRunning)).toEqual([true, true]);
    const second = await startVmlan(bench, ['up', file]);
    for (const node of ['a', 'b']) await second.event('machine-adopted', (event) => event['node'] === node);
    for (const port of ['a:lan', 'b:lan']) await second.event('port-connected', (event) => event['port'] === port);
    expect((await nodes(bench)).map(({ pid }) => pid)).toEqual(before.pids);
    expect(await leases(bench)).toEqual(before.leases);
    await b.must(`ping -c2 -i.2 ${address}`);
    await b.must('ls /survived');

    b.type('poweroff -f');
    await second.event('machine-ended', ({ node, reason }) => node === 'b' && reason === 'shutdown');
    await runVmlan(bench, ['node', 'restart', 'b']);
    const again = await bootedGuest(bench, 'b', 0);
    expect((await again.sh('ls /survived')).status).not.toBe(0);
    const last = (await nodes(bench)).map(({ pid }) => pid);
    expect((await second.stop()).status).toBe(0);
    expect([...before.pids, ...last].map(isRunning)).toEqual([false, false, false, false]);
    expect(readdirSync(bench.path('run/vmlan'))).toEqual([]);
  });
});

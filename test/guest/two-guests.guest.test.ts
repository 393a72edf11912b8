import { expect, it } from 'vitest';
import { leases, startVmlan, status } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, type Guest, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { tshark } from './support/tshark.ts';

const A = '52:54:00:00:00:0a';
const B = '52:54:00:00:00:0b';

describeGuests('two Linux machines on one LAN', () => {
  it.each([
    ['switch', []],
    ['hub', ['--hub']],
  ])('lease, ping and iperf3 on a %s, and the capture shows it', async (_, options) => {
    const bench = new Workbench();
    const netdev = connectTo(bench.path('net.sock'));
    const file = bench.path('net.pcapng');
    const vmlan = await startVmlan(bench, [
      'serve',
      ...['--listen', `unix:${bench.path('net.sock')}`, '--subnet', '10.9.0.0/24', '--capture', file],
      ...options,
    ]);

    const booting = [startGuest(bench, { nics: [{ netdev, mac: A }], dhcp: true })];
    await vmlan.event('port-connected', ({ port }) => port === 'vm1');
    booting.push(startGuest(bench, { nics: [{ netdev, mac: B }], dhcp: true }));
    const [a, b] = (await Promise.all(booting)) as [Guest, Guest];
    const addressA = await a.address();
    const addressB = await b.address();
    expect(await leases(bench)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ mac: A, address: addressA, state: 'bound' }),
        expect.objectContaining({ mac: B, address: addressB, state: 'bound' }),
      ]),
    );
    expect(addressA).toMatch(/^10\.9\.0\.\d+$/);
    expect(addressB).not.toBe(addressA);

    await a.must(`ping -c3 -i.2 ${addressB}`);
    await b.must(`ping -c3 -i.2 ${addressA}`);
    await a.must(`ping -c3 -i.2 ${(await status(bench)).networks[0]?.gateway?.address}`);
    await b.must('iperf3 -s -1 -D');
    expect(await a.must(`iperf3 -c ${addressB} -n 8M`)).toMatch(/receiver/);

    expect((await vmlan.stop()).status).toBe(0);
    const dhcp = await tshark(bench, file, `dhcp.hw.mac_addr == ${A}`, ['frame.interface_name', 'dhcp.option.dhcp']);
    expect(dhcp.map(([port, type]) => (port === 'vm1' ? `vm1 ${type}` : `gateway ${type}`))).toEqual([
      ...['vm1 1', 'gateway 2', 'vm1 3', 'gateway 5'],
    ]);
    const arp = await tshark(
      bench,
      file,
      `arp.src.proto_ipv4 == ${addressA} && arp.dst.proto_ipv4 == ${addressB}`,
      PORT,
    );
    expect(arp.flat()).toContain('vm1');
    const pings = await tshark(bench, file, `icmp && ip.addr == ${addressA} && ip.addr == ${addressB}`, [
      ...PORT,
      'icmp.type',
    ]);
    const summary = pings.map((fields) => fields.join(' ')).sort();
    expect(summary).toEqual([
      ...Array(3).fill('vm1 0'),
      ...Array(3).fill('vm1 8'),
      ...Array(3).fill('vm2 0'),
      ...Array(3).fill('vm2 8'),
    ]);
  });
});

const PORT = ['frame.interface_name'];

import { expect, it } from 'vitest';
import { leases, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, listenOn, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

const A = '52:54:00:00:00:0a';
const B = '52:54:00:00:00:0b';

describeGuests('what survives a kill', () => {
  it('a machine that is killed and started again has its port, its lease and its neighbours', async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    const vmlan = await startVmlan(bench, ['serve', '--listen', `unix:${socket}`]);
    const nics = (mac: string) => [{ netdev: connectTo(socket), mac }];
    const [a, b] = await Promise.all([
      startGuest(bench, { nics: nics(A), dhcp: true }),
      startGuest(bench, { nics: nics(B), dhcp: true }),
    ]);
    const address = await b.address();
    await a.must(`ping -c1 -W5 ${address}`);

    await b.kill();
    const left = await vmlan.event('port-left');
    const again = await startGuest(bench, { nics: nics(B), dhcp: true });
    const connected = vmlan.events.filter(({ event }) => event === 'port-connected');
    expect(connected).toHaveLength(3);
    expect(connected[2]?.['port']).toBe(left['port']);
    expect(await again.address()).toBe(address);
    await a.must(`ping -c3 -i.2 ${address}`);
    await again.must(`ping -c3 -i.2 ${await a.address()}`);
  });

  it('vmlan that is killed under running machines and started again finds them, with the same leases', async () => {
    const bench = new Workbench();
    const sockets = { a: bench.path('a.sock'), b: bench.path('b.sock') };
    const args = ['serve', '--listen', `unix:${bench.path('net.sock')}`];
    for (const path of Object.values(sockets)) args.push('--connect', `unix:${path}`);
    const first = await startVmlan(bench, args);
    const [a, b] = await Promise.all([
      startGuest(bench, { nics: [{ netdev: listenOn(sockets.a), mac: A }], dhcp: true }),
      startGuest(bench, { nics: [{ netdev: listenOn(sockets.b), mac: B }], dhcp: true }),
    ]);
    const addresses = [await a.address(), await b.address()];
    await a.must(`ping -c1 -W5 ${addresses[1]}`);
    const before = await leases(bench);

    await first.kill();
    expect((await a.sh(`ping -c1 -W1 ${addresses[1]}`)).status).not.toBe(0);
    const second = await startVmlan(bench, args);
    for (const path of Object.values(sockets))
      await second.event('port-connected', ({ peer }) => peer === `unix:${path}`);
    expect(await leases(bench)).toEqual(before);
    await a.must(`ping -c3 -i.2 ${addresses[1]}`);
    await b.must(`ping -c3 -i.2 ${addresses[0]}`);
    await b.must('udhcpc -i eth0 -n -q -t 5 -T 1 -A 1 -s /etc/udhcpc.script');
    expect(await b.address()).toBe(addresses[1]);
    await b.must(`ping -c1 ${addresses[0]}`);
  });
});

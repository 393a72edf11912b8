import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { leases, startVmlan, status } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

describeGuests('the ways QEMU plugs in', () => {
  it('stream and socket, connecting and listening, over unix and TCP: each card has a port and a lease', async () => {
    const bench = new Workbench();
    const unix = bench.path('net.sock');
    const [streamPort, socketPort] = [await freePort(), await freePort()];
    const vmlan = await startVmlan(bench, [
      'serve',
      ...['--listen', `unix:${unix}`, '--listen', 'tcp:127.0.0.1:0'],
      ...['--connect', `tcp:127.0.0.1:${streamPort}`, '--connect', `tcp:127.0.0.1:${socketPort}`],
    ]);
    const doors = (await vmlan.event('ready'))['doors'] as readonly string[];
    const tcp = doors
      .find((door) => /^tcp:.*:[1-9]/.test(door))
      ?.split(':')
      .at(-1);
    const netdevs = [
      connectTo(unix),
      `stream,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${tcp}`,
      `stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=${streamPort}`,
      `socket,connect=127.0.0.1:${tcp}`,
      `socket,listen=127.0.0.1:${socketPort}`,
    ];
    const guest = await startGuest(bench, { nics: netdevs.map((netdev, i) => ({ netdev, mac: macOf(i) })) });
    const gateway = (await status(bench)).networks[0]?.gateway?.address;

    for (const i of netdevs.keys()) {
      await guest.must(`udhcpc -i eth${i} -n -q -t 5 -T 1 -A 1 -s /etc/udhcpc.script`);
      await guest.must(`ping -c2 -i.2 -W2 -I eth${i} ${gateway}`);
    }
    const { ports } = await status(bench);
    expect(ports.filter(({ port, connected }) => connected && /^vm\d$/.test(port))).toHaveLength(netdevs.length);
    const granted = new Map((await leases(bench)).map(({ mac, address }) => [mac, address]));
    for (const i of netdevs.keys()) expect(granted.get(macOf(i))).toBe(await guest.address(`eth${i}`));
  });
});

function macOf(card: number): string {
  return `52:54:00:00:01:0${card}`;
}

/** A TCP port that was free a moment ago, for a QEMU that listens: it does not tell which port it was given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

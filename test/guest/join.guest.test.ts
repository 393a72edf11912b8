import { expect, it } from 'vitest';
import { runVmlan, spawnVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

const MAC = '52:54:00:00:00:0a';

describeGuests('a Linux machine and programs of the host', () => {
  it('are stations of one network: each reaches the other by name, and a proxy leads to the machine', async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    await startVmlan(bench, ['serve', '--listen', `unix:${socket}`]);
    const guest = await startGuest(bench, { nics: [{ netdev: connectTo(socket), mac: MAC }], dhcp: true });
    const address = await guest.address();

    await guest.must('iperf3 -s -1 -D');
    const asked = await runVmlan(bench, [
      ...['exec', 'lan', '--', 'sh', '-c'],
      `ping -qc2 -W5 ${address} && iperf3 -c ${address} -n 4M`,
    ]);
    expect([asked.status, asked.stdout]).toEqual([0, expect.stringMatching(/2 received.*receiver/s)]);

    const server = spawnVmlan(bench, ['exec', 'lan', '--name', 'far', '--', 'iperf3', '-s', '-1', '--forceflush']);
    await server.until('listening', () => (server.stdout.includes('listening') ? true : undefined));
    expect(await guest.must('ping -c2 far && iperf3 -c far -n 4M')).toMatch(/receiver/);
    expect((await server.exited).status).toBe(0);

    await guest.must('mkdir -p /www && echo a page of the machine >/www/index.html && httpd -h /www');
    const proxy = spawnVmlan(bench, ['proxy', '--port', '0', '--json']);
    const port = await proxy.until('ready', () => /"port":(\d+)/.exec(proxy.stdout)?.[1]);
    for (const scheme of ['socks5h', 'http']) {
      const page = await bench.run('curl', ['-sS', '-x', `${scheme}://127.0.0.1:${port}`, `http://${address}/`]);
      expect(page.stdout).toBe('a page of the machine\n');
    }
  });
});

import { expect, it } from 'vitest';
import { leases, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, runFirmware } from './support/guest.ts';
import { describeGuests, noteMissingQemu } from './support/qemu.ts';
import { tftpFolder } from './support/rig.ts';

const MACS = ['52:54:00:00:00:0e', '52:54:00:00:00:0f'];

noteMissingQemu();

describeGuests('two iPXE machines', () => {
  it('boot side by side from the DHCP and TFTP of vmlan serve', { timeout: 120_000 }, async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    await startVmlan(bench, [
      'serve',
      '--listen',
      `unix:${socket}`,
      '--user',
      `tftp=${tftpFolder(bench)},bootfile=boot.ipxe`,
    ]);

    const steps = ['IPXE-START ip=', 'IPXE-TFTP-OK', 'IPXE-DONE'].map((expect) => ({ expect }));
    const boot = (mac: string) => runFirmware(bench, { kind: 'ipxe', nic: { netdev: connectTo(socket), mac }, steps });
    const consoles = await Promise.all(MACS.map(boot));

    expect(
      consoles.map(({ status }) => status),
      consoles.map(({ output }) => output).join('\n'),
    ).toEqual([0, 0]);
    const addresses = consoles.map(({ output }) => /IPXE-START ip=(\S+)/.exec(output)?.[1]);
    expect(new Set(addresses).size).toBe(2);
    const granted = new Map((await leases(bench)).map(({ mac, address }) => [mac, address]));
    expect(MACS.map((mac) => granted.get(mac))).toEqual(addresses);
  });
});

/** IPv6 autoconfiguration as Linux and UEFI do it: router advertisements, DHCPv6 with and without addresses, a boot by IPv6 alone. */
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { leases, runVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, runFirmware, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { tftpFolder } from './support/rig.ts';

/** Leases of 20 s: clients renew after 10. */
const LAB = `
name: sky
networks:
  lan:
    subnet: 10.7.0.0/24
    dhcp: { domain: sky.test, search: [sea.test] }
    ipv6:
      prefix: fd00:1:2:3::/64
      managed: true
      dhcp: { range: 'fd00:1:2:3::40-fd00:1:2:3::4f', lease: 20s }
nodes:
  pavo: { nics: [lan] }
`;

/** A release is a message that the client may not wait for; a renewal comes after 10 s. */
const ARRIVES = { timeout: 20_000 };

describeGuests('IPv6 autoconfiguration', () => {
  it('Linux, dhclient and dhcpcd configure themselves, hear of a change, renew and release', async () => {
    const bench = new Workbench();
    const file = bench.path('sky.yaml');
    writeFileSync(file, LAB);
    const vmlan = await startVmlan(bench, ['up', file]);
    const qemu = JSON.parse((await runVmlan(bench, ['qemu-args', 'pavo', '--json'])).stdout) as string[];
    const guest = await startGuest(bench, { qemu });
    const lease = async () => (await leases(bench)).find(({ address }) => address.startsWith('fd00:'));

    await guest.must('wait-ipv6; until ip -6 addr show dev eth0 | grep -q "fd00:1:2:3:.*dynamic"; do sleep 0.1; done');
    expect(await guest.must('ip -6 route')).toMatch(/^default via fe80::\S+ dev eth0 proto ra/m);
    const heard = await guest.must('rdisc6 -1 eth0');
    for (const line of [
      /Stateful address conf\. +: +Yes/,
      /Router lifetime +: +1800/,
      /Prefix +: fd00:1:2:3::\/64/,
      /On-link +: +Yes/,
      /Autonomous address conf\.: +Yes/,
      /MTU +: +1500/,
      /Recursive DNS server +: fd00:1:2:3::1/,
      /DNS search list +: sky\.test/,
    ])
      expect(heard).toMatch(line);

    writeFileSync(file, LAB.replace('managed: true', 'managed: true\n      router: off'));
    await runVmlan(bench, ['reload']);
    await guest.must('while ip -6 route | grep -q ^default; do sleep 0.1; done');

    await guest.must('dhclient -6 -S -1 -v eth0');
    const told = await guest.must('cat /run/dhclient6.eth0');
    expect(told).toMatch(/^new_dhcp6_name_servers=fd00:1:2:3::1$/m);
    expect(told).toMatch(/^new_dhcp6_domain_search=sky\.test\.? sea\.test\.?$/m);
    expect(await lease()).toBeUndefined();

    await guest.must('rm /run/dhclient6.eth0; dhclient -6 -x eth0; dhclient -6 -1 -v eth0');
    expect(await guest.must('cat /run/dhclient6.eth0')).toMatch(/^new_ip6_address=fd00:1:2:3::40$/m);
    const first = await lease();
    expect(first).toMatchObject({ address: 'fd00:1:2:3::40', state: 'bound' });
    await expect.poll(async () => (await lease())?.expires, ARRIVES).toBeGreaterThan(first!.expires);
    await guest.must('dhclient -6 -r -v eth0');
    await expect.poll(async () => (await lease())?.state, ARRIVES).toBe('released');

    await guest.must('dhcpcd -6 eth0; until ip -6 addr show dev eth0 | grep -q fd00:1:2:3::40/128; do sleep 0.1; done');
    expect((await lease())?.state).toBe('bound');
    await guest.must('dhcpcd -6 -k eth0; while pidof dhcpcd >/dev/null; do sleep 0.1; done');
    await expect.poll(async () => (await lease())?.state, ARRIVES).toBe('released');

    await vmlan.kill();
    const again = await startVmlan(bench, ['up', file]);
    expect(await lease()).toMatchObject({ address: 'fd00:1:2:3::40', state: 'released' });
    await again.stop();
  });

  it('UEFI boots by IPv6 where there is no IPv4: RA, DHCPv6 with the boot file, TFTP', async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    const folder = tftpFolder(bench, ['grubx64.efi']);
    const user = `ipv4=off,tftp=${folder},bootfile=grubx64.efi`;
    await startVmlan(bench, ['serve', '--listen', `unix:${socket}`, '--user', user]);
    const booted = await runFirmware(bench, {
      kind: 'uefi6',
      nic: { netdev: connectTo(socket), mac: '52:54:00:00:00:0d' },
      steps: ['NBP file downloaded', 'GRUB-START', 'fec0:0:0:0:0:0:0:1000', 'second', 'GRUB-DONE'].map((expect) => ({
        expect,
      })),
      seconds: 120,
    });
    expect(booted.status, booted.output).toBe(0);
  });
});

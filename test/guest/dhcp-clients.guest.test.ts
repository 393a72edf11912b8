import { expect, it } from 'vitest';
import { leases, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

const MAC = '52:54:00:00:00:0c';
const OPTIONS =
  'net=10.7.0.0/24,dhcpstart=10.7.0.40,hostname=pavo,domainname=sky.test,dnssearch=sky.test,dnssearch=sea.test';

// What Debian's dhclient.conf asks for; without a file it asks for less.
const ASKED =
  'request subnet-mask, routers, domain-name, domain-name-servers, domain-search, host-name, interface-mtu;';

/** The gateway of the network in `OPTIONS`. */
const SERVER = '10.7.0.2';

/** A release is a datagram that the client does not wait for. */
const ARRIVES = { timeout: 15_000 };

describeGuests('DHCP clients of Linux', () => {
  it('udhcpc, dhclient and dhcpcd get, renew and release the same lease, with the options of the network', async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    await startVmlan(bench, ['serve', '--listen', `unix:${socket}`, '--user', OPTIONS, '--mtu', '1400']);
    const guest = await startGuest(bench, { nics: [{ netdev: connectTo(socket), mac: MAC }] });
    const lease = async () => (await leases(bench)).find(({ mac }) => mac === MAC);

    await guest.must('udhcpc -i eth0 -n -t 5 -T 1 -A 1 -R -p /run/udhcpc.pid -s /etc/udhcpc.script -O search');
    const told = await guest.must('cat /run/dhcp.eth0');
    for (const line of [
      'ip=10.7.0.40',
      'subnet=255.255.255.0',
      'hostname=pavo',
      'domain=sky.test',
      'search=sky.test sea.test',
      'lease=86400',
    ])
      expect(told).toContain(`${line}\n`);
    expect(told).toMatch(/^serverid=10\.7\.0\.\d+$/m);
    expect(await lease()).toMatchObject({ address: '10.7.0.40', state: 'bound' });
    await guest.must(
      'rm /run/dhcp.eth0 && kill -USR1 $(cat /run/udhcpc.pid) && until [ -s /run/dhcp.eth0 ]; do sleep 0.1; done',
    );
    await guest.must('p=$(cat /run/udhcpc.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.1; done');
    await expect.poll(async () => (await lease())?.state, ARRIVES).toBe('released');

    await guest.must(
      `echo '${ASKED}' > /etc/dhclient.conf; ip addr flush dev eth0; dhclient -4 -1 -v -cf /etc/dhclient.conf eth0`,
    );
    const given = await guest.must('cat /run/dhclient4.eth0');
    for (const line of ['new_ip_address=10.7.0.40', 'new_interface_mtu=1400', 'new_domain_name=sky.test'])
      expect(given).toContain(line);
    expect(given).toMatch(/^new_domain_search=sky\.test\.? sea\.test\.?$/m);
    expect((await lease())?.state).toBe('bound');
    await guest.must('dhclient -4 -r -v eth0');
    await expect.poll(async () => (await lease())?.state, ARRIVES).toBe('released');

    await guest.must('ip addr flush dev eth0; dhcpcd -4 -t 15 eth0');
    expect(await guest.address()).toBe('10.7.0.40');
    expect((await lease())?.state).toBe('bound');
    // dhcpcd takes the address away while the kernel may still be asking who has the server's; then its release is lost.
    await guest.must(`ping -c1 -W5 ${SERVER}`);
    await guest.must('dhcpcd -4 -k eth0; while pidof dhcpcd >/dev/null; do sleep 0.1; done');
    await expect.poll(async () => (await lease())?.state, ARRIVES).toBe('released');
  });
});

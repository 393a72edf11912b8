import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/base/issue.ts';
import type { GatewayPlan } from '../../src/lab/plan.ts';
import type { ServeSettings } from '../../src/lab/serve-plan.ts';
import { servePlan } from '../../src/lab/serve-plan.ts';
import { formatForward } from '../../src/nat/forward-text.ts';
import { formatIpv4, formatIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { formatIpv6, formatIpv6Interface } from '../../src/wire/ipv6-text.ts';
import { formatMac } from '../../src/wire/mac.ts';

describe('the plan of serve', () => {
  it("has the addresses of QEMU's user network where nothing is said", () => {
    expect(addresses({})).toEqual(['10.0.2.2/24', '52:55:0a:00:02:02', '10.0.2.15', '10.0.2.254']);
    expect(gateway({}).dhcp?.leaseTime).toBe(86_400);
  });

  it('follows --subnet', () => {
    expect(addresses({ subnet: '192.168.5.0/28' })).toEqual([
      '192.168.5.2/28',
      '52:55:c0:a8:05:02',
      '192.168.5.4',
      '192.168.5.14',
    ]);
  });

  it.each([
    ['net=10.0.3.0/24', '10.0.3.2/24', '10.0.3.15'],
    ['net=10.0.3.0/255.255.255.0', '10.0.3.2/24', '10.0.3.15'],
    ['net=10.0.3.77/24', '10.0.3.2/24', '10.0.3.15'],
    ['net=192.168.76.0', '192.168.2.2/16', '192.168.2.15'],
    ['net=10.9.0.0', '10.0.2.2/8', '10.0.2.15'],
    ['net=172.20.0.0', '172.16.2.2/12', '172.16.2.15'],
    ['net=130.1.0.0', '130.1.2.2/16', '130.1.2.15'],
    ['net=198.18.0.0', '198.18.2.2/15', '198.18.2.15'],
    ['net=10.0.3.0/28', '10.0.3.2/28', '10.0.3.4'],
    ['host=10.0.2.1', '10.0.2.1/24', '10.0.2.15'],
    ['dhcpstart=10.0.2.100', '10.0.2.2/24', '10.0.2.100'],
  ])('reads --user %s as QEMU does', (user, own, first) => {
    const [address, , start] = addresses({ user });
    expect([address, start]).toEqual([own, first]);
  });

  it('leads to the world; to the loopback of the host only with --user, as in QEMU', () => {
    expect(gateway({}).nat).toEqual({ isRestricted: false, hostAccess: [], allowsMetadata: false });
    expect(gateway({ user: '' }).nat).toEqual({ isRestricted: false, hostAccess: 'all', allowsMetadata: false });
  });

  it.each([
    ['', '10.0.2.3'],
    ['net=10.0.3.0/24', '10.0.3.3'],
    ['net=192.168.76.0', '192.168.2.3'],
    ['dns=10.0.2.9', '10.0.2.9'],
    ['dns=9.9.9.9', '9.9.9.9'],
    ['net=10.0.2.0/30', '10.0.2.2'],
    ['host=10.0.2.3', '10.0.2.3'],
  ])('answers names for --user %j at %s and says so by DHCP', (user, address) => {
    const { dns, dhcp, interface: own } = gateway({ user });
    expect(formatIpv4(dns!.address!)).toBe(address);
    expect(dhcp).toMatchObject({ routers: [own!.address], dns: [dns!.address] });
  });

  it.each([
    ['', 'fec0::2/64', 'fec0::3'],
    ['ipv6-net=fd00:1::', 'fd00:1::2/64', 'fd00:1::3'],
    ['ipv6-prefix=fd00:1::9,ipv6-prefixlen=56', 'fd00:1::2/56', 'fd00:1::3'],
    ['ipv6-host=fec0::1,ipv6-dns=fec0::53', 'fec0::1/64', 'fec0::53'],
    ['ipv6-dns=2001:db8::53', 'fec0::2/64', '2001:db8::53'],
  ])("has QEMU's IPv6 addresses for --user %j: %s, names at %s", (user, own, server) => {
    const { ipv6, dns, mac } = gateway({ user });
    expect([formatIpv6Interface(ipv6!.interface), formatIpv6(dns!.ipv6!.address)]).toEqual([own, server]);
    expect([formatIpv6(ipv6!.linkLocal!), formatMac(mac)]).toEqual(['fe80::2', '52:55:0a:00:02:02']);
    expect(ipv6!.advertisement).toMatchObject({ isManaged: false, routerLifetime: 1800 });
  });

  it('has one family only where the other is off', () => {
    expect(gateway({ user: 'ipv4=on' }).ipv6).toBeUndefined();
    expect(gateway({ mtu: 1000 }).ipv6).toBeUndefined();
    const { interface: own, dhcp, dns, ipv6 } = gateway({ user: 'ipv6=on' });
    expect([own, dhcp, dns!.address]).toEqual([undefined, undefined, undefined]);
    expect(ipv6).toBeDefined();
  });

  it('tells no router and no name server by IPv6 under restrict=on, and where to boot', () => {
    const { ipv6 } = gateway({ user: 'restrict=on,bootfile=a.efi,tftp=boot' });
    expect(ipv6!.advertisement.routerLifetime).toBe(0);
    expect(ipv6!.dhcp).toMatchObject({ dns: [], boot: { url: 'tftp://[fec0::2]/a.efi' } });
  });

  it('knows machines in the domain that they are told', () => {
    expect(gateway({ user: 'domainname=lab.internal' }).dns?.domain).toBe('lab.internal');
  });

  it('has no router and no name server under restrict=on', () => {
    const { nat, dns, dhcp } = gateway({ user: 'restrict=on' });
    expect(nat?.isRestricted).toBe(true);
    expect(dns).toBeUndefined();
    expect(dhcp).toMatchObject({ routers: [], dns: [] });
  });

  it.each([
    ['smb=/srv', 0x0a00_0204],
    ['smb=/srv,smbserver=10.0.2.20', 0x0a00_0214],
  ])('shares a folder by --user %s, at an address that no guest gets', (user, address) => {
    const { smb, dhcp } = gateway({ user });
    expect(smb).toEqual({ folder: '/srv', address });
    expect(dhcp?.excluded).toEqual([address]);
  });

  it('forwards by --user from 127.0.0.1 to the first of the pool, where the rule names neither', () => {
    const { hostForwards } = gateway({
      user: 'dhcpstart=10.0.2.40,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.9:53-10.0.2.7:53',
    });
    expect(hostForwards).toMatchObject([
      {
        protocol: 'tcp',
        listen: { address: Uint8Array.of(127, 0, 0, 1), first: 2222 },
        guest: 0x0a00_0228,
        guestPort: 22,
      },
      {
        protocol: 'udp',
        listen: { address: Uint8Array.of(127, 0, 0, 9), first: 53 },
        guest: 0x0a00_0207,
        guestPort: 53,
      },
    ]);
  });

  it('gives the address of a guestfwd to no guest', () => {
    const { guestForwards, dhcp } = gateway({ user: 'guestfwd=tcp:10.0.2.100:80-cmd:cat' });
    expect(guestForwards).toEqual([{ address: 0x0a00_0264, port: 80, to: { kind: 'command', command: 'cat' } }]);
    expect(dhcp?.excluded).toEqual([0x0a00_0264]);
  });

  it('shares nothing by smbserver alone', () => {
    expect(gateway({ user: 'smbserver=10.0.2.20' }).smb).toBeUndefined();
  });

  it('begins the pool behind the other stations', () => {
    expect(addresses({ user: 'net=10.0.2.0/28,smb=/srv' })[2]).toBe('10.0.2.5');
  });

  it('keeps the gateway out of the pool when dhcpstart lies before it', () => {
    expect(addresses({ user: 'host=10.0.2.200,dhcpstart=10.0.2.100' }).slice(2)).toEqual(['10.0.2.100', '10.0.2.199']);
  });

  it('tells guests names and boot files of --user', () => {
    const user =
      'hostname=vm,domainname=lab.internal,dnssearch=a.test,dnssearch=b.test,tftp=boot,,dir,bootfile=menu.ipxe';
    expect(gateway({ user })).toMatchObject({
      tftpFolder: 'boot,dir',
      dhcp: { hostname: 'vm', domain: 'lab.internal', search: ['a.test', 'b.test'], boot: { bootfile: 'menu.ipxe' } },
    });
  });

  it('takes a server name that is an address as the next server', () => {
    expect(gateway({ user: 'bootfile=a,tftp-server-name=10.0.2.7' }).dhcp?.boot?.server).toBe(0x0a00_0207);
    expect(gateway({ user: 'bootfile=a,tftp-server-name=boot' }).dhcp?.boot?.server).toBeUndefined();
  });

  it('is a hub without a gateway if so wished, with a capture of everything', () => {
    const result = servePlan({ name: 'serve', hub: true, gateway: false, capture: 'all.pcap' });
    expect(result).toEqual({
      plan: {
        name: 'serve',
        networks: [{ name: 'lan', kind: 'hub', mtu: 1500 }],
        nics: [],
        captures: [{ file: 'all.pcap', format: 'pcap', of: { kind: 'lab' } }],
      },
    });
  });

  it('forwards by --forward behind those of --user', () => {
    const user = 'hostfwd=tcp::2222-:22';
    const { hostForwards } = gateway({ user, forwards: ['udp 5353 -> vm:53', 'tcp 0 -> 10.0.2.16:80'] });
    expect(hostForwards.map(formatForward)).toEqual([
      'tcp 127.0.0.1:2222 -> 10.0.2.15:22 client=real',
      'udp 127.0.0.1:5353 -> vm:53',
      'tcp 127.0.0.1:0 -> 10.0.2.16:80',
    ]);
  });

  it('tells the MTU by DHCP', () => {
    expect(gateway({ mtu: 9000 }).dhcp?.mtu).toBe(9000);
  });

  it.each([
    [{ name: 'Serve' }, ['--name bad-name']],
    [{ mtu: 65_522 }, ['--mtu out-of-range']],
    [{ mtu: 67.5 }, ['--mtu out-of-range']],
    [{ subnet: '10.0.2' }, ['--subnet bad-subnet']],
    [{ subnet: '10.0.2.7/24' }, ['--subnet host-bits']],
    [{ subnet: '10.0.2.0/24', user: 'net=10.0.3.0/24' }, ['--subnet subnet-twice']],
    [{ gateway: false, subnet: '10.0.2.0/24', user: 'hostname=vm' }, ['--subnet no-gateway', '--user no-gateway']],
    [{ gateway: false, forwards: ['tcp 1 -> vm:1'] }, ['--forward no-gateway']],
    [{ forwards: ['tcp 80', 'tcp 8080 -> 10.9.9.9:80'] }, ['--forward bad-forward', '--forward outside-subnet']],
    [{ user: 'net=10.0.2.0/31' }, ['--user.net subnet-size']],
    [{ user: 'net=10.0.0.0/255.0.255.0' }, ['--user.net bad-subnet']],
    [{ user: 'net=10.0.3.0/24,host=10.0.2.2' }, ['--user.host outside-subnet']],
    [{ user: 'host=ten,dhcpstart=10.0.2.255' }, ['--user.host bad-address', '--user.dhcpstart not-a-host']],
    [{ user: 'dhcpstart=10.0.2.2' }, ['--user.dhcpstart address-taken']],
    [{ user: 'dhcpstart=10.0.2.3' }, ['--user.dhcpstart address-taken']],
    [{ user: 'dns=10.0.2.2' }, ['--user.dns address-taken']],
    [{ user: 'dns=ten' }, ['--user.dns bad-address']],
    [{ user: 'ipv6-net=x/127' }, ['--user.ipv6-prefix bad-prefix', '--user.ipv6-prefixlen prefix-length']],
    [{ user: 'ipv6-host=fd00::1,ipv6-dns=x' }, ['--user.ipv6-host outside-prefix', '--user.ipv6-dns bad-address']],
    [{ user: 'ipv6-dns=fec0::2' }, ['--user.ipv6-dns address-taken']],
    [{ user: 'ipv6=on', mtu: 1000 }, ['--user.ipv6 mtu-too-small']],
    [{ user: 'dns=10.0.2.255' }, ['--user.dns not-a-host']],
    [{ user: 'restrict=on,dns=9.9.9.9' }, ['--user.dns outside-subnet']],
    [{ user: 'hostfwd=tcp::2222' }, ['--user.hostfwd bad-forward']],
    [{ user: 'guestfwd=tcp:10.9.9.9:80-cmd:cat' }, ['--user.guestfwd outside-subnet']],
    [{ user: 'guestfwd=:10.0.2.9:80-cmd:cat,guestfwd=:10.0.2.9:80-cmd:cat' }, ['--user.guestfwd address-taken']],
    [{ user: 'smb=/srv,smbserver=10.0.2.2' }, ['--user.smbserver address-taken']],
    [{ user: 'smb=/srv,smbserver=10.0.2.3' }, ['--user.smbserver address-taken']],
    [{ user: 'smb=/srv,smbserver=10.9.9.9' }, ['--user.smbserver outside-subnet']],
    [
      { user: 'domainname=a..b,hostfwd=tcp::22-:x,foo=1', mtu: 1 },
      ['--mtu out-of-range', '--user.foo unknown-option', '--user.domainname bad-domain', '--user.hostfwd bad-port'],
    ],
  ])('refuses %j with all its mistakes', (wrong, expected) => {
    const result = servePlan({ ...SERVE, ...wrong });
    const issues = 'issues' in result ? result.issues : [];
    expect(issues.map(({ path, code }) => `${path.join('.')} ${code}`)).toEqual(expected);
    for (const issue of issues) expect(formatIssue(issue)).toMatch(/^--[a-z.6-]+: .+; .+$/);
  });
});

const SERVE: ServeSettings = { name: 'serve', hub: false, gateway: true };

function gateway(settings: Partial<ServeSettings>): GatewayPlan {
  const result = servePlan({ ...SERVE, ...settings });
  expect(result).not.toHaveProperty('issues');
  return (result as Extract<typeof result, { plan: unknown }>).plan.networks[0]!.gateway!;
}

/** Gateway, its link address, and the pool's ends. */
function addresses(settings: Partial<ServeSettings>): readonly string[] {
  const { interface: own, mac, dhcp } = gateway(settings);
  return [formatIpv4Interface(own!), formatMac(mac), formatIpv4(dhcp!.first), formatIpv4(dhcp!.last)];
}

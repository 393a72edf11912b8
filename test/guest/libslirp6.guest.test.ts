/**
 * IPv6 of vmlan's user network beside QEMU's own: router advertisements, neighbour discovery, ping and DHCPv6, compared field by field
 * as `libslirp.guest.test.ts` does for IPv4.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Workbench } from '../support/workbench.ts';
import type { BareMachine } from './support/bare-machine.ts';
import type { Fields } from './support/frame-fields.ts';
import { withTftp } from './support/frame-fields.ts';
import { expectAlike } from './support/intended-differences.ts';
import { describeGuests } from './support/qemu.ts';
import * as raw from './support/raw-frames.ts';
import * as raw6 from './support/raw-frames6.ts';
import { both, GUEST_MAC, startUserNetworks, type UserNetworks } from './support/user-networks.ts';

const US = raw6.linkLocal(GUEST_MAC);
const ROUTER = 'fe80::2';
const HOST = 'fec0::2';
const DNS = 'fec0::3';

const isOf = (type: number) => (frame: Fields) => frame['icmp6.type'] === String(type);
const isAnswer = (target: string) => (frame: Fields) => isOf(136)(frame) && frame['ndp.target'] === target;
const isDhcp6 = (frame: Fields) => 'dhcp6.type' in frame;

/** The answer to a solicitation; vmlan's unasked ones go to everybody. */
async function solicit({ libslirp, vmlan }: UserNetworks): Promise<{ libslirp: Fields; vmlan: Fields }> {
  const frame = raw6.routerSolicitation6(GUEST_MAC);
  return {
    libslirp: await libslirp.answer(isOf(134), frame),
    vmlan: await vmlan.answer((said) => isOf(134)(said) && said['ip.destination'] === US, frame),
  };
}

function whoHas(machine: BareMachine, target: string): Promise<Fields> {
  return machine.answer(isAnswer(target), raw6.neighbourSolicitation(machine.mac, target));
}

/** What came back for the frames before the router was found by a solicitation that followed them; of it all but what it says unasked. */
async function silence(machine: BareMachine, ...frames: readonly Uint8Array[]): Promise<Fields[]> {
  const early = await machine.before(isAnswer(ROUTER), raw6.neighbourSolicitation(machine.mac, ROUTER), ...frames);
  return early.filter((frame) => frame['ethernet.destination'] === machine.mac);
}

/** From the machine to an address that the gateway answers for, once each knows where the other is. */
async function towards(machine: BareMachine, destination: string): Promise<raw.Ends> {
  const neighbour = await whoHas(machine, destination);
  return { sourceMac: machine.mac, destinationMac: neighbour['ethernet.source']!, source: US, destination };
}

const CLIENT_ID = [1, [0, 3, 0, 1, ...raw.mac(GUEST_MAC)]] as const;
const asking = (...codes: readonly number[]) => [6, codes.flatMap((code) => raw.u16(code))] as const;

async function inform(machine: BareMachine, ...codes: readonly number[]): Promise<Fields> {
  await whoHas(machine, ROUTER); // else libslirp has to look for us first
  return machine.answer(isDhcp6, raw6.dhcp6Frame(machine.mac, 11, CLIENT_ID, asking(...codes)));
}

/** What stands in every advertisement. */
const ADVERTISED = ['one-station', 'ra-addressing', 'ra-other-configuration', 'ra-mtu', 'ra-names'] as const;
/** What stands in every Reply. */
const TOLD = ['one-station', 'hop-limit', 'dhcp6-ends', 'dhcp6-server-identifier'] as const;

describeGuests("IPv6 of QEMU's user network and vmlan's", () => {
  it('advertise the same network, wherever the options put it', async () => {
    const networks = await startUserNetworks(new Workbench(), 'domainname=lab.example');
    const advertised = await solicit(networks);
    expect(advertised.libslirp).toMatchObject({ 'ip.source': ROUTER, 'ra.lifetime': '1800' });
    expectAlike(advertised, ...ADVERTISED);

    const moved = await startUserNetworks(
      new Workbench(),
      'ipv6-prefix=fd00:7::,ipv6-prefixlen=64,ipv6-dns=fd00:7::9,domainname=lab.example',
    );
    const elsewhere = await solicit(moved);
    expect(elsewhere.vmlan['ndp.option.3']).toContain('fd000007');
    expectAlike(elsewhere, ...ADVERTISED);
  });

  it('differ under `restrict`: vmlan is no way out there and serves no names', async () => {
    const advertised = await solicit(await startUserNetworks(new Workbench(), 'restrict=on'));
    expectAlike(advertised, 'one-station', 'ra-addressing', 'ra-other-configuration', 'ra-mtu', 'ra-restricted');
  });

  it('answer neighbour solicitations and pings at their addresses and nowhere else', async () => {
    const networks = await startUserNetworks(new Workbench(), '');
    for (const address of [ROUTER, HOST, DNS])
      expectAlike(await both(networks, (machine) => whoHas(machine, address)), 'one-station');
    const ping = async (machine: BareMachine) => {
      const message = [128, 0, 0, 0, ...raw.u16(77), ...raw.u16(1), ...raw.ascii('hello')];
      return machine.answer(isOf(129), raw6.icmp6Frame(await towards(machine, HOST), message, 64));
    };
    expectAlike(await both(networks, ping), 'one-station', 'hop-limit');
    const elsewhere = (machine: BareMachine) => silence(machine, raw6.neighbourSolicitation(machine.mac, 'fec0::9'));
    expect(await both(networks, elsewhere)).toEqual({ libslirp: [], vmlan: [] });
  });

  it('tell by DHCPv6 who serves names, and what to boot', async () => {
    const bench = new Workbench();
    const networks = await startUserNetworks(bench, `bootfile=menu.efi,tftp=${bench.makeFolder('files')}`);
    const told = await both(networks, (machine) => inform(machine, 23, 59));
    expect(told.vmlan['dhcp6.option.59']).toBe('tftp://[fec0::2]/menu.efi');
    expectAlike(told, ...TOLD, 'dhcp6-boot-url');
    const names = await both(networks, (machine) => inform(machine, 23));
    expectAlike(names, ...TOLD);
  });

  it('tell search domains where they are asked for', async () => {
    const networks = await startUserNetworks(new Workbench(), 'domainname=lab.example,dnssearch=a.example');
    const told = await both(networks, (machine) => inform(machine, 23, 24));
    expectAlike(told, ...TOLD, 'dhcp6-search');
  });

  it('differ in addresses by DHCPv6: libslirp gives none', async () => {
    const { libslirp, vmlan } = await startUserNetworks(new Workbench(), '');
    const frame = raw6.dhcp6Frame(GUEST_MAC, 1, CLIENT_ID, [3, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]]);
    expect(await silence(libslirp, frame)).toEqual([]);
    expect(await vmlan.answer(isDhcp6, frame)).toMatchObject({ 'dhcp6.type': '2' });
  });

  it('offer files by TFTP', async () => {
    const bench = new Workbench();
    const folder = bench.makeFolder('files');
    writeFileSync(join(folder, 'small'), 'a small file');
    const networks = await startUserNetworks(bench, `tftp=${folder}`);
    const read = async (machine: BareMachine, port: number, name: string) => {
      const words = [name, 'octet'].flatMap((word) => [...raw.ascii(word), 0]);
      const request = raw6.udp6Frame(await towards(machine, HOST), port, 69, [0, 1, ...words]);
      return withTftp(await machine.answer((frame) => frame['udp.ports']?.endsWith(` ${port}`) === true, request));
    };
    const small = await both(networks, (machine) => read(machine, 1500, 'small'));
    expect(small.libslirp['tftp.data']).toBe('a small file');
    expectAlike(small, 'one-station', 'tftp-transfer-port', 'hop-limit');
    const absent = await both(networks, (machine) => read(machine, 1501, 'absent'));
    expectAlike(absent, 'one-station', 'tftp-wording', 'hop-limit');
  });
});

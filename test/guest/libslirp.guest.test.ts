/**
 * vmlan's user network beside QEMU's own: the same frames to both, and the answers compared field by field. Differences are those of
 * support/intended-differences.ts. `libslirp-nat.guest.test.ts` goes on where frames leave the network.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Workbench } from '../support/workbench.ts';
import type { BareMachine } from './support/bare-machine.ts';
import {
  ASK_FOR_ALL,
  DNS,
  discover,
  GATEWAY,
  isDhcp,
  ping,
  request,
  silence,
  towards,
  whoHas,
} from './support/dialogue.ts';
import { type Fields, withTftp } from './support/frame-fields.ts';
import { BOOT_LEASE, expectAlike, expectAllAlike, LEASE } from './support/intended-differences.ts';
import { describeGuests } from './support/qemu.ts';
import * as raw from './support/raw-frames.ts';
import { both, startUserNetworks } from './support/user-networks.ts';

describeGuests("the services of QEMU's user network and vmlan's", () => {
  it('lease alike without any option', async () => {
    const networks = await startUserNetworks(new Workbench(), '');
    const offer = await both(networks, discover);
    expect(offer.vmlan).toMatchObject({ 'dhcp.yiaddr': '10.0.2.15', 'dhcp.option.3': GATEWAY, 'dhcp.option.6': DNS });
    expectAlike(offer, ...LEASE);
    expectAlike(await both(networks, (machine) => discover(machine, ASK_FOR_ALL)), ...LEASE, 'dhcp-interface-mtu');
    expectAlike(await both(networks, (machine) => request(machine, '10.0.2.15', GATEWAY)), ...LEASE);
  });

  it('refuse an address of another network', async () => {
    const networks = await startUserNetworks(new Workbench(), '');
    const options = [[50, raw.ipv4('10.0.9.15')]] as const;
    const frame = raw.dhcpFrame({ mac: networks.vmlan.mac, type: raw.REQUEST, transaction: 7, options });
    const refusal = await both(networks, (machine) => machine.answer(isDhcp, frame));
    expect(refusal.vmlan['dhcp.option.53']).toBe('6');
    expectAlike(refusal, 'type-of-service', 'dhcp-next-server', 'dhcp-refusal');
  });

  it('answer ARP and ping at their addresses and nowhere else', async () => {
    const networks = await startUserNetworks(new Workbench(), '');
    await both(networks, discover);
    expectAlike(await both(networks, (machine) => whoHas(machine, GATEWAY)), 'arp-length');
    expectAlike(await both(networks, (machine) => whoHas(machine, DNS)), 'arp-length', 'one-station');
    for (const address of [GATEWAY, DNS]) {
      expectAlike(await both(networks, (machine) => ping(machine, address, address)), 'time-to-live');
    }
    const elsewhere = (machine: BareMachine) => silence(machine, GATEWAY, raw.arpRequest(machine, '10.0.2.9'));
    expect(await both(networks, elsewhere)).toEqual({ libslirp: [], vmlan: [] });
  });

  it('put their addresses where `net` says, with and without its mask', async () => {
    for (const [net, gateway, dns, first] of [
      ['192.168.76.0/24', '192.168.76.2', '192.168.76.3', '192.168.76.15'],
      ['172.20.4.0/255.255.255.0', '172.20.4.2', '172.20.4.3', '172.20.4.15'],
      ['192.168.76.0', '192.168.2.2', '192.168.2.3', '192.168.2.15'],
    ] as const) {
      const networks = await startUserNetworks(new Workbench(), `net=${net}`, { address: first });
      const offer = await both(networks, discover);
      expect(offer.libslirp).toMatchObject({ 'dhcp.yiaddr': first, 'dhcp.option.3': gateway, 'dhcp.option.6': dns });
      expectAlike(offer, ...LEASE);
      expectAlike(await both(networks, (machine) => whoHas(machine, dns)), 'arp-length', 'one-station');
    }
  });

  it('are where `host`, `dns` and `dhcpstart` put them', async () => {
    const options = 'host=10.0.2.9,dns=10.0.2.77,dhcpstart=10.0.2.100';
    const networks = await startUserNetworks(new Workbench(), options, { address: '10.0.2.100' });
    const offer = await both(networks, discover);
    expect(offer.libslirp).toMatchObject({ 'dhcp.yiaddr': '10.0.2.100', 'dhcp.option.54': '10.0.2.9' });
    expectAlike(offer, ...LEASE);
    expectAlike(await both(networks, (machine) => whoHas(machine, '10.0.2.9')), 'arp-length');
    expectAlike(await both(networks, (machine) => whoHas(machine, '10.0.2.77')), 'arp-length', 'one-station');
    const before = (machine: BareMachine) =>
      silence(machine, '10.0.2.9', raw.arpRequest(machine, GATEWAY), raw.arpRequest(machine, DNS));
    expect(await both(networks, before)).toEqual({ libslirp: [], vmlan: [] });
  });

  it('differ in IPv6: without it libslirp is silent, and vmlan says that no router is here', async () => {
    const networks = await startUserNetworks(new Workbench(), 'ipv4=on,ipv6=off');
    const { libslirp, vmlan } = networks;
    expect(await silence(libslirp, GATEWAY, raw.routerSolicitation(libslirp.mac))).toEqual([]);
    await vmlan.answer((frame) => frame['ethernet.type'] === '86dd', raw.routerSolicitation(vmlan.mac));
  });

  it('give the next machine the next address', async () => {
    const networks = await startUserNetworks(new Workbench(), 'dhcpstart=10.0.2.40');
    await both(networks, (machine) => request(machine, '10.0.2.40', GATEWAY));
    const frame = raw.dhcpFrame({ mac: '52:54:00:12:34:57', type: raw.DISCOVER, transaction: 8, options: [] });
    const offer = await both(networks, (machine) => machine.answer(isDhcp, frame));
    expect(offer.libslirp['dhcp.yiaddr']).toBe('10.0.2.41');
    expectAlike(offer, ...LEASE);
  });

  it('tell `hostname`, `domainname` and `dnssearch`', async () => {
    const options = 'hostname=box,domainname=lab.example,dnssearch=a.example,dnssearch=b.a.example';
    const networks = await startUserNetworks(new Workbench(), options);
    const offer = await both(networks, (machine) => discover(machine, ASK_FOR_ALL));
    expect(offer.libslirp).toMatchObject({ 'dhcp.option.12': 'box', 'dhcp.option.15': 'lab.example' });
    expectAlike(offer, ...LEASE, 'dhcp-interface-mtu');
  });

  it('offer `bootfile`, from `tftp-server-name` where it is given', async () => {
    const plain = await startUserNetworks(new Workbench(), 'bootfile=menu.ipxe');
    const offer = await both(plain, (machine) => discover(machine, ASK_FOR_ALL));
    expect(offer.libslirp).toMatchObject({ 'dhcp.file': 'menu.ipxe', 'dhcp.siaddr': GATEWAY });
    expectAlike(offer, ...BOOT_LEASE);

    const named = await startUserNetworks(new Workbench(), 'bootfile=menu.ipxe,tftp-server-name=boot.example');
    const namedOffer = await both(named, (machine) => discover(machine, ASK_FOR_ALL));
    expect(namedOffer.libslirp['dhcp.option.66']).toBe('boot.example');
    expectAlike(namedOffer, ...BOOT_LEASE);
  });

  it('read the files of `tftp`, and refuse what is not there or outside', async () => {
    const bench = new Workbench();
    const folder = bench.makeFolder('files');
    writeFileSync(join(folder, 'small'), 'a small file');
    writeFileSync(join(folder, 'large'), 'x'.repeat(1400));
    const networks = await startUserNetworks(bench, `tftp=${folder}`);
    const read = (port: number, name: string, ...options: readonly string[]) =>
      both(networks, (machine) => readFile(machine, port, name, ...options));

    const small = await read(1500, 'small');
    expect(small.libslirp.map((answer) => answer['tftp.data'])).toEqual(['a small file']);
    expectAllAlike(small, 'type-of-service', 'tftp-transfer-port');
    const large = await read(1501, 'large');
    expect(large.libslirp).toHaveLength(3);
    expectAllAlike(large, 'type-of-service', 'tftp-transfer-port');
    const negotiated = await read(1502, 'large', 'tsize', '0', 'blksize', '1024');
    expect(negotiated.libslirp[0]!['tftp.option.tsize']).toBe('1400');
    expectAllAlike(negotiated, 'type-of-service', 'tftp-transfer-port');
    expectAllAlike(await read(1503, 'absent'), 'type-of-service', 'tftp-wording');
    expectAllAlike(await read(1504, '../secret'), 'type-of-service', 'tftp-wording', 'tftp-outside');
  });
});

/** Every datagram of a read, in lock-step; the last one is an error or a block that is not full. */
async function readFile(
  machine: BareMachine,
  port: number,
  name: string,
  ...options: readonly string[]
): Promise<Fields[]> {
  const words = [name, 'octet', ...options].flatMap((word) => [...raw.ascii(word), 0]);
  const isAnswer = (frame: Fields) => frame['udp.ports']?.endsWith(` ${port}`) === true;
  const ask = async (frame: Uint8Array) => withTftp(await machine.answer(isAnswer, frame));
  const answers = [await ask(raw.udpFrame(towards(machine, GATEWAY), port, 69, [0, 1, ...words]))];
  for (;;) {
    const last = answers.at(-1)!;
    if ('tftp.error' in last) return answers;
    const server = Number(last['udp.ports']!.split(' ')[0]);
    const block = raw.u16(Number(last['tftp.block'] ?? 0));
    const acknowledgment = raw.udpFrame(towards(machine, GATEWAY), port, server, [0, 4, ...block]);
    if ((last['tftp.data']?.length ?? Infinity) < Number(answers[0]!['tftp.option.blksize'] ?? 512)) {
      machine.send(acknowledgment);
      return answers;
    }
    answers.push(await ask(acknowledgment));
  }
}

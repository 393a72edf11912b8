import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { uint32 } from '../../src/wire/dhcp-options.ts';
import { readUint16, writeUint16 } from '../../src/wire/octets.ts';
import { ACK } from '../../src/wire/tcp.ts';
import { queryOf } from '../support/dns-peer.ts';
import { B, C, frame } from '../support/frames.ts';
import { GATEWAY, GatewayWire, GUEST, NAMES, refit, SHARE, segmentFrame, WORLD } from '../support/gateway-wire.ts';
import { settle } from '../support/manual-scheduler.ts';
import { below, converse, noisy, WELL } from '../support/noise.ts';
import { packet } from '../support/packets.ts';
import {
  arpFrame,
  echoRequest,
  fragmentsOf,
  icmpPayload,
  ip,
  ipv4Frame,
  pattern,
  requestFrom,
  udpPayload,
} from '../support/stack-peer.ts';
import { Ear } from '../support/tcp-link.ts';

const SYN_OPTIONS = Uint8Array.of(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7);

function datagram(destination: number, port: number, payload: Uint8Array): Uint8Array {
  const addresses = { source: GUEST, destination };
  return ipv4Frame(udpPayload(5000, port, payload, addresses), addresses);
}

const from = { source: GUEST };

/** A valid frame of each kind that the gateway looks into. */
const KINDS: Readonly<Record<string, Uint8Array>> = {
  'an ARP request': arpFrame(requestFrom(B, GUEST, GATEWAY)),
  'an echo request to the gateway': echoRequest(pattern(40), { ...from, destination: GATEWAY }),
  'an echo request to the world': echoRequest(pattern(40), { ...from, destination: WORLD }),
  'an ICMP error': ipv4Frame(icmpPayload(3, 3, datagram(WORLD, 9, pattern(20)).slice(14)), {
    ...from,
    protocol: 1,
    destination: GATEWAY,
  }),
  'a fragment': fragmentsOf(udpPayload(5000, 9, pattern(100), { ...from, destination: WORLD }), 64, {
    ...from,
    destination: WORLD,
  })[0]!,
  'a packet of an unknown protocol': ipv4Frame(pattern(30), { ...from, protocol: 132, destination: GATEWAY }),
  'a datagram to the world': datagram(WORLD, 9, pattern(30)),
  'a datagram to a closed port': datagram(GATEWAY, 9, pattern(30)),
  'a name query': datagram(NAMES, 53, queryOf('gateway.lab.internal', 'A')),
  'a TFTP request': datagram(GATEWAY, 69, new TextEncoder().encode('\0\x01boot.img\0octet\0blksize\x001024\0')),
  'a DHCP DISCOVER': packet('dhcp-discover-ipxe'),
  'a DHCP REQUEST': packet('dhcp-request-udhcpc'),
  'a SYN to the world': segmentFrame({ options: SYN_OPTIONS }),
  'a SYN to the name server': segmentFrame({ to: NAMES, port: 53, options: SYN_OPTIONS }),
  'a SYN to a guest-forward': segmentFrame({ to: SHARE, port: 445, options: SYN_OPTIONS }),
  'a segment of no connection': segmentFrame({ flags: ACK, acknowledgment: 5, payload: pattern(30) }),
  'a record route': packet('ipv4-record-route'),
  'a router solicitation': packet('ndp-router-solicitation-ipxe'),
  'a neighbour solicitation': packet('ndp-neighbour-solicitation'),
  'an IPv6 fragment': packet('ipv6-fragment'),
  'an unknown EtherType': frame(0x525400000001, B, 80, 7),
};

/** Without the padding of Ethernet. */
function bare(bytes: Uint8Array): Uint8Array {
  const type = readUint16(bytes, 12);
  if (type === 0x0806) return bytes.subarray(0, 42);
  if (type === 0x0800) return bytes.subarray(0, 14 + readUint16(bytes, 16));
  return type === 0x86dd ? bytes.subarray(0, 54 + readUint16(bytes, 18)) : bytes;
}

describe.each(Object.entries(KINDS))('%s', (_kind, whole) => {
  const frames = Array.from({ length: bare(whole).length - 1 }, (_, i) => bare(whole).slice(0, i + 1));

  it('that is cut at any octet is dropped and counted, once', async () => {
    const wire = await new GatewayWire().start();
    const { pending } = wire.scheduler;
    for (const cut of frames) {
      const [counted, asked] = [wire.counted, wire.asked];
      wire.send(cut);
      expect(wire.counted - counted, `cut to ${cut.length} octets`).toBe(1);
      expect(wire.machine.take()).toEqual([]);
      expect(wire.asked).toBe(asked);
    }
    expect(wire.scheduler.pending).toBe(pending);
  });

  it('that is cut at any octet, with lengths and checksums that fit, has an effect or is counted', async () => {
    const wire = await new GatewayWire().start();
    let silent = 0;
    for (const cut of frames) {
      const [counted, asked] = [wire.counted, wire.asked];
      if (cut.length >= 36 && cut[23] === 6) writeUint16(cut, 34, 20_000 + cut.length);
      wire.send(refit(cut));
      wire.scheduler.advance(1000);
      await settle();
      if (wire.counted === counted && wire.asked === asked && wire.machine.take().length === 0) silent++;
    }
    // fragments wait, and are counted when they have waited long enough
    const before = wire.counted;
    await wire.pass(31_000, 1000);
    expect(wire.counted - before).toBeGreaterThanOrEqual(silent);
    expect(await converse(wire)).toEqual(WELL);
  });
});

const SEEDS = Array.from({ length: 8 }, (_, i) => i + 1);
const ROUNDS = 150;

it.each(SEEDS)('a machine whose cable changes a third of its frames, seed %i, harms nobody', async (seed) => {
  const random = new SeededRandom(seed);
  const wire = await new GatewayWire({ hostAccess: 'all' }).start();
  let share = 1 / 3;
  const stack = wire.station(C, ip('10.0.2.16'), (port) => noisy(port, random, () => share));
  const here = { address: uint32(ip('10.0.2.16')), port: 0 };
  const ears: Ear[] = [];
  const socket = stack.udp.open(0, () => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const ear = new Ear();
    const to = [WORLD, NAMES, SHARE, GATEWAY][below(random, 4)]!;
    const port = [80, 53, 445, 446][below(random, 4)]!;
    ear.connection = stack.tcp.connect(here, { address: uint32(to), port }, ear);
    ears.push(ear);
    for (const other of [ears[below(random, ears.length)]!, ear]) {
      if (random.next() < 0.7) other.connection!.send(pattern(below(random, 5000)));
      if (random.next() < 0.2) other.connection!.finish();
      if (random.next() < 0.1) other.connection!.reset();
    }
    socket.send({ address: uint32(to), port }, pattern(below(random, 3000)));
    socket.send({ address: uint32(NAMES), port: 53 }, queryOf(`host${round}.example`, 'A', { id: round }));
    socket.send({ address: uint32(GATEWAY), port: 69 }, new TextEncoder().encode('\0\x01boot.img\0octet\0'));
    stack.ping(to, { timeout: 1000 }, () => undefined);
    playWorld(wire, random);
    await wire.pass(60);
    expect([...wire.gateway.flows].length).toBeLessThan(2 * ROUNDS + 600);
  }
  share = 0;
  for (const stream of wire.net.streams) stream.breakOff();
  stack.tcp.resetAll();
  await wire.pass(310_000, 1000);
  // who is silent and was not told is asked after two hours
  await wire.pass(3 * 3_600_000, 20_000);
  expect([...wire.gateway.flows]).toEqual([]);
  expect(wire.files.openFiles).toBe(0);
  expect(wire.net.sockets.filter(({ isClosed, local }) => !isClosed && local?.port !== 2222)).toEqual([]);
  expect(await converse(wire)).toEqual(WELL);
});

/** The other ends of what the gateway opened do something. */
function playWorld(wire: GatewayWire, random: SeededRandom): void {
  const { streams, sockets, echoes } = wire.net;
  for (const stream of streams.slice(-4)) {
    const dice = random.next();
    if (!stream.isOpen && dice < 0.7) stream.open();
    else if (!stream.isOpen) stream.fail('refused');
    else if (dice < 0.5) stream.feed(pattern(below(random, 70_000)));
    else if (dice < 0.6) stream.end();
    else if (dice < 0.65) stream.breakOff();
    else if (dice < 0.75) stream.room = 1000;
    else stream.take();
  }
  sockets.at(-1)?.feed(pattern(below(random, 9000)), { address: uint32(WORLD), port: 80 });
  echoes.at(-1)?.reply(uint32(WORLD), below(random, 9), pattern(below(random, 2000)));
}

it('what is cut is of a kind that works whole', async () => {
  const wire = await new GatewayWire().start();
  wire.send(...Object.values(KINDS));
  await wire.pass(2000);
  expect(wire.net.streams).toHaveLength(2);
  expect(wire.net.echoes).toHaveLength(1);
  expect(wire.gateway.counters.get('dns-local')).toBe(1);
  expect(wire.gateway.leases().length).toBeGreaterThan(0);
});

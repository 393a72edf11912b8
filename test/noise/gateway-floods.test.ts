import { expect, it } from 'vitest';
import { DHCP_CLIENT_PORT } from '../../src/wire/dhcp.ts';
import { readUint32, writeUint32 } from '../../src/wire/octets.ts';
import { ACK } from '../../src/wire/tcp.ts';
import { queryOf } from '../support/dns-peer.ts';
import { B } from '../support/frames.ts';
import { GATEWAY, GatewayWire, GUEST, NAMES, RESOLVER, SHARE, segmentFrame, WORLD } from '../support/gateway-wire.ts';
import { converse, WELL } from '../support/noise.ts';
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

const FRAMES = 10_000;
const CHUNK = new Uint8Array(64 * 1024);
/** Of the machine's network, 10.0.2.64 to 10.0.2.191. */
const invented = (i: number): number => ip('10.0.2.64') + (i % 128);
const port = (i: number): number => 1024 + (i % 60_000);

function datagram(source: number, sourcePort: number, to: number, toPort: number, payload = pattern(8)): Uint8Array {
  const addresses = { source, destination: to };
  return ipv4Frame(udpPayload(sourcePort, toPort, payload, addresses), addresses);
}

/** Frame by frame; what is said in answer is thrown away, and counted. */
function flood(wire: GatewayWire, make: (i: number) => Uint8Array, frames = FRAMES): number {
  let said = 0;
  for (let i = 0; i < frames; i++) {
    wire.send(make(i));
    said += wire.machine.take().length;
  }
  return said;
}

const open = <T extends { readonly isClosed: boolean }>(of: readonly T[]): number =>
  of.filter(({ isClosed }) => !isClosed).length;
const flowsOf = (wire: GatewayWire): number => [...wire.gateway.flows].length;
const liveStreams = (wire: GatewayWire): number => wire.net.streams.filter(({ isReset }) => !isReset).length;

it('SYNs that nobody on the host answers: 1024 are held, and every one is asked for, counted or refused', async () => {
  const wire = await new GatewayWire().start();
  flood(wire, (i) => segmentFrame({ source: invented(i), sourcePort: port(i) }));
  expect(liveStreams(wire)).toBeLessThanOrEqual(1024);
  expect(flowsOf(wire)).toBe(liveStreams(wire));
  expect(wire.gateway.counters.get('tcp-half-open-full')).toBe(FRAMES - 1024);
  expect(wire.net.streams).toHaveLength(FRAMES);
  for (const stream of wire.net.streams) stream.fail('timeout');
  expect(flowsOf(wire)).toBe(0);
  await wire.pass(5000, 100);
  expect(await converse(wire)).toEqual(WELL);
});

it('SYNs that are answered and never acknowledged: 1024 wait, and for a minute', async () => {
  const wire = await new GatewayWire().start();
  flood(wire, (i) => {
    wire.net.streams.at(-1)?.open();
    return segmentFrame({ sourcePort: port(i) });
  });
  expect(flowsOf(wire)).toBeLessThanOrEqual(1025);
  await wire.pass(130_000, 1000);
  expect(flowsOf(wire)).toBeLessThanOrEqual(1);
  expect(liveStreams(wire)).toBeLessThanOrEqual(1);
  expect(await converse(wire)).toEqual(WELL);
});

it('SYNs from addresses off the link open nothing', async () => {
  const wire = await new GatewayWire().start();
  const said = flood(wire, (i) =>
    segmentFrame({ source: ip('198.51.100.0') + (i % 200), sourcePort: port(i), to: i % 2 ? WORLD : SHARE, port: 445 }),
  );
  expect(wire.net.streams).toEqual([]);
  expect(said).toBe(0);
  expect(wire.gateway.counters.get('tcp-foreign-source')).toBe(FRAMES);
});

it('connections to a command: so many processes run, and the rest is refused and counted', async () => {
  const wire = await new GatewayWire().start();
  flood(wire, (i) => segmentFrame({ sourcePort: port(i), to: SHARE, port: 446 }), 500);
  expect(liveStreams(wire)).toBe(64);
  expect(wire.gateway.counters.get('guest-forward-busy')).toBe(500 - 64);
  for (const stream of wire.net.streams) stream.fail('other');
  flood(wire, () => segmentFrame({ sourcePort: 9, to: SHARE, port: 446 }), 1);
  expect(liveStreams(wire)).toBe(1);
});

it('segments of no connection are refused or counted', async () => {
  const wire = await new GatewayWire().start();
  const said = flood(wire, (i) =>
    segmentFrame({ sourcePort: port(i), flags: ACK, acknowledgment: i, payload: pattern(9) }),
  );
  expect(wire.gateway.counters.get('tcp-no-connection')).toBe(FRAMES);
  expect(said).toBe(FRAMES);
  expect(await converse(wire)).toEqual(WELL);
});

it('datagrams from invented ports: 1024 sockets of the guest are open, all others made room', async () => {
  const wire = await new GatewayWire().start();
  flood(wire, (i) => datagram(GUEST, port(i), WORLD, 9));
  expect(open(wire.net.sockets)).toBe(1024 + 1);
  expect(flowsOf(wire)).toBe(1024);
  expect(wire.gateway.counters.get('udp-mapping-limit')).toBe(FRAMES - 1024);
  expect(wire.net.sockets.reduce((sum, { sent }) => sum + sent.length, 0)).toBe(FRAMES);
  await wire.pass(310_000, 1000);
  expect(flowsOf(wire)).toBe(0);
  expect(await converse(wire)).toEqual(WELL);
});

it('datagrams from invented addresses: 4096 sockets are open, and none for addresses off the link', async () => {
  const wire = await new GatewayWire().start();
  flood(wire, (i) => datagram(invented(i), port(i), WORLD, 9));
  expect(open(wire.net.sockets)).toBe(4096 + 1);
  flood(wire, (i) => datagram(ip('198.51.100.0') + (i % 200), port(i), WORLD, 9), 500);
  expect(wire.gateway.counters.get('udp-foreign-source')).toBe(500);
  expect(await converse(wire)).toEqual(WELL);
});

it('echo requests: to the world 64 identifiers of a guest, to the gateway no state at all', async () => {
  const wire = await new GatewayWire().start();
  const echo = (i: number, source: number, destination: number) =>
    ipv4Frame(icmpPayload(8, 0, pattern(8), i, i), { source, destination, protocol: 1 });
  flood(wire, (i) => echo(i, GUEST, WORLD));
  expect(open(wire.net.echoes)).toBe(64);
  flood(wire, (i) => echo(i, invented(i), WORLD));
  expect(open(wire.net.echoes)).toBe(512);
  expect(wire.net.echoes.reduce((sum, { sent }) => sum + sent.length, 0)).toBe(2 * FRAMES);
  expect(flood(wire, (i) => echo(i, GUEST, GATEWAY))).toBe(FRAMES);
  expect(await converse(wire)).toEqual(WELL);
});

it('echo requests from machines that are not there: 64 are looked for, and the rest is counted', async () => {
  const wire = await new GatewayWire().start();
  const { pending } = wire.scheduler;
  flood(wire, (i) => echoRequest(pattern(1000), { source: invented(i), destination: GATEWAY }));
  await wire.pass(5000, 1000);
  const { counters } = wire.gateway;
  expect(counters.get('neighbour-queue-full') + counters.get('neighbour-unresolved')).toBe(FRAMES);
  expect(wire.scheduler.pending).toBe(pending);
  expect(await converse(wire)).toEqual(WELL);
});

it('names that no server knows: each question is answered, and none stays', async () => {
  const wire = await new GatewayWire().start();
  const upstream: number[] = [];
  await wire.net.bind(RESOLVER, { received: ({ length }) => void upstream.push(length), refused: () => undefined });
  let said = flood(wire, (i) => datagram(GUEST, port(i), NAMES, 53, queryOf(`n${i}.example`, 'A', { id: i })));
  expect(open(wire.net.sockets)).toBeLessThanOrEqual(64 + 20);
  for (let passed = 0; passed < 20_000; passed += 500) {
    await wire.pass(500, 500);
    said += wire.machine.take().length;
  }
  expect(said).toBe(FRAMES);
  expect(wire.gateway.counters.get('dns-queries')).toBe(FRAMES);
  expect(wire.gateway.counters.get('dns-busy')).toBe(FRAMES - 2048);
  expect(upstream.length).toBeLessThan(2048 * 6);
  await wire.pass(31_000, 1000);
  expect(open(wire.net.sockets)).toBe(2);
  expect(await converse(wire)).toEqual(WELL);
});

it('DISCOVERs from invented cards: the pool is offered once, and free again when nobody took it', async () => {
  const wire = await new GatewayWire().start();
  const base = packet('dhcp-discover-ipxe').slice(42);
  const discover = (i: number) => {
    writeUint32(base, 30, i);
    const addresses = { source: 0, destination: 0xffffffff };
    const payload = udpPayload(DHCP_CLIENT_PORT, 67, base, addresses);
    return ipv4Frame(payload, { ...addresses, toMac: 0xffffffffffff });
  };
  for (let round = 0; round < 20; round++) {
    flood(wire, (i) => discover(1000 * round + i), 500);
    await wire.pass(1000, 100);
    expect(wire.gateway.leases().length).toBeLessThanOrEqual(46);
    expect(wire.scheduler.pending).toBeLessThan(300);
  }
  expect(wire.gateway.counters.get('dhcp-pool-exhausted')).toBeGreaterThan(5000);
  expect(await converse(wire)).toEqual(WELL);
  await wire.pass(61_000, 1000);
  flood(wire, () => discover(99_999_999), 1);
  await wire.pass(2000, 100);
  expect(wire.gateway.leases().filter(({ state }) => state === 'offered')).toHaveLength(1);
});

it('ARP from invented neighbours is answered, and the gateway finds its machines all the same', async () => {
  const wire = await new GatewayWire().start();
  const said = flood(wire, (i) => arpFrame(requestFrom(0x525500000000 + i, ip('10.0.0.0') + (i % 60_000), GATEWAY)));
  expect(said).toBe(FRAMES);
  expect(await converse(wire)).toEqual(WELL);
});

it('ARP in the name of the gateway is defended against, not more than once in ten seconds', async () => {
  const wire = await new GatewayWire().start();
  const said = flood(wire, () => arpFrame(requestFrom(B, GATEWAY, GUEST)), 1000);
  expect(said).toBe(1);
  expect(await converse(wire)).toEqual(WELL);
});

it('first fragments: each is counted when it has made room or has waited 30 s', async () => {
  const wire = await new GatewayWire().start();
  const addresses = { source: GUEST, destination: WORLD };
  const whole = udpPayload(5000, 9, pattern(2000), addresses);
  const first = (i: number) =>
    fragmentsOf(whole, 1480, { ...addresses, identification: i % 65_536, source: invented(i) })[0]!;
  flood(wire, first, 20_000);
  expect(wire.gateway.counters.get('fragment-limit')).toBeGreaterThan(16_000);
  wire.send(...fragmentsOf(whole, 1480, { ...addresses, identification: 7 }));
  expect(wire.net.sockets.at(-1)!.sent).toHaveLength(1);
  await wire.pass(31_000, 1000);
  const { counters } = wire.gateway;
  expect(counters.get('fragment-limit') + counters.get('fragment-timeout') + counters.get('fragment-duplicate')).toBe(
    20_000,
  );
  expect(await converse(wire)).toEqual(WELL);
});

it('connections that send into a host that does not read: their windows share one budget', async () => {
  const wire = await new GatewayWire().start();
  const talks = Array.from({ length: 600 }, (_, i) => {
    wire.send(segmentFrame({ sourcePort: port(i) }));
    const host = wire.net.lastStream;
    host.open();
    host.room = 0;
    const acknowledgment = (readUint32(wire.machine.take().at(-1)!, 38) + 1) >>> 0;
    return { host, sourcePort: port(i), acknowledgment };
  });
  for (let piece = 0; piece < 40; piece++)
    for (const { sourcePort, acknowledgment } of talks) {
      wire.machine.inject(
        segmentFrame({ sourcePort, acknowledgment, flags: ACK, sequence: 1001 + piece * 1400, payload: pattern(1400) }),
      );
      wire.machine.take();
    }
  const queued = talks.reduce((sum, { host }) => sum + host.queued, 0);
  expect(queued).toBeLessThan(64 * 1024 * 1024 + 600 * 66_000);
  for (const { host } of talks) host.breakOff();
  expect(flowsOf(wire)).toBe(0);
  expect(await converse(wire)).toEqual(WELL);
});

it('connections that do not read what a fast host sends share its memory, and give it back', async () => {
  const wire = await new GatewayWire().start();
  for (let i = 0; i < 400; i++) {
    wire.send(segmentFrame({ sourcePort: port(i) }));
    const host = wire.net.lastStream;
    host.open();
    const acknowledgment = (readUint32(wire.machine.take().at(-1)!, 38) + 1) >>> 0;
    wire.send(segmentFrame({ sourcePort: port(i), acknowledgment, flags: ACK, sequence: 1001, window: 0 }));
    while (!host.isPaused) host.feed(CHUNK);
  }
  const held = [...wire.gateway.flows].reduce((sum, { toGuest }) => sum + toGuest, 0);
  expect(held).toBeLessThan(300 * 1024 * 1024);
  for (const stream of wire.net.streams) stream.breakOff();
  expect(flowsOf(wire)).toBe(0);
  wire.machine.take();
  expect(await converse(wire)).toEqual(WELL);
});

import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { TRANSFER_LIMIT } from '../../src/service/tftp/server.ts';
import { parseDhcp } from '../../src/wire/dhcp.ts';
import { classlessRoutesOf, domainSearchOf } from '../../src/wire/dhcp-options.ts';
import { parseSocksGreeting, parseSocksRequest } from '../../src/wire/socks5.ts';
import { parseTftp } from '../../src/wire/tftp.ts';
import { DhcpBench } from '../support/dhcp-peer.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryState, MemoryTree } from '../support/memory-files.ts';
import { below, mutatedOctets } from '../support/noise.ts';
import { packet } from '../support/packets.ts';
import { ip, pattern } from '../support/stack-peer.ts';
import { TftpBench } from '../support/tftp-peer.ts';

const MESSAGES = 10_000;

const dhcp = [
  'dhcp-discover-ipxe',
  'dhcp-request-ipxe',
  'dhcp-discover-udhcpc',
  'dhcp-request-udhcpc',
  'dhcp-release-dhclient',
  'dhcp-discover-dhcpcd',
  'dhcp-offer-libslirp',
].map((name) => packet(name).subarray(42));
const tftp = ['tftp-read-request-ipxe', 'tftp-option-ack-libslirp', 'tftp-ack-ipxe', 'tftp-data-libslirp'].map((name) =>
  packet(name).subarray(42),
);

const SOCKS = ['05020002', '0501000103776562005005', '05010001 0a000250 0050', '050100030377656201bb'].map((hex) =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
);

it('SOCKS gives a value for any octets, and stays inside them', () => {
  const random = new SeededRandom(12);
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = mutatedOctets(SOCKS, random);
    const guarded = Uint8Array.of(...bytes, ...pattern(64));
    for (const parse of [parseSocksGreeting, parseSocksRequest]) {
      const message = parse(bytes, 0, bytes.length);
      expect(parse(guarded, 0, bytes.length)).toEqual(message);
      if (typeof message === 'object') expect(message.end).toBeLessThanOrEqual(bytes.length);
    }
  }
});

it('parsers give a value for any octets, and stay inside them', () => {
  const random = new SeededRandom(11);
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = mutatedOctets([...dhcp, ...tftp], random);
    const message = parseDhcp(bytes, 0, bytes.length);
    if (typeof message !== 'string') {
      domainSearchOf(new Map([[119, bytes.subarray(240)]]));
      classlessRoutesOf(new Map([[121, bytes.subarray(240)]]));
    }
    const guarded = Uint8Array.of(...bytes, ...pattern(64));
    expect(parseDhcp(guarded, 0, bytes.length)).toEqual(message);
    expect(parseTftp(guarded, 0, bytes.length)).toEqual(parseTftp(bytes, 0, bytes.length));
  }
});

it('a DHCP server takes any message, leases no more than its pool and answers only with whole messages', async () => {
  const random = new SeededRandom(12);
  const state = new MemoryState();
  const bench = new DhcpBench({ last: ip('10.0.2.30') }, state);
  for (let i = 0; i < MESSAGES; i++) {
    bench.deliver(mutatedOctets(dhcp, random), 0x525400000000 + below(random, 100));
    if (i % 50 !== 0) continue;
    bench.scheduler.advance(100);
    await settle();
  }
  expect(bench.answers().length).toBeGreaterThan(100);
  expect(bench.server.leases().length).toBeLessThanOrEqual(16);
  expect(bench.counters.get('dhcp-malformed')).toBeGreaterThan(100);
});

it('a flood of DISCOVERs from invented addresses keeps few probes and timers', () => {
  const bench = new DhcpBench({ first: ip('10.0.2.3'), last: ip('10.0.2.250') });
  for (let i = 0; i < MESSAGES; i++) bench.say('discover', { mac: 0x525400000000 + i });
  expect(bench.scheduler.pending).toBeLessThan(300);
  bench.scheduler.advance(1000);
  expect(bench.server.leases().length).toBeLessThanOrEqual(248);
  expect(bench.counters.get('dhcp-pool-exhausted')).toBeGreaterThan(0);
});

it('a TFTP server takes any packet, and ends what nobody acknowledges', async () => {
  const random = new SeededRandom(13);
  const files = new MemoryTree({ 'boot.ipxe': pattern(5000) });
  const bench = new TftpBench(files);
  const readers = Array.from({ length: 100 }, () => bench.reader());
  for (let i = 0; i < MESSAGES; i++) {
    const reader = readers[below(random, readers.length)]!;
    reader.sendOctets(mutatedOctets(tftp, random), random.next() < 0.5 ? 69 : reader.peer);
    if (i % 20 === 0) await settle();
  }
  await settle();
  expect(bench.server.transfers).toBeLessThanOrEqual(TRANSFER_LIMIT);
  for (let i = 0; i < 10; i++) {
    bench.scheduler.advance(300_000);
    await settle();
  }
  expect(bench.server.transfers).toBe(0);
  expect(files.openFiles).toBe(0);
});

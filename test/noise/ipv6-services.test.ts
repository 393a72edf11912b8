import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { RouterAdvertisements } from '../../src/service/router-advertisements.ts';
import { emitDhcp6Option, parseDhcp6 } from '../../src/wire/dhcpv6.ts';
import {
  answeredAssociation,
  associationsOf,
  clientFqdnOf,
  IA_NA,
  linkLayerDuid,
  requestedOptionsOf,
} from '../../src/wire/dhcpv6-options.ts';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import { parseNdp } from '../../src/wire/ndp.ts';
import { emitRouterOption } from '../../src/wire/ndp-router-options.ts';
import { Dhcp6Bench, SERVER6 } from '../support/dhcp6-peer.ts';
import { A, hex } from '../support/frames.ts';
import { icmpv6Frame, ip6, ndpFrame, ONE, Wire6 } from '../support/ipv6-peer.ts';
import { below, mutatedOctets } from '../support/noise.ts';
import { packet } from '../support/packets.ts';
import { pattern } from '../support/stack-peer.ts';

const MESSAGES = 2000;

/** What dhclient, UEFI and libslirp said, and messages of each other type. */
const SEEDS = [
  ...['dhcp6-solicit-dhclient', 'dhcp6-solicit-uefi', 'dhcp6-information-request-dhclient', 'dhcp6-reply-libslirp'].map(
    (name) => packet(name).subarray(62),
  ),
  ...[3, 4, 5, 6, 8, 9].map((type) => message(type, [8])),
];

/** A message of this type that names client and server, and has one association after the other, each in the one before. */
function message(type: number, nesting: readonly number[]): Uint8Array {
  const client = { code: 1, value: linkLayerDuid(ONE.mac) };
  const server = { code: 2, value: linkLayerDuid(A) };
  const addresses = [{ address: ip6('fd00::10'), lifetime: 3600 }];
  const plain = { code: IA_NA, iaid: 1, t1: 0, t2: 0, addresses, status: undefined } as const;
  const association = nesting.reduce(
    (inner, _) => answeredAssociation({ ...plain, status: inner }),
    answeredAssociation(plain),
  );
  const out = new Uint8Array(60_000);
  out.set([type, 1, 2, 3]);
  let end = 4;
  const isForOne = type !== 4 && type !== 6;
  for (const option of [client, ...(isForOne ? [server] : []), association]) end = emitDhcp6Option(option, out, end);
  return out.slice(0, end);
}

it('DHCPv6 gives a value for any octets, and stays inside them', () => {
  const random = new SeededRandom(21);
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = mutatedOctets(SEEDS, random);
    const parsed = parseDhcp6(bytes, 0, bytes.length);
    const guarded = Uint8Array.of(...bytes, ...pattern(64));
    const again = parseDhcp6(guarded, 0, bytes.length);
    if (typeof parsed === 'string' || typeof again === 'string') {
      expect(again).toBe(parsed);
      continue;
    }
    for (const read of [
      (options: typeof parsed.options) => associationsOf(options, 8),
      clientFqdnOf,
      requestedOptionsOf,
    ])
      expect(read(again.options)).toEqual(read(parsed.options));
  }
});

it('a DHCPv6 server takes any message: it answers or counts each, and leases no more than its pool', () => {
  const random = new SeededRandom(22);
  const bench = new Dhcp6Bench();
  const said = { answered: 0, counted: 0 };
  for (let i = 0; i < MESSAGES; i++) {
    const before = total(bench);
    bench.deliver(mutatedOctets(SEEDS, random), 0x525400010000 + below(random, 100));
    const answers = bench.answers().length;
    expect(answers).toBeLessThanOrEqual(1);
    if (answers === 0) expect(total(bench)).toBe(before + 1);
    said[answers === 0 ? 'counted' : 'answered']++;
    if (i % 50 === 0) bench.scheduler.advance(1000);
  }
  expect(said.answered).toBeGreaterThan(200);
  expect(said.counted).toBeGreaterThan(200);
  expect(bench.server.leases().length).toBeLessThanOrEqual(3);
  expect(bench.scheduler.pending).toBe(0);
});

it('a DHCPv6 server answers or counts a message that is cut at any octet', () => {
  const bench = new Dhcp6Bench();
  const unheard: string[] = [];
  for (const seed of SEEDS) {
    for (let length = 0; length < seed.length; length++) {
      const before = total(bench);
      bench.deliver(seed.subarray(0, length));
      if (bench.answers().length === 0 && total(bench) === before) unheard.push(`${seed[0]} at ${length}`);
    }
  }
  expect(unheard).toEqual([]);
});

it('a DHCPv6 server is not led by associations within associations, nor by thousands of them', () => {
  const bench = new Dhcp6Bench();
  bench.deliver(message(3, Array(20).fill(1)));
  expect(bench.answers()).toHaveLength(1);
  const many = Uint8Array.from([
    1,
    0,
    0,
    1,
    ...hex('0001 000a 00030001525400000002'),
    ...Array(1000)
      .fill([...hex('0003 000c 000000010000000000000000')])
      .flat(),
  ]);
  bench.deliver(many.slice(0, 18 + 80 * 16));
  expect(bench.answers()[0]!.message.options.filter(({ code }) => code === IA_NA).length).toBeLessThanOrEqual(8);
});

it('a flood of Solicits from invented cards keeps no more than the records of the table', () => {
  const bench = new Dhcp6Bench({ pool: { first: ip6('fd00::2'), last: ip6('fd00::ffff:ffff:ffff:ffff') } });
  const solicit = packet('dhcp6-solicit-dhclient').subarray(62);
  for (let i = 0; i < 4200; i++) bench.deliver(solicit, 0x525400010000 + i);
  expect(bench.server.leases()).toHaveLength(4096);
  expect(bench.counters.get('dhcp6-no-addrs-avail')).toBe(4200 - 4096);
});

function total({ counters }: Dhcp6Bench): number {
  return Object.values(counters.toRecord()).reduce((sum, count) => sum + count, 0);
}

const SOLICITATIONS = [
  'ndp-router-solicitation-ipxe',
  'ndp-router-solicitation',
  'ndp-router-advertisement-libslirp',
].map((name) => packet(name).subarray(54));
const OPTIONS = [
  { kind: 'prefix', prefix: SERVER6, isOnLink: true, isAutonomous: true, validLifetime: 1, preferredLifetime: 1 },
  { kind: 'route', prefix: SERVER6, preference: 'low', lifetime: 1 },
  { kind: 'dns-servers', addresses: [SERVER6.address], lifetime: 1 },
  { kind: 'search-domains', names: ['lab.internal', 'sky'], lifetime: 1 },
  { kind: 'nat64-prefix', prefix: { address: ip6('64:ff9b::'), prefixLength: 96 }, lifetime: 8 },
] as const;

it('router advertisements with any options give a value, and are read inside their octets', () => {
  const random = new SeededRandom(23);
  const header = packet('ndp-router-advertisement-libslirp').slice(54, 70);
  for (let i = 0; i < MESSAGES; i++) {
    const out = new Uint8Array(400);
    let end = 0;
    for (let count = 1 + below(random, 4); count > 0; count--)
      end = emitRouterOption(OPTIONS[below(random, 5)]!, out, end);
    const options = mutatedOctets([out.slice(0, end)], random);
    const frame = icmpv6Frame(Uint8Array.of(...header, ...options));
    const guarded = Uint8Array.of(...frame, ...pattern(64));
    const [ip, guardedIp] = [new Ipv6View(), new Ipv6View()];
    ip.bind(frame, 14, frame.length);
    guardedIp.bind(guarded, 14, frame.length);
    expect(parseNdp(guarded, guardedIp)).toEqual(parseNdp(frame, ip));
  }
});

it('a router takes any solicitation: it answers or counts each, and waits for one timer', () => {
  const random = new SeededRandom(24);
  const wire = new Wire6();
  const config = {
    isManaged: true,
    hasOtherConfiguration: true,
    routerLifetime: 1800,
    preference: 'medium',
    options: OPTIONS,
  } as const;
  new RouterAdvertisements(config, wire.scheduler, random).start(wire.stack);
  const before = wire.scheduler.pending;
  for (let i = 0; i < MESSAGES; i++) {
    const destination = random.next() < 0.5 ? ip6('ff02::2') : undefined;
    const source = random.next() < 0.2 ? ip6('::') : ONE.address;
    wire.deliver(icmpv6Frame(mutatedOctets(SOLICITATIONS, random), { source, ...(destination && { destination }) }));
    expect(wire.take().length).toBeLessThanOrEqual(1);
  }
  expect(wire.drops()['ndp-malformed']).toBeGreaterThan(200);
  expect(wire.scheduler.pending).toBeLessThanOrEqual(before + 2);
  wire.deliver(ndpFrame({ kind: 'router-solicitation', sourceMac: ONE.mac }));
  expect(wire.said()).toHaveLength(1);
});

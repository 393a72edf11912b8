import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import type { LogEntry } from '../../src/base/log.ts';
import type { ForwardPlaces } from '../../src/lab/forward-place.ts';
import { KeptForwards } from '../../src/lab/kept-forwards.ts';
import { LabForwards } from '../../src/lab/lab-forwards.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { HostForwards } from '../../src/nat/host-forwards.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { stackAt } from '../support/fake-stack.ts';
import { FakeTcpLayer } from '../support/fake-tcp-layer.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';

const LAN = parseIpv4Interface('10.0.2.2/24')!;
const DMZ = parseIpv4Interface('10.0.3.2/24')!;

describe('the forwards of a lab', () => {
  it('lead into the network of the machine that a rule names', async () => {
    const { forwards } = lab();
    expect(await forwards.add('tcp 0 -> web:80')).toEqual({
      entry: {
        id: 'lan.1',
        network: 'lan',
        protocol: 'tcp',
        listen: '127.0.0.1:49152',
        guest: 'web:80',
        rule: 'tcp 127.0.0.1:49152 -> web:80',
        connections: 0,
      },
    });
    await forwards.add('tcp 0 -> both:80', 'dmz');
    await forwards.add('tcp 0 -> 10.0.3.9:80');
    expect(forwards.list().map(({ id }) => id)).toEqual(['lan.1', 'dmz.1', 'dmz.2']);
  });

  it.each([
    ['tcp 0 -> wbe:80', undefined, 'unknown-node'],
    ['tcp 0 -> both:80', undefined, 'ambiguous-guest'],
    ['tcp 0 -> web:80', 'dmz', 'no-gateway'],
    ['tcp 0 -> web:80', 'dzm', 'unknown-network'],
    ['web:80', undefined, 'bad-forward'],
  ])('%s on %s is refused as %s', async (rule, network, code) => {
    const added = await lab().forwards.add(rule, network);
    expect(added).toMatchObject({ issue: { code, message: expect.any(String), hint: expect.any(String) } });
  });

  it('are told when they are added and removed', async () => {
    const { forwards, entries } = lab();
    await forwards.add('tcp 8080 -> web:80');
    await forwards.add('tcp 8080 -> wbe:80');
    await forwards.remove('lan.1');
    await forwards.remove('lan.1');
    expect(entries.map(({ event, message }) => `${event}: ${message}`)).toEqual([
      'forward-added: forward tcp 127.0.0.1:8080 -> web:80 is added',
      'forward-removed: forward tcp 127.0.0.1:8080 -> web:80 is removed',
    ]);
  });

  it('tell what the host refuses', async () => {
    const { forwards } = lab();
    await forwards.add('tcp 8080 -> web:80');
    await expect(forwards.add('tcp 8080 -> both:80', 'dmz')).rejects.toMatchObject({ code: 'address-in-use' });
    expect(forwards.list()).toHaveLength(1);
  });

  it('take no part of an IPv6 address for a card, where its brackets are missing', async () => {
    const added = await lab().forwards.add('tcp 0 -> 2001:db8:7:1::80:80');
    expect(added).toMatchObject({ issue: { code: 'bad-address', hint: 'write [2001:db8:7:1::80]' } });
  });

  it.each(['lan.1', 'tcp 8080', 'tcp 127.0.0.1:8080', 'tcp 8080 -> web:80', 'tcp localhost:8080->web:lan:80'])(
    'are removed as %s',
    async (which) => {
      const { forwards, net } = lab();
      await forwards.add('tcp 8080 -> web:80');
      expect(await forwards.remove(which)).toBe(true);
      expect(net.listeners).toEqual([]);
      expect(await forwards.remove(which)).toBe(false);
    },
  );

  it.each(['1', 'lan', 'dmz.1', 'lan.2', 'tcp 8081', 'tcp 8080 -> web:81', ''])(
    'stay when %j is removed',
    async (which) => {
      const { forwards } = lab();
      await forwards.add('tcp 8080 -> web:80');
      expect(await forwards.remove(which)).toBe(false);
      expect(forwards.list()).toHaveLength(1);
    },
  );

  it('without nodes lead to whoever told DHCP the name', async () => {
    const { forwards } = lab([]);
    expect(await forwards.add('tcp 0 -> laptop:80')).toMatchObject({ entry: { guest: 'laptop:80' } });
  });
});

describe('a forward that was added', () => {
  it('is there again in the next run with the port that it got, until it is removed', async () => {
    const documents = new Map<string, string>();
    const first = lab(NICS, documents);
    const rule = 'tcp 127.0.0.1:49152 -> web:80';
    await first.forwards.add('tcp 0 -> web:80');
    const second = lab(NICS, documents);
    await second.forwards.restore();
    expect(second.forwards.list()).toMatchObject([{ network: 'lan', rule }]);
    await second.forwards.remove('lan.1');
    const third = lab(NICS, documents);
    await third.forwards.restore();
    expect(third.forwards.list()).toEqual([]);
  });

  it('for a while is not', async () => {
    const documents = new Map<string, string>();
    await lab(NICS, documents).forwards.add('tcp 0 -> web:80', undefined, false);
    const next = lab(NICS, documents);
    await next.forwards.restore();
    expect(next.forwards.list()).toEqual([]);
  });

  it.each([
    [
      'the host refuses it',
      async ({ forwards }: ReturnType<typeof lab>) => forwards.add('tcp 8080 -> both:80', 'dmz', false),
      /taken/,
    ],
    ['its machine is gone', async () => undefined, /no node web/],
  ])('is told and remembered where %s', async (_, prepare, why) => {
    const documents = new Map<string, string>();
    await lab(NICS, documents).forwards.add('tcp 8080 -> web:80');
    const next = lab(why.source.includes('node') ? NICS.slice(1) : NICS, documents);
    await prepare(next);
    await next.forwards.restore();
    expect(next.entries.at(-1)).toMatchObject({ event: 'forward-not-restored', message: expect.stringMatching(why) });
    expect(await next.forwards.remove('tcp 127.0.0.1:8080 -> web:80')).toBe(true);
    expect(documents.get('forwards.json')).toContain('"forwards":[]');
  });

  it('is told to be lost where the document is not ours, which is kept aside', async () => {
    const documents = new Map([['forwards.json', '{"version":2}']]);
    const { forwards, entries } = lab(NICS, documents);
    await forwards.restore();
    expect(entries).toMatchObject([{ event: 'forwards-unreadable' }]);
    expect(documents.size).toBe(0);
  });
});

const NICS = [
  { node: 'web', name: 'lan', network: 'lan', address: undefined },
  { node: 'both', name: 'lan', network: 'lan', address: undefined },
  { node: 'both', name: 'dmz', network: 'dmz', address: undefined },
];

function lab(nics: ForwardPlaces['nics'] = NICS, documents = new Map<string, string>()) {
  const net = new MemoryHostNet();
  const networks = [
    { name: 'lan', interface: LAN, hasDhcp: true },
    { name: 'dmz', interface: DMZ, hasDhcp: true },
  ];
  const gateways = networks.map((network) => [network.name, forwardsOf(net, network.interface)] as const);
  const entries: LogEntry[] = [];
  const log = (entry: LogEntry) => void entries.push(entry);
  const kept = new KeptForwards(new MemoryEnvironment(documents).openState('forwards.json'), log);
  const open = new Map(gateways);
  return {
    net,
    entries,
    forwards: new LabForwards({ places: () => ({ networks, nics }), networks: () => open, kept, log }),
  };
}

function forwardsOf(net: MemoryHostNet, own: typeof LAN): HostForwards {
  return new HostForwards({
    stack: stackAt(own, new FakeTcpLayer()),
    net,
    resolve: () => undefined,
    flows: new FlowTable(),
    counters: new Counters(),
    openUdp: async ({ at }) => ({ at, close: () => undefined }),
  });
}

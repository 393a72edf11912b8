import { describe, expect, it } from 'vitest';
import type { RaConfig } from '../../src/service/router-advertisements.ts';
import { RouterAdvertisements } from '../../src/service/router-advertisements.ts';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import type { RouterAdvertisement } from '../../src/wire/ndp.ts';
import { parseNdp } from '../../src/wire/ndp.ts';
import type { RouterOption } from '../../src/wire/ndp-router-options.ts';
import { ip6, ndpFrame, TWO, Wire6 } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

const TO_SOLICITOR = 'fe80::5054:ff:fe0a:2 > fe80::5054:ff:fe12:3456 router-advertisement (to 52:54:00:12:34:56)';
const TO_ALL = 'fe80::5054:ff:fe0a:2 > ff02::1 router-advertisement (to 33:33:00:00:00:01)';

const fromNobody = ndpFrame(
  { kind: 'router-solicitation', sourceMac: undefined },
  { source: ip6('::'), destination: ip6('ff02::2'), toMac: 0x333300000002 },
);

function advertising(mtu?: number): { wire: Wire6; service: RouterAdvertisements } {
  const wire = new Wire6(mtu === undefined ? {} : { mtu });
  const service = new RouterAdvertisements(undefined, wire.scheduler, wire.random);
  service.start(wire.stack);
  return { wire, service };
}

describe('who solicits routers', () => {
  it.each([
    { mtu: 1500, told: 1500 },
    { mtu: 65_521, told: 65_521 },
    { mtu: 1279, told: undefined },
  ])('hears that there is none, and the MTU $told of a network of $mtu', ({ mtu, told }) => {
    const { wire } = advertising(mtu);
    wire.deliver(packet('ndp-router-solicitation-ipxe'));
    const [frame] = wire.take();
    const ip = new Ipv6View();
    ip.bind(frame!, 14, frame!.length);
    expect(parseNdp(frame!, ip)).toEqual({
      kind: 'router-advertisement',
      curHopLimit: 64,
      isManaged: false,
      hasOtherConfiguration: false,
      preference: 'medium',
      routerLifetime: 0,
      reachableTime: 0,
      retransTimer: 0,
      sourceMac: TWO.mac,
      mtu: told,
      options: [],
    });
  });

  it('hears it at once, alone and each time where it has an address', () => {
    const { wire } = advertising();
    wire.deliver(packet('ndp-router-solicitation-ipxe'), packet('ndp-router-solicitation-ipxe'));
    expect(wire.said()).toEqual([TO_SOLICITOR, TO_SOLICITOR]);
    expect(wire.scheduler.pending).toBe(0);
  });

  it('hears it with everybody, within half a second, where it has none (RFC 4861, 6.2.6)', () => {
    const { wire } = advertising();
    wire.deliver(fromNobody, fromNobody);
    expect(wire.said()).toEqual([]);
    wire.scheduler.advance(500);
    expect(wire.said()).toEqual([TO_ALL]);
  });

  it('hears it with everybody at most every 3 s', () => {
    const { wire } = advertising();
    let heard = 0;
    for (let passed = 0; passed < 30_000; passed += 100) {
      wire.deliver(fromNobody);
      wire.scheduler.advance(100);
      heard += wire.said().length;
    }
    expect(heard).toBe(10);
  });

  it('is told by a station that says of itself that it speaks as a router', () => {
    const { wire } = advertising();
    wire.deliver(packet('ndp-neighbour-solicitation'));
    expect(wire.said()[0]).toContain(' RSO ');
  });
});

it('nothing is advertised unasked without a configuration, nor after the end', () => {
  const { wire, service } = advertising();
  wire.scheduler.advance(2_000_000);
  wire.deliver(fromNobody);
  service.stop();
  expect(wire.scheduler.pending).toBe(0);
  wire.deliver(fromNobody, packet('ndp-router-solicitation-ipxe'));
  wire.scheduler.advance(10_000);
  expect(wire.said()).toEqual([]);
});

const LIFETIMES = { validLifetime: 86_400, preferredLifetime: 14_400 };
const prefix = (text: string): RouterOption => ({
  kind: 'prefix',
  prefix: { address: ip6(text), prefixLength: 64 },
  isOnLink: true,
  isAutonomous: true,
  ...LIFETIMES,
});
const servers = (...texts: readonly string[]): RouterOption => ({
  kind: 'dns-servers',
  addresses: texts.map(ip6),
  lifetime: 1800,
});
const route = (i: number): RouterOption => ({
  kind: 'route',
  prefix: { address: ip6(`2001:db8:${i}::`), prefixLength: 48 },
  preference: 'low',
  lifetime: 1800,
});
const CONFIG: RaConfig = {
  isManaged: true,
  hasOtherConfiguration: true,
  routerLifetime: 1800,
  preference: 'high',
  options: [prefix('fd00:1::'), servers('fd00:1::1')],
};

/** The advertisements that were sent since the last call. */
function heard(wire: Wire6): RouterAdvertisement[] {
  return wire.take().map((frame) => {
    const ip = new Ipv6View();
    ip.bind(frame, 14, frame.length);
    const message = parseNdp(frame, ip);
    if (typeof message === 'string' || message.kind !== 'router-advertisement')
      throw new Error(JSON.stringify(message));
    return message;
  });
}

function routing(config: RaConfig = CONFIG): { wire: Wire6; service: RouterAdvertisements } {
  const wire = new Wire6();
  const service = new RouterAdvertisements(config, wire.scheduler, wire.random);
  service.start(wire.stack);
  return { wire, service };
}

describe('all nodes', () => {
  it('hear three times within half a minute what the network is, then every 200 to 600 s (RFC 4861, 6.2.4)', () => {
    const { wire } = routing();
    const times: number[] = [];
    for (let second = 0; second < 7200; second++) {
      const said = wire.said();
      expect(said).toEqual(said.map(() => TO_ALL));
      times.push(...said.map(() => second));
      wire.scheduler.advance(1000);
    }
    expect(times.slice(0, 3)).toEqual([1, 16, 32]);
    const periods = times.slice(3).map((at, i) => at - times[i + 2]!);
    expect(periods.length).toBeGreaterThan(11);
    expect(Math.min(...periods)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...periods)).toBeLessThanOrEqual(600);
    expect(Math.max(...periods) - Math.min(...periods)).toBeGreaterThan(100);
  });

  it('hear what is configured', () => {
    const { wire } = routing();
    wire.scheduler.advance(0);
    const { kind, curHopLimit, reachableTime, retransTimer, sourceMac, mtu, ...told } = heard(wire)[0]!;
    expect(told).toEqual(CONFIG);
    expect(mtu).toBe(1500);
  });

  it('hear of a change at once, and three times what is no more', () => {
    const { wire, service } = routing({ ...CONFIG, options: [prefix('fd00:1::'), servers('fd00:1::1', 'fd00:1::2')] });
    wire.scheduler.advance(1000);
    wire.take();
    service.configure({ ...CONFIG, options: [prefix('fd00:2::'), servers('fd00:1::2')] });
    wire.scheduler.advance(1999);
    expect(heard(wire)).toEqual([]);
    wire.scheduler.advance(1);
    const gone = [
      { ...prefix('fd00:1::'), validLifetime: 0, preferredLifetime: 0 },
      { ...servers('fd00:1::1'), lifetime: 0 },
    ];
    const kept = [prefix('fd00:2::'), servers('fd00:1::2')];
    expect(heard(wire).map(({ options }) => options)).toEqual([[...kept, ...gone]]);
    wire.scheduler.advance(1_000_000);
    const later = heard(wire).map(({ options }) => options.length);
    expect(later.slice(0, 3)).toEqual([4, 4, 2]);
  });

  it('hear at the end that here is no router any more, and where no names are answered', () => {
    const { wire, service } = routing();
    wire.scheduler.advance(1000);
    wire.take();
    service.stop();
    expect(heard(wire)).toEqual([
      expect.objectContaining({
        routerLifetime: 0,
        options: [prefix('fd00:1::'), { ...servers('fd00:1::1'), lifetime: 0 }],
      }),
    ]);
    expect(wire.scheduler.pending).toBe(0);
  });

  it('hear in several advertisements what does not fit into one (RFC 4861, 6.2.3)', () => {
    const options = [prefix('fd00:1::'), ...Array.from({ length: 100 }, (_, i) => route(i))];
    const { wire } = routing({ ...CONFIG, options });
    wire.scheduler.advance(0);
    const said = heard(wire);
    expect(said).toHaveLength(2);
    expect(said.flatMap((message) => message.options)).toEqual(options);
  });

  it('hear lists of any length', () => {
    const addresses = Array.from({ length: 200 }, (_, i) => ip6(`fd00::${i}`));
    const names = Array.from({ length: 50 }, (_, i) => `${'x'.repeat(60)}.${'y'.repeat(60)}.number${i}`);
    const { wire } = routing({
      ...CONFIG,
      options: [
        { kind: 'dns-servers', addresses, lifetime: 1800 },
        { kind: 'search-domains', names, lifetime: 1800 },
      ],
    });
    wire.scheduler.advance(0);
    const said = heard(wire).flatMap((message) => message.options);
    expect(said.flatMap((option) => (option.kind === 'dns-servers' ? option.addresses : []))).toEqual(addresses);
    expect(said.flatMap((option) => (option.kind === 'search-domains' ? option.names : []))).toEqual(names);
  });

  it('hear when IPv6 is switched off, and then nothing unasked', () => {
    const { wire, service } = routing();
    wire.scheduler.advance(10_000);
    wire.take();
    service.configure(undefined);
    wire.scheduler.advance(100_000);
    expect(heard(wire).map(({ routerLifetime }) => routerLifetime)).toEqual([0, 0, 0]);
    expect(wire.scheduler.pending).toBe(0);
  });
});

it('a solicitor with an address hears at once what is configured', () => {
  const { wire } = routing();
  wire.deliver(packet('ndp-router-solicitation-ipxe'));
  expect(heard(wire)).toEqual([expect.objectContaining(CONFIG)]);
});

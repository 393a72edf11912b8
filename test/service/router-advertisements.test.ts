import { describe, expect, it } from 'vitest';
import { RouterAdvertisements } from '../../src/service/router-advertisements.ts';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import { parseNdp } from '../../src/wire/ndp.ts';
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
  const service = new RouterAdvertisements(wire.scheduler, wire.random);
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
      routerLifetime: 0,
      reachableTime: 0,
      retransTimer: 0,
      sourceMac: TWO.mac,
      mtu: told,
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

it('nothing is advertised unasked, nor after the end', () => {
  const { wire, service } = advertising();
  wire.scheduler.advance(2_000_000);
  wire.deliver(fromNobody);
  service.stop();
  expect(wire.scheduler.pending).toBe(0);
  wire.deliver(fromNobody, packet('ndp-router-solicitation-ipxe'));
  wire.scheduler.advance(10_000);
  expect(wire.said()).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import type { NdpMessage, RouterAdvertisement } from '../../src/wire/ndp.ts';
import { emitNdp, parseNdp } from '../../src/wire/ndp.ts';
import { ip6, ipv6Frame, ndpFrame, ONE, type Packet6Fields, TWO } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

/** What a receiver reads in a frame. */
function parsed(frame: Uint8Array): ReturnType<typeof parseNdp> {
  const ip = new Ipv6View();
  expect(ip.bind(frame, 14, frame.length)).toBeUndefined();
  return parseNdp(frame, ip);
}

const NEIGHBOUR = { isRouter: false, isSolicited: true, isOverride: true } as const;
const ROUTER: RouterAdvertisement = {
  kind: 'router-advertisement',
  curHopLimit: 64,
  isManaged: true,
  hasOtherConfiguration: false,
  preference: 'high',
  routerLifetime: 0x1234,
  reachableTime: 0x12345678,
  retransTimer: 0x9abcdef0,
  sourceMac: TWO.mac,
  mtu: 9000,
  options: [],
};

const table: readonly { name: string; message: NdpMessage }[] = [
  { name: 'ndp-router-solicitation', message: { kind: 'router-solicitation', sourceMac: TWO.mac } },
  { name: 'ndp-router-solicitation-ipxe', message: { kind: 'router-solicitation', sourceMac: 0x525400123456 } },
  {
    name: 'ndp-neighbour-solicitation',
    message: { kind: 'neighbour-solicitation', target: TWO.address, sourceMac: ONE.mac },
  },
  {
    name: 'ndp-neighbour-advertisement',
    message: { kind: 'neighbour-advertisement', ...NEIGHBOUR, target: TWO.address, targetMac: TWO.mac },
  },
  {
    name: 'ndp-neighbour-advertisement-unicast',
    message: {
      kind: 'neighbour-advertisement',
      ...NEIGHBOUR,
      isOverride: false,
      target: ONE.address,
      targetMac: undefined,
    },
  },
];

describe('a message of neighbour discovery', () => {
  it.each(table)('is read from $name', ({ name, message }) => {
    expect(parsed(packet(name))).toEqual(message);
  });

  it.each(table)('is written as in $name', ({ name, message }) => {
    const frame = packet(name);
    const out = new Uint8Array(100);
    const wanted = frame.slice(54).fill(0, 2, 4);
    expect(out.slice(0, emitNdp(message, out, 0))).toEqual(wanted);
  });

  it('is read with options that are not known here, such as a nonce, and with those of routers', () => {
    expect(parsed(packet('ndp-duplicate-probe'))).toEqual({
      kind: 'neighbour-solicitation',
      target: TWO.address,
      sourceMac: undefined,
    });
    expect(parsed(packet('ndp-router-advertisement-libslirp'))).toEqual({
      ...ROUTER,
      isManaged: false,
      preference: 'medium',
      routerLifetime: 1800,
      reachableTime: 0,
      retransTimer: 0,
      sourceMac: 0x525600000002,
      mtu: undefined,
      options: [
        {
          kind: 'prefix',
          prefix: { address: ip6('fec0::'), prefixLength: 64 },
          isOnLink: true,
          isAutonomous: true,
          validLifetime: 86_400,
          preferredLifetime: 14_400,
        },
      ],
    });
  });

  it.each([ROUTER, { ...ROUTER, isManaged: false, hasOtherConfiguration: true, sourceMac: undefined, mtu: undefined }])(
    'is read as it was written: a router advertisement %#',
    (message) => {
      expect(parsed(ndpFrame(message))).toEqual(message);
    },
  );
});

describe('a message of neighbour discovery is refused', () => {
  const withOption = (...option: number[]) => Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0, ...option);

  it.each([
    { what: 'for an option of length 0', payload: withOption(1, 0, 2, 0, 0, 0, 0, 1), defect: 'bad-length' },
    { what: 'for an option beyond the end', payload: withOption(14, 2, 0, 0, 0, 0, 0, 0), defect: 'truncated' },
    { what: 'for less than an option at the end', payload: withOption(14, 1, 0, 0), defect: 'truncated' },
    { what: 'for a group as link address', payload: withOption(1, 1, 0x33, 0x33, 0, 0, 0, 1), defect: 'bad-value' },
    { what: 'for no link address', payload: withOption(1, 1, 0, 0, 0, 0, 0, 0), defect: 'bad-value' },
    { what: 'for a link address of 14 octets', payload: withOption(1, 2, ...Array(14).fill(2)), defect: 'bad-length' },
    { what: 'for a code', payload: Uint8Array.of(133, 1, 0, 0, 0, 0, 0, 0), defect: 'bad-value' },
    { what: 'when it is shorter than its type', payload: Uint8Array.of(134, 0, 0, 0, 0, 0, 0, 0), defect: 'truncated' },
    { what: 'when it is of another type', payload: Uint8Array.of(137, 0, 0, 0, 0, 0, 0, 0), defect: 'bad-value' },
    { what: 'when it is empty', payload: new Uint8Array(0), defect: 'bad-value' },
  ])('$what', ({ payload, defect }) => {
    expect(parsed(ipv6Frame(payload))).toBe(defect);
  });

  const solicitation = { kind: 'neighbour-solicitation', target: TWO.address, sourceMac: undefined } as const;
  const advertisement = {
    kind: 'neighbour-advertisement',
    ...NEIGHBOUR,
    target: TWO.address,
    targetMac: undefined,
  } as const;
  const toAll: Packet6Fields = { destination: ip6('ff02::1') };
  const fromNobody: Packet6Fields = { source: ip6('::'), destination: ip6('ff02::1:ff0a:2') };

  it.each<{ what: string; message: NdpMessage; good: Packet6Fields; bad: Packet6Fields }>([
    { what: 'that a router passed on', message: solicitation, good: {}, bad: { hopLimit: 254 } },
    { what: '6.1.2: from a global address', message: ROUTER, good: {}, bad: { source: ip6('2001:db8::1') } },
    {
      what: '7.1.1: from nobody to somebody',
      message: solicitation,
      good: fromNobody,
      bad: { ...fromNobody, destination: TWO.address },
    },
    {
      what: '7.1.1: from nobody at a link address',
      message: { ...solicitation, sourceMac: ONE.mac },
      good: {},
      bad: fromNobody,
    },
    {
      what: '6.1.1: from nobody at a link address',
      message: { kind: 'router-solicitation', sourceMac: ONE.mac },
      good: {},
      bad: { source: ip6('::') },
    },
    { what: '7.1.2: solicited, to everybody', message: advertisement, good: {}, bad: toAll },
  ])('$what', ({ message, good, bad }) => {
    expect(parsed(ndpFrame(message, good))).toEqual(message);
    expect(parsed(ndpFrame(message, bad))).toBe('bad-value');
  });

  it.each([solicitation, advertisement])('7.1.1, 7.1.2: $kind about a group', (message) => {
    expect(parsed(ndpFrame({ ...message, target: ip6('ff02::1') }))).toBe('bad-value');
  });
});

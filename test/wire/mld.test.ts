import { describe, expect, it } from 'vitest';
import { sealIcmpv6 } from '../../src/wire/icmpv6.ts';
import { Ipv6View, ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../../src/wire/ipv6.ts';
import { emitMldReport, emitMldV1, parseMldQuery } from '../../src/wire/mld.ts';
import { icmpv6Frame, ip6, type Packet6Fields } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

function parsed(message: readonly number[], fields: Packet6Fields = {}) {
  const frame = icmpv6Frame(Uint8Array.from(message), { hopLimit: 1, ...fields });
  const view = new Ipv6View();
  expect(view.bind(frame, 14, frame.length)).toBeUndefined();
  return parseMldQuery(frame, view);
}

const query = (code: number, group: Uint8Array, ...rest: readonly number[]) => [
  ...[130, 0, 0, 0, code >> 8, code & 0xff, 0, 0],
  ...group,
  ...rest,
];
const ANY = ip6('::');
const GROUP = ip6('ff02::1:ff0a:2');

describe('a query of multicast listeners', () => {
  it('is of version 1 where it has 24 octets, of version 2 where it has more', () => {
    expect(parsed(query(10_000, ANY))).toEqual({ version: 1, maxResponse: 10_000, group: undefined });
    expect(parsed(query(1000, GROUP, 0, 125, 0, 0))).toEqual({ version: 2, maxResponse: 1000, group: GROUP });
  });

  it('has times beyond 32 s as a mantissa and an exponent', () => {
    expect(parsed(query(0xf123, ANY, 0, 125, 0, 0))).toMatchObject({ maxResponse: 0x1123 << 10 });
  });

  it.each([
    { what: 'too few octets', octets: query(0, ANY).slice(0, 23), defect: 'truncated' },
    { what: 'octets between the versions', octets: query(0, ANY, 0), defect: 'truncated' },
    { what: 'a host for a group', octets: query(0, ip6('fe80::1')), defect: 'bad-value' },
    { what: 'hops', octets: query(0, ANY), fields: { hopLimit: 64 }, defect: 'bad-value' },
    {
      what: 'a source beyond the link',
      octets: query(0, ANY),
      fields: { source: ip6('fd00::1') },
      defect: 'bad-value',
    },
  ])('is refused for $what', ({ octets, fields, defect }) => {
    expect(parsed(octets, fields)).toBe(defect);
  });
});

describe('a report', () => {
  it('is written as Linux writes it', () => {
    const frame = packet('mld-report');
    const ip = new Ipv6View();
    expect(ip.bind(frame, 14, frame.length)).toBeUndefined();
    const out = emitMldReport('joins', [frame.slice(-16)]);
    const length = out.length - 8;
    sealIcmpv6(out, 8, out.length, ipv6PseudoHeaderSum(ip.source, ip.destination, NEXT_HEADER_ICMPV6, length));
    expect(out).toEqual(frame.slice(ip.payloadStart));
  });

  it('of version 1 names one group', () => {
    const octets = [58, 0, 5, 2, 0, 0, 1, 0, 131, 0, 0, 0, 0, 0, 0, 0, ...GROUP];
    expect([...emitMldV1('report', GROUP)]).toEqual(octets);
    expect(emitMldV1('done', GROUP)[8]).toBe(132);
  });
});

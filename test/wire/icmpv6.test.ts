import { describe, expect, it } from 'vitest';
import { emitIcmpv6, Icmpv6View, isIcmpv6Error, sealIcmpv6 } from '../../src/wire/icmpv6.ts';
import { Ipv6View, ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../../src/wire/ipv6.ts';
import { packet } from '../support/packets.ts';

function carrier(frame: Uint8Array): { start: number; end: number; sum: number } {
  const ip = new Ipv6View();
  expect(ip.bind(frame, 14, frame.length)).toBeUndefined();
  expect(ip.skipExtensions()).toBeUndefined();
  const { payloadStart: start, payloadEnd: end } = ip;
  return { start, end, sum: ipv6PseudoHeaderSum(ip.source, ip.destination, NEXT_HEADER_ICMPV6, end - start) };
}

describe('an ICMPv6 message', () => {
  it.each([
    { name: 'icmpv6-echo-request', type: 128, body: 56 },
    { name: 'icmpv6-echo-request-odd', type: 128, body: 5 },
    { name: 'icmpv6-echo-reply', type: 129, body: 56 },
    { name: 'mld-report', type: 143, body: 20 },
    { name: 'ndp-router-solicitation-ipxe', type: 133, body: 8 },
  ])('is read from and written as in $name', ({ name, type, body }) => {
    const frame = packet(name);
    const { start, end, sum } = carrier(frame);
    const view = new Icmpv6View();
    expect(view.bind(frame, start, end, sum)).toBeUndefined();
    expect([view.type, view.payloadEnd - view.payloadStart]).toEqual([type, body]);

    const out = frame.slice(start, end).fill(0xff, 0, 4);
    expect(emitIcmpv6(type, out, 0)).toBe(4);
    sealIcmpv6(out, 0, out.length, sum);
    expect(out).toEqual(frame.slice(start, end));
  });

  it('is refused when an octet changed, it went to another address or too few came', () => {
    const frame = packet('icmpv6-echo-request');
    const { start, end, sum } = carrier(frame);
    expect(new Icmpv6View().bind(frame, start, end, sum + 1)).toBe('bad-checksum');
    expect(new Icmpv6View().bind(frame, start, start + 7, sum)).toBe('truncated');
    frame[80] = frame[80]! ^ 1;
    expect(new Icmpv6View().bind(frame, start, end, sum)).toBe('bad-checksum');
  });

  it('is an error below 128', () => {
    expect([1, 127, 128, 135].map(isIcmpv6Error)).toEqual([true, true, false, false]);
  });
});

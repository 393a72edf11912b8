import { describe, expect, it } from 'vitest';
import { ETHERNET_HEADER_LENGTH } from '../../src/wire/ethernet.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, Ipv4View } from '../../src/wire/ipv4.ts';
import { parseIpv4 } from '../../src/wire/ipv4-address.ts';
import { packet } from '../support/packets.ts';

const START = ETHERNET_HEADER_LENGTH;

function bound(frame: Uint8Array): Ipv4View {
  const view = new Ipv4View();
  expect(view.bind(frame, START, frame.length)).toBeUndefined();
  return view;
}

describe('an IPv4 header', () => {
  it('is read from a ping', () => {
    const { ttl, protocol, source, destination, dontFragment, isFragment, payloadStart, payloadEnd } = bound(
      packet('icmp-echo-request'),
    );
    expect({ ttl, protocol, source, destination }).toEqual({
      ttl: 64,
      protocol: 1,
      source: parseIpv4('10.9.0.1'),
      destination: parseIpv4('10.9.0.2'),
    });
    expect({ dontFragment, isFragment }).toEqual({ dontFragment: true, isFragment: false });
    expect({ payloadStart, payloadEnd }).toEqual({ payloadStart: START + 20, payloadEnd: 98 });
  });

  it('may carry options, which are not payload', () => {
    const view = bound(packet('ipv4-record-route'));
    expect(view.headerLength).toBe(60);
    expect(view.payloadEnd - view.payloadStart).toBe(64);
  });

  it('leaves link padding outside', () => {
    const frame = new Uint8Array(60);
    frame.set(packet('udp-odd'));
    const view = bound(frame);
    expect(view.payloadEnd - view.payloadStart).toBe(9);
  });

  it.each([
    { name: 'icmp-echo-request-fragment-1', offset: 0, more: true, length: 1480 },
    { name: 'icmp-echo-request-fragment-2', offset: 1480, more: true, length: 1480 },
    { name: 'icmp-echo-request-fragment-3', offset: 2960, more: false, length: 48 },
  ])('says where $name belongs', ({ name, offset, more, length }) => {
    const view = bound(packet(name));
    expect(view.isFragment).toBe(true);
    expect(view.fragmentOffset).toBe(offset);
    expect(view.moreFragments).toBe(more);
    expect(view.payloadEnd - view.payloadStart).toBe(length);
  });

  it.each(['icmp-echo-request', 'icmp-echo-reply', 'icmp-echo-request-fragment-2', 'udp-odd'])(
    'is written as in %s',
    (name) => {
      const frame = packet(name);
      const view = bound(frame);
      const { identification, dontFragment, moreFragments, fragmentOffset, ttl, protocol, source, destination } = view;
      const totalLength = view.payloadEnd - view.start;
      const out = new Uint8Array(IPV4_HEADER_LENGTH);
      const header = {
        totalLength,
        identification,
        dontFragment,
        moreFragments,
        fragmentOffset,
        ttl,
        protocol,
        source,
        destination,
      };
      expect(emitIpv4(header, out, 0)).toBe(IPV4_HEADER_LENGTH);
      expect(out).toEqual(frame.slice(START, START + IPV4_HEADER_LENGTH));
    },
  );

  it.each([
    { what: 'a cut header', defect: 'truncated', change: (bytes: Uint8Array) => bytes.slice(0, START + 19) },
    { what: 'IPv6', defect: 'bad-version', change: (bytes: Uint8Array) => bytes.fill(0x65, START, START + 1) },
    {
      what: 'a header of 16 octets',
      defect: 'bad-length',
      change: (bytes: Uint8Array) => bytes.fill(0x44, START, START + 1),
    },
    {
      what: 'a total below the header',
      defect: 'bad-length',
      change: (bytes: Uint8Array) => bytes.fill(19, START + 3, START + 4),
    },
    { what: 'a total beyond the frame', defect: 'truncated', change: (bytes: Uint8Array) => bytes.slice(0, -1) },
    {
      what: 'options beyond the total',
      defect: 'bad-length',
      change: (bytes: Uint8Array) => bytes.fill(0x4f, START, START + 1).fill(59, START + 3, START + 4),
    },
    {
      what: 'a changed octet',
      defect: 'bad-checksum',
      change: (bytes: Uint8Array) => bytes.fill(63, START + 8, START + 9),
    },
  ])('is refused: $what', ({ defect, change }) => {
    const frame = change(packet('icmp-echo-request'));
    expect(new Ipv4View().bind(frame, START, frame.length)).toBe(defect);
  });

  it('is read from a quotation that lacks most of its packet', () => {
    const frame = packet('icmp-echo-request').slice(0, START + 28);
    const view = new Ipv4View();
    expect(view.bindQuoted(frame, START, frame.length)).toBeUndefined();
    expect(view.payloadEnd - view.payloadStart).toBe(8);
    expect(view.bindQuoted(frame, START, START + 19)).toBe('truncated');
  });
});

import { describe, expect, it } from 'vitest';
import { emitIpv6, IPV6_HEADER_LENGTH, Ipv6View } from '../../src/wire/ipv6.ts';
import {
  groupMacOf,
  isLinkLocalIpv6,
  isSolicitedNodeGroup,
  linkLocalOf,
  solicitedNodeGroup,
} from '../../src/wire/ipv6-address.ts';
import { ip6, ONE, TWO } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

const START = 14;

function bound(frame: Uint8Array): Ipv6View {
  const view = new Ipv6View();
  expect(view.bind(frame, START, frame.length)).toBeUndefined();
  return view;
}

describe('an IPv6 header', () => {
  it.each([
    { name: 'ndp-neighbour-solicitation', hopLimit: 255, source: ONE.address, destination: ip6('ff02::1:ff0a:2') },
    { name: 'ndp-duplicate-probe', hopLimit: 255, source: ip6('::'), destination: ip6('ff02::1:ff0a:2') },
    { name: 'ndp-neighbour-advertisement', hopLimit: 255, source: TWO.address, destination: ONE.address },
  ])('is read from and written as in $name', ({ name, ...fields }) => {
    const frame = packet(name);
    const { nextHeader, hopLimit, source, destination, payloadStart, payloadEnd } = bound(frame);
    expect({ hopLimit, source, destination }).toEqual(fields);
    expect([nextHeader, payloadStart, payloadEnd]).toEqual([58, START + IPV6_HEADER_LENGTH, frame.length]);

    const out = new Uint8Array(IPV6_HEADER_LENGTH);
    emitIpv6({ nextHeader, payloadLength: payloadEnd - payloadStart, ...fields }, out, 0);
    expect(out).toEqual(frame.slice(START, START + IPV6_HEADER_LENGTH));
  });

  it('ends the packet where it says, not where the frame does', () => {
    const frame = packet('icmpv6-echo-request-odd');
    const padded = new Uint8Array(frame.length + 9);
    padded.set(frame);
    expect(bound(padded).payloadEnd).toBe(frame.length);
  });

  it.each([
    { what: 'IPv4', defect: 'bad-version', change: (bytes: Uint8Array) => bytes.fill(0x45, START, START + 1) },
    { what: 'a payload longer than the frame', defect: 'truncated', change: (bytes: Uint8Array) => bytes.slice(0, -1) },
    { what: 'too few octets', defect: 'truncated', change: (bytes: Uint8Array) => bytes.slice(0, START + 39) },
  ])('is refused for $what', ({ defect, change }) => {
    const frame = change(packet('icmpv6-echo-request'));
    expect(new Ipv6View().bind(frame, START, frame.length)).toBe(defect);
  });
});

describe('an IPv6 address', () => {
  it('of the link is made from the MAC as Linux makes it', () => {
    expect(linkLocalOf(ONE.mac)).toEqual(ONE.address);
    expect(linkLocalOf(0x565400123456)).toEqual(ip6('fe80::5454:ff:fe12:3456'));
  });

  it('is asked for in its solicited-node group, at that group’s MAC', () => {
    const group = solicitedNodeGroup(ip6('fe80::1234:56ab:cdef'));
    expect(group).toEqual(ip6('ff02::1:ffab:cdef'));
    expect(groupMacOf(group)).toBe(0x3333ffabcdef);
    expect([group, ip6('ff02::1:feab:cdef')].map(isSolicitedNodeGroup)).toEqual([true, false]);
  });

  it('is of the link in fe80::/10', () => {
    const isLinkLocal = ['fe7f::', 'fe80::', 'febf::', 'fec0::'].map((text) => isLinkLocalIpv6(ip6(text)));
    expect(isLinkLocal).toEqual([false, true, true, false]);
  });
});

import { describe, expect, it } from 'vitest';
import { Ipv6View } from '../../src/wire/ipv6.ts';
import { emitFragmentHeader } from '../../src/wire/ipv6-extensions.ts';
import { ipv6Frame } from '../support/ipv6-peer.ts';
import { packet } from '../support/packets.ts';

const START = 14;
const HEADERS = START + 40;
/** An extension header of eight octets. */
const options = (next: number, ...octets: readonly number[]) =>
  [next, 0, ...octets, 1, 4 - octets.length, 0, 0, 0, 0].slice(0, 8);
const padding = (next: number) => [next, 0, 1, 4, 0, 0, 0, 0];
const routing = (next: number, type: number, left: number) => [next, 0, type, left, 0, 0, 0, 0];
const fragment = (next: number, fragmentOffset: number, moreFragments: boolean) => {
  const out = new Uint8Array(8);
  emitFragmentHeader({ nextHeader: next, fragmentOffset, moreFragments, identification: 7 }, out, 0);
  return [...out];
};

function bound(first: number, ...octets: readonly number[]): Ipv6View {
  const frame = ipv6Frame(Uint8Array.from(octets), { nextHeader: first });
  const view = new Ipv6View();
  expect(view.bind(frame, START, frame.length)).toBeUndefined();
  return view;
}

describe('extension headers', () => {
  it('are passed over: a router alert before a report of group membership', () => {
    const frame = packet('mld-report');
    const view = new Ipv6View();
    expect(view.bind(frame, START, frame.length) ?? view.skipExtensions()).toBeUndefined();
    expect([view.nextHeader, view.payloadStart, frame[view.payloadStart]]).toEqual([58, HEADERS + 8, 143]);
  });

  it('are passed over in a chain, up to the protocol above', () => {
    const view = bound(0, ...padding(60), ...padding(43), ...routing(60, 0, 0), ...padding(17), 1, 2);
    expect(view.skipExtensions()).toBeUndefined();
    expect([view.nextHeader, view.payloadStart - HEADERS, view.payloadEnd - view.payloadStart]).toEqual([17, 32, 2]);
  });

  it.each([6, 17, 50, 51, 58, 59, 135, 255])('end at %i', (nextHeader) => {
    const view = bound(60, ...padding(nextHeader), ...padding(60));
    expect(view.skipExtensions()).toBeUndefined();
    expect([view.nextHeader, view.nextHeaderAt, view.payloadStart]).toEqual([nextHeader, HEADERS, HEADERS + 8]);
  });

  it('end at hop-by-hop options that are not the first', () => {
    const view = bound(60, ...padding(0), ...padding(17));
    expect(view.skipExtensions()).toBeUndefined();
    expect(view.nextHeader).toBe(0);
  });

  it('are no more than eight', () => {
    const chain = (count: number) =>
      bound(60, ...Array.from({ length: count }, (_, i) => padding(i + 1 < count ? 60 : 17)).flat());
    expect([8, 9].map((count) => chain(count).skipExtensions()?.kind)).toEqual([undefined, 'too-many-headers']);
  });

  it.each([
    { what: 'header longer than the packet', octets: [17, 1, 1, 4, 0, 0, 0, 0] },
    { what: 'header of which half is here', octets: [17, 0, 1, 4] },
    { what: 'option longer than its header', octets: [17, 0, 1, 5, 0, 0, 0, 0] },
    { what: 'option without its length', octets: [17, 0, 1, 3, 0, 0, 0, 1] },
  ])('are refused for a $what', ({ octets }) => {
    expect(bound(60, ...octets).skipExtensions()).toEqual({ kind: 'truncated' });
  });
});

describe('an unknown option says itself what becomes of the packet (RFC 8200, 4.2)', () => {
  it.each([
    { action: 'skip', type: 0x1e, problem: undefined },
    { action: 'discard', type: 0x5e, problem: { kind: 'unknown-option' } },
    {
      action: 'tell the sender',
      type: 0x9e,
      problem: { kind: 'unknown-option', report: { code: 2, pointer: 42, isForGroups: true } },
    },
    {
      action: 'tell the sender but for groups',
      type: 0xde,
      problem: { kind: 'unknown-option', report: { code: 2, pointer: 42, isForGroups: false } },
    },
  ])('$action', ({ type, problem }) => {
    for (const first of [0, 60]) expect(bound(first, ...options(17, type, 0)).skipExtensions()).toEqual(problem);
  });
});

describe('a routing header', () => {
  it.each([0, 2, 4, 253])('of type %i is passed over at its end only, never followed (RFC 5095)', (type) => {
    expect(bound(43, ...routing(17, type, 0)).skipExtensions()).toBeUndefined();
    expect(bound(43, ...routing(17, type, 1)).skipExtensions()).toEqual({
      kind: 'routing',
      report: { code: 0, pointer: 42 },
    });
  });
});

describe('a fragment header', () => {
  it('is read as Linux writes it, and where the fragment goes on', () => {
    const frame = packet('ipv6-fragment');
    const view = new Ipv6View();
    expect(view.bind(frame, START, frame.length) ?? view.skipExtensions()).toBeUndefined();
    const { isFragment, nextHeader, fragmentAt, fragmentOffset, moreFragments, identification } = view;
    expect({ isFragment, nextHeader, fragmentAt }).toEqual({ isFragment: true, nextHeader: 58, fragmentAt: HEADERS });
    const out = new Uint8Array(8);
    emitFragmentHeader({ nextHeader, fragmentOffset, moreFragments, identification }, out, 0);
    expect(out).toEqual(frame.slice(HEADERS, HEADERS + 8));
  });

  it('of the whole payload is passed over (RFC 6946)', () => {
    const view = bound(44, ...fragment(60, 0, false), ...padding(17), 9);
    expect(view.skipExtensions()).toBeUndefined();
    expect([view.isFragment, view.nextHeader, view.payloadEnd - view.payloadStart]).toEqual([false, 17, 1]);
  });

  it('stops the walk, which goes on behind it when asked', () => {
    const view = bound(0, ...padding(44), ...fragment(60, 0, true), ...padding(17), 9);
    expect(view.skipExtensions()).toBeUndefined();
    expect([view.isFragment, view.nextHeader, view.fragmentAt, view.fragmentNamedAt]).toEqual([
      true,
      60,
      HEADERS + 8,
      HEADERS,
    ]);
    expect(view.skipExtensions()).toBeUndefined();
    expect([view.nextHeader, view.payloadEnd - view.payloadStart]).toEqual([17, 1]);
  });

  it('is not followed by another', () => {
    const view = bound(44, ...fragment(44, 0, false), ...fragment(17, 0, false));
    expect(view.skipExtensions()).toEqual({ kind: 'too-many-headers' });
  });
});

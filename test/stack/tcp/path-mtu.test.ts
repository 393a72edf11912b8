import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../support/families.ts';
import { pattern } from '../../support/stack-peer.ts';
import { tcpOver } from '../../support/tcp-peer.ts';

const LEAST = { IPv4: 576, IPv6: 1280 };

describe.each(FAMILIES)('the path of a connection over $name (RFC 1191, RFC 8201)', (family) => {
  const { establishedConnection } = tcpOver(family);
  const headers = family.headerLength + 20;

  /** A connection whose first segment a router reports as too long for `mtu`, and the lengths of what it sends then. */
  const lengthsAfter = (mtu: number): number[] => {
    const peer = establishedConnection();
    peer.connection!.send(pattern(2920));
    const [segment] = peer.wire.take();
    peer.wire.deliver(family.errorAbout(segment!, 'too-long', { mtu }));
    return peer.heard().map(({ payload }) => payload.length);
  };

  it('that takes less shortens its segments, and what was lost leaves again at once', () => {
    expect(lengthsAfter(1400)).toEqual([1400 - headers, 1400 - headers, 2920 - 2 * (1400 - headers)]);
  });

  it('is not believed to take less than every path does', () => {
    expect(lengthsAfter(68)[0]).toBe(LEAST[family.name] - headers);
  });

  it('is believed of what was sent only', () => {
    const peer = establishedConnection();
    peer.connection!.send(pattern(1460));
    const [segment] = peer.wire.take();
    segment!.set([1, 2, 3, 4], 14 + family.headerLength + 4);
    peer.wire.deliver(family.errorAbout(segment!, 'too-long', { mtu: 1400 }));
    expect(peer.heard()).toEqual([]);
  });
});

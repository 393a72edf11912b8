import { describe, expect, it } from 'vitest';
import { pattern } from '../../support/stack-peer.ts';
import { establishedConnection } from '../../support/tcp-peer.ts';

const SACK = { sack: true };

describe('what comes too early (RFC 2018)', () => {
  it('is kept, reported at once, latest range first, and handed on when the gap is filled', () => {
    const peer = establishedConnection(SACK);
    peer.say({ seq: 101, payload: pattern(100) });
    expect(peer.heard()).toMatchObject([{ ack: 1, sack: [[101, 201]] }]);
    peer.say({ seq: 301, payload: pattern(100) });
    expect(peer.heard()).toMatchObject([
      {
        ack: 1,
        sack: [
          [301, 401],
          [101, 201],
        ],
      },
    ]);
    peer.say({ seq: 201, payload: pattern(100) });
    expect(peer.heard()).toMatchObject([{ ack: 1, sack: [[101, 401]] }]);
    peer.say({ seq: 1, payload: pattern(100) });
    expect(peer.heard()).toMatchObject([{ ack: 401, sack: [] }]);
    const hundred = pattern(100);
    expect(peer.ear.bytes).toEqual(Uint8Array.of(...hundred, ...hundred, ...hundred, ...hundred));
  });

  it('may overlap in every way and counts once', () => {
    const peer = establishedConnection(SACK);
    const all = pattern(400);
    for (const [from, to] of [
      [300, 350],
      [100, 120],
      [90, 310],
      [340, 400],
      [50, 60],
    ] as const)
      peer.say({ seq: 1 + from, payload: all.slice(from, to) });
    peer.say({ seq: 1, payload: all.slice(0, 95) });
    expect(peer.ear.bytes).toEqual(all);
  });

  it('is not reported to who does not know SACK', () => {
    const peer = establishedConnection();
    peer.say({ seq: 101, payload: pattern(100) });
    expect(peer.heard()).toMatchObject([{ ack: 1, sack: [] }]);
  });

  it('is kept up to a number of pieces; more are dropped by name', () => {
    const peer = establishedConnection(SACK);
    for (let i = 0; i < 1100; i++) peer.say({ seq: 3 + 2 * i, payload: Uint8Array.of(i) });
    expect(peer.wire.drops()).toEqual({ 'tcp-out-of-order-full': 76 });
  });

  it('and holds the FIN until it is its turn', () => {
    const peer = establishedConnection(SACK);
    peer.say({ flags: 'F.', seq: 6, payload: pattern(5) });
    expect(peer.ear.said).toEqual(['opened']);
    peer.say({ seq: 1, payload: pattern(5) });
    expect(peer.ear.said).toEqual(['opened', 'ended']);
    expect(peer.ear.octets).toBe(10);
    expect(peer.heard().at(-1)).toMatchObject({ ack: 12 });
  });
});

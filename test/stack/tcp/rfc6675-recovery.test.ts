import { describe, expect, it } from 'vitest';
import { pattern } from '../../support/stack-peer.ts';
import { establishedConnection } from '../../support/tcp-peer.ts';

/** Ten segments of 1000 octets are on their way, and more waits. */
function sending(sack: boolean) {
  const peer = establishedConnection({ sack, mss: 1000 });
  peer.connection!.send(pattern(40_000));
  expect(peer.heard()).toHaveLength(10);
  return peer;
}

describe('recovery with SACK (RFC 6675)', () => {
  it('sends each hole once, and nothing that arrived', () => {
    const peer = sending(true);
    peer.say({ sack: [[1001, 2001]] });
    peer.say({
      sack: [
        [1001, 2001],
        [3001, 4001],
      ],
    });
    peer.heard();
    peer.say({
      sack: [
        [5001, 9001],
        [3001, 4001],
        [1001, 2001],
      ],
    });
    const resent = peer.heard().filter(({ seq }) => seq < 9001);
    expect(resent.map(({ seq }) => seq)).toEqual([1, 2001, 4001]);
    peer.say({ ack: 9001 });
    expect(peer.heard().every(({ seq }) => seq >= 9001)).toBe(true);
  });

  it('halves the window once per loss event', () => {
    const peer = sending(true);
    peer.say({ sack: [[1001, 5001]] });
    peer.heard();
    peer.say({ ack: 10_001 });
    const flight = peer.heard().reduce((sum, { payload }) => sum + payload.length, 0);
    expect(flight).toBeLessThanOrEqual(6000);
    expect(flight).toBeGreaterThanOrEqual(3000);
  });

  it('believes no range that was never sent', () => {
    const peer = sending(true);
    peer.say({ sack: [[500_001, 900_001]] }, { sack: [[3001, 2001]] }, { sack: [[-5000, -3000]] });
    expect(peer.told()).toEqual([]);
  });
});

describe('fast retransmit and recovery without SACK (RFC 5681, 3.2; RFC 6582)', () => {
  it('sends the missing segment at the third duplicate, new ones before (RFC 3042)', () => {
    const peer = sending(false);
    peer.say({});
    expect(peer.told()).toEqual(['. 10001+1000 ack 1']);
    peer.say({});
    expect(peer.told()).toEqual(['. 11001+1000 ack 1']);
    peer.say({});
    expect(peer.told()).toEqual(['. 1+1000 ack 1']);
  });

  it('sends the next hole at a partial acknowledgment', () => {
    const peer = sending(false);
    peer.say({});
    peer.say({});
    peer.say({});
    peer.heard();
    peer.say({ ack: 4001 });
    expect(peer.told()[0]).toBe('. 4001+1000 ack 1');
  });

  it('does not take a window update for a duplicate', () => {
    const peer = sending(false);
    for (const window of [60_000, 50_000, 40_000, 30_000]) peer.say({ window });
    expect(peer.told()).toEqual([]);
  });
});

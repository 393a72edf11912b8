import { describe, expect, it } from 'vitest';
import { establishedConnection } from '../../support/tcp-peer.ts';

const ONE = Uint8Array.of(1);

describe('timestamps (RFC 7323)', () => {
  it('are sent on every segment, and echo the one that caused it', () => {
    const peer = establishedConnection({ timestamp: 100 });
    peer.say({ timestamp: 140, payload: ONE });
    expect(peer.heard()).toMatchObject([{ echo: 140 }]);
    peer.connection!.send(ONE);
    const [first] = peer.heard();
    peer.wire.scheduler.advance(7);
    peer.connection!.send(ONE);
    const [second] = peer.heard();
    expect(second!.timestamp! - first!.timestamp!).toBe(7);
  });

  it('that are older than one that came refuse a segment (5.3)', () => {
    const peer = establishedConnection({ timestamp: 100 });
    peer.say({ timestamp: 99, payload: ONE });
    expect(peer.ear.octets).toBe(0);
    expect(peer.told()).toEqual(['. 1+0 ack 1']);
    expect(peer.wire.drops()).toEqual({ 'tcp-old-timestamp': 1 });
  });

  it('wrap around as sequence numbers do', () => {
    const peer = establishedConnection({ timestamp: 0xffff_fff0 });
    peer.say({ timestamp: 5, payload: ONE });
    expect(peer.ear.octets).toBe(1);
  });

  it('must be there once they were agreed on (3.2)', () => {
    const peer = establishedConnection({ timestamp: 100 });
    peer.say({ payload: ONE });
    expect(peer.ear.octets).toBe(0);
    expect(peer.wire.drops()).toEqual({ 'tcp-no-timestamp': 1 });
  });

  it('of a segment that left a gap are not echoed (4.3)', () => {
    const peer = establishedConnection({ timestamp: 100 });
    peer.say({ seq: 50, timestamp: 200, payload: ONE });
    expect(peer.heard()).toMatchObject([{ echo: 100 }]);
  });

  it('shorten what a segment carries', () => {
    const peer = establishedConnection({ timestamp: 100, mss: 1000 });
    peer.connection!.send(new Uint8Array(2000));
    expect(peer.heard().map(({ payload }) => payload.length)).toEqual([988, 988, 24]);
  });

  it('and windows are scaled by what each side said (2.3)', () => {
    const peer = establishedConnection({ windowScale: 3 });
    peer.say({ window: 1000 });
    peer.connection!.send(new Uint8Array(100_000));
    let sent = 0;
    for (let heard = peer.heard(); heard.length > 0; heard = peer.heard()) {
      sent = Math.max(sent, ...heard.map(({ seq, payload }) => seq + payload.length - 1));
      peer.say({ ack: Math.min(1461, sent), window: Math.floor((8000 - 1460) / 8) });
    }
    expect(sent).toBeLessThanOrEqual(8000);
    expect(sent).toBeGreaterThan(6000);
  });
});

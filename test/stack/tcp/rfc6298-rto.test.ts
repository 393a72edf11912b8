import { describe, expect, it } from 'vitest';
import { RoundTrip } from '../../../src/stack/tcp/rtt.ts';
import { pattern } from '../../support/stack-peer.ts';
import { establishedConnection, type TcpPeer } from '../../support/tcp-peer.ts';

/** When, in milliseconds, something was sent during the next `millis`. */
function timesOf(peer: TcpPeer, millis: number): number[] {
  const times: number[] = [];
  for (let at = 1; at <= millis; at++) {
    peer.wire.scheduler.advance(1);
    if (peer.heard().length > 0) times.push(at);
  }
  return times;
}

describe('the retransmission timer (RFC 6298)', () => {
  it('waits a second before anything is known, then by what round trips take (2.1 to 2.3)', () => {
    const time = new RoundTrip();
    expect(time.timeout).toBe(1000);
    time.sample(500);
    expect(time.timeout).toBe(500 + 4 * 250);
    time.sample(500);
    expect(time.timeout).toBe(500 + 4 * 187.5);
  });

  it('sends again what is not acknowledged, and doubles its patience each time (5.5)', () => {
    const peer = establishedConnection();
    peer.connection!.send(pattern(100));
    peer.heard();
    expect(timesOf(peer, 3500)).toEqual([200, 600, 1400, 3000]);
  });

  it('sends one segment at a timeout, and more as that is acknowledged (RFC 5681, 3.1)', () => {
    const peer = establishedConnection({ mss: 1000 });
    peer.connection!.send(pattern(10_000));
    peer.heard();
    peer.wire.scheduler.advance(250);
    expect(peer.told()).toEqual(['. 1+1000 ack 1']);
    peer.say({ ack: 1001 });
    expect(peer.told()).toEqual(['. 1001+1000 ack 1', '. 2001+1000 ack 1']);
  });

  it('starts anew when something is acknowledged (5.3)', () => {
    const peer = establishedConnection({ mss: 1000 });
    peer.connection!.send(pattern(2000));
    peer.heard();
    peer.wire.scheduler.advance(150);
    peer.say({ ack: 1001 });
    peer.wire.scheduler.advance(150);
    expect(peer.told()).toEqual([]);
  });

  it('gives the connection up when nothing was acknowledged for two minutes', () => {
    const peer = establishedConnection();
    peer.connection!.send(pattern(100));
    peer.wire.scheduler.advance(100_000);
    expect(peer.ear.said).toEqual(['opened']);
    peer.wire.scheduler.advance(200_000);
    expect(peer.ear.said).toEqual(['opened', 'timeout']);
    expect(peer.wire.stack.tcp.size).toBe(0);
  });

  it('stops when all is acknowledged: an idle connection wakes nobody', () => {
    const peer = establishedConnection();
    peer.connection!.send(pattern(100));
    peer.say({ ack: 101 });
    peer.heard();
    expect(timesOf(peer, 5000)).toEqual([]);
    expect(peer.wire.scheduler.pending).toBe(1);
  });
});

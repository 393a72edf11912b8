import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { PROTOCOL_TCP } from '../../src/wire/ipv4.ts';
import { FAMILIES } from '../support/families.ts';
import { pattern } from '../support/stack-peer.ts';
import type { Said, TcpPeer } from '../support/tcp-peer.ts';
import { sealed, tcpOver } from '../support/tcp-peer.ts';

const below = (random: Random, limit: number): number => Math.floor(random.next() * limit);

const FLAGS = ['.', 'P.', 'F.', 'S', 'S.', 'R', 'R.', 'FSR.', 'P', ''];
const OFFER = { sack: true, windowScale: 7, mss: 1400 };

/** Plausible in every field, and near what the connection expects as often as not. */
function plausible(random: Random): Said {
  const near = (): number => (random.next() < 0.7 ? below(random, 3000) - 500 : below(random, 2 ** 31));
  const start = near();
  return {
    flags: FLAGS[below(random, FLAGS.length)]!,
    seq: near(),
    ack: near(),
    window: below(random, 65_536),
    payload: pattern(below(random, 300)),
    from: 1000 + below(random, 5),
    ...(random.next() < 0.3 && { sack: [[start, start + below(random, 2000)]] as const }),
    ...(random.next() < 0.2 && { syn: { mss: below(random, 65_536), windowScale: below(random, 256), sack: true } }),
  };
}

/** What of a stack would grow. */
function sizes(peer: TcpPeer): { connections: number; timers: number } {
  return { connections: peer.wire.stack.tcp.size, timers: peer.wire.scheduler.pending };
}

describe.each(FAMILIES)('TCP over $name', (family) => {
  const { wire: wireOf, newPeer, establishedConnection } = tcpOver(family);

  it('takes or counts 20 000 plausible segments, and keeps little', () => {
    const random = new SeededRandom(1);
    const peer = establishedConnection(OFFER);
    peer.ear.onReceived = (bytes) => peer.connection!.send(bytes.subarray(0, 20));
    for (let i = 0; i < 20_000; i += 20) {
      peer.say(...Array.from({ length: 20 }, () => plausible(random)));
      peer.wire.scheduler.advance(below(random, 50));
      peer.heard();
    }
    const counts = peer.wire.drops();
    for (const reason of ['tcp-out-of-window', 'tcp-no-connection', 'tcp-bad-ack'])
      expect(counts[reason], reason).toBeGreaterThan(0);
    expect(sizes(peer).connections).toBeLessThanOrEqual(5);
    peer.wire.scheduler.advance(600_000);
    expect(sizes(peer).timers).toBeLessThanOrEqual(1);
  });

  it('takes segments with any octet changed, sealed again or not, and cut at any place', () => {
    const random = new SeededRandom(2);
    const peer = establishedConnection(OFFER);
    const good = peer.frame({ payload: pattern(30), sack: [[1, 2]], syn: OFFER }).slice(14 + family.headerLength);
    for (let cut = 0; cut <= good.length; cut++)
      for (let round = 0; round < 20; round++) {
        const bytes = good.slice(0, cut);
        for (let i = below(random, 4); i > 0 && cut > 0; i--) bytes[below(random, cut)] = below(random, 256);
        if (cut >= 20 && random.next() < 0.8) sealed(bytes, family);
        peer.wire.deliver(family.frame(bytes, PROTOCOL_TCP));
      }
    const counts = peer.wire.drops();
    expect(counts['tcp-malformed']).toBeGreaterThan(300);
    expect(counts['tcp-bad-checksum']).toBeGreaterThan(50);
  });

  it('remembers a bounded number of a flood of SYNs, and answers the last of them', () => {
    const peer = newPeer();
    peer.listen();
    for (let from = 1; from < 5000; from++) peer.say({ flags: 'S', seq: 0, from });
    expect(sizes(peer).connections).toBe(1024);
    expect(peer.wire.drops()).toEqual({ 'tcp-half-open-full': 4999 - 1024 });
    peer.heard();
    peer.say({ from: 4999 });
    expect(peer.ear.said.at(-1)).toBe('opened');
    peer.wire.scheduler.advance(200_000);
    expect(sizes(peer).connections).toBe(1);
  });

  it('keeps the out-of-order octets of many connections within one limit', () => {
    const wire = wireOf({ mtu: 9000 });
    const payload = pattern(8000);
    const peer = newPeer(wire);
    peer.listen();
    for (let from = 1; from <= 620; from++) {
      peer.say({ flags: 'S', seq: 0, from, syn: OFFER });
      peer.heard();
      peer.say({ from, window: 1000 });
      peer.say(...Array.from({ length: 8 }, (_, i) => ({ from, seq: 100 + i * 8001, payload })));
    }
    expect(wire.drops()['tcp-out-of-order-full']).toBeGreaterThan(100);
  });
});

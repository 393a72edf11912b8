import { describe, expect, it } from 'vitest';
import { endpoint, NatWire } from '../support/nat-wire.ts';
import { pattern } from '../support/stack-peer.ts';

const MINUTE = 60_000;

describe('RFC 4787, REQ-5: a mapping', () => {
  it('lives five minutes without use', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.advance(5 * MINUTE - 1);
    expect(nat.flows.size).toBe(1);
    nat.advance(1);
    expect(nat.flows.size).toBe(0);
    expect(nat.net.lastSocket.isClosed).toBe(true);
    expect(nat.wire.scheduler.pending).toBe(0);
  });

  it('that only asks for names lives thirty seconds', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.send('192.0.2.8', 53);
    nat.advance(29_999);
    expect(nat.flows.size).toBe(1);
    nat.advance(1);
    expect(nat.flows.size).toBe(0);
  });

  it('that asked for a name and then talks elsewhere lives five minutes', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.send('192.0.2.8', 5000);
    nat.advance(5 * MINUTE - 1);
    expect(nat.flows.size).toBe(1);
    nat.advance(1001);
    expect(nat.flows.size).toBe(0);
  });

  it('has a timer of its own: one that ends does not end another', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.advance(MINUTE);
    nat.send('192.0.2.7', 5000, { sourcePort: 1001 });
    nat.advance(4 * MINUTE);
    expect([...nat.flows].map(({ guest }) => guest.port)).toEqual([1001]);
    nat.advance(MINUTE);
    expect(nat.flows.size).toBe(0);
  });

  it('is made anew by the next datagram', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.advance(5 * MINUTE);
    nat.send('192.0.2.7', 5000);
    expect(nat.net.sockets.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });
});

describe('RFC 4787, REQ-6: a mapping is kept', () => {
  it('by what the guest sends', () => {
    const nat = new NatWire();
    for (let i = 0; i < 4; i++) {
      nat.send('192.0.2.7', 5000);
      nat.advance(4 * MINUTE);
    }
    expect(nat.flows.size).toBe(1);
    expect(nat.net.sockets).toHaveLength(1);
  });

  it('by what it is sent', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    for (let i = 0; i < 4; i++) {
      nat.advance(4 * MINUTE);
      nat.net.lastSocket.feed(pattern(1), endpoint('192.0.2.7', 5000));
    }
    expect(nat.flows.size).toBe(1);
  });
});

describe('the number of mappings', () => {
  it('of one guest is bounded; the one unused for longest makes room', () => {
    const nat = new NatWire();
    for (let i = 0; i < 1024; i++) nat.send('192.0.2.7', 5000, { sourcePort: 10_000 + i });
    nat.advance(2000);
    nat.send('192.0.2.7', 5000, { sourcePort: 10_000 });
    nat.send('192.0.2.7', 5000, { sourcePort: 20_000 });
    const ports = [...nat.flows].map(({ guest }) => guest.port);
    expect(ports).toHaveLength(1024);
    expect(ports).toContain(10_000);
    expect(ports).not.toContain(10_001);
    expect(nat.counters.toRecord()).toEqual({ 'udp-mapping-limit': 1 });
  });

  it('of one guest takes nothing from others', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000, { from: '10.0.0.9' });
    for (let i = 0; i < 1100; i++) nat.send('192.0.2.7', 5000, { sourcePort: 10_000 + i });
    expect(nat.net.sockets[0]!.isClosed).toBe(false);
    expect(nat.flows.size).toBe(1025);
  });

  it('of all guests is bounded', () => {
    const nat = new NatWire();
    for (let i = 0; i < 5000; i++)
      nat.send('192.0.2.7', 5000, { from: `10.0.0.${10 + (i % 200)}`, sourcePort: 1000 + i });
    expect(nat.flows.size).toBe(4096);
    expect(nat.net.sockets.filter(({ isClosed }) => !isClosed)).toHaveLength(4096);
    expect(nat.counters.get('udp-mapping-limit')).toBe(904);
  });

  it('is none after the end', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 5000);
    nat.udp.stop();
    expect(nat.flows.size).toBe(0);
    expect(nat.wire.scheduler.pending).toBe(0);
    nat.send('192.0.2.7', 5000);
    expect(nat.net.sockets).toHaveLength(1);
    expect(nat.wire.drops()).toEqual({ 'udp-no-listener': 1 });
  });
});

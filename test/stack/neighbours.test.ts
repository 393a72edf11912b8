import { describe, expect, it } from 'vitest';
import { B, C } from '../support/frames.ts';
import {
  arpFrame,
  echoRequest,
  ip,
  OURS,
  octets,
  PEER,
  pattern,
  replyFrom,
  requestFrom,
  Wire,
} from '../support/stack-peer.ts';

const ASK = 'who has 10.0.0.2, tell 10.0.0.1 (to ff:ff:ff:ff:ff:ff)';
const TO_B = '(to 52:54:00:00:00:02)';

function sendTo(wire: Wire, address: string, payload: Uint8Array = new Uint8Array(0)): void {
  const socket = wire.stack.udp.open(0, () => undefined);
  socket.send({ address: octets(address), port: 9 }, payload);
  socket.close();
}

describe('an unknown neighbour', () => {
  it('is asked for once, and what waited leaves in order when it answers', () => {
    const wire = new Wire();
    sendTo(wire, '10.0.0.2', pattern(1));
    sendTo(wire, '10.0.0.2', pattern(2));
    expect(wire.said()).toEqual([ASK]);
    wire.deliver(arpFrame(replyFrom(B, PEER)));
    expect(wire.said()).toEqual([
      expect.stringMatching(/^10\.0\.0\.1 > 10\.0\.0\.2 udp \d+ > 9 1 octets \(to 52:54:00:00:00:02\)$/),
      expect.stringMatching(/2 octets/),
    ]);
    expect(wire.pushes).toEqual([1, 2]);
  });

  it('is asked for three times in as many seconds, then the packets are dropped', () => {
    const wire = new Wire();
    sendTo(wire, '10.0.0.2');
    wire.scheduler.advance(2999);
    expect(wire.said()).toEqual([ASK, ASK, ASK]);
    expect(wire.drops()).toEqual({});
    wire.scheduler.advance(1);
    expect(wire.said()).toEqual([]);
    expect(wire.drops()).toEqual({ 'neighbour-unresolved': 1 });
    expect(wire.scheduler.pending).toBe(0);
  });

  it('keeps the latest packets that fit, and counts the others', () => {
    const wire = new Wire();
    for (let i = 0; i < 100; i++) sendTo(wire, '10.0.0.2', new Uint8Array(1400));
    const { 'neighbour-queue-full': refused } = wire.drops();
    wire.take();
    wire.deliver(arpFrame(replyFrom(B, PEER)));
    expect(wire.take()).toHaveLength(100 - refused!);
    expect(refused).toBeGreaterThan(30);
  });

  it('holds a whole datagram of the largest size', () => {
    const wire = new Wire();
    sendTo(wire, '10.0.0.2', new Uint8Array(65_507));
    wire.take();
    wire.deliver(arpFrame(replyFrom(B, PEER)));
    expect(wire.take()).toHaveLength(45);
    expect(wire.drops()).toEqual({});
  });

  it('is one of at most 64 that are asked for at a time', () => {
    const wire = new Wire();
    for (let i = 10; i < 110; i++) sendTo(wire, `10.0.0.${i}`);
    expect(wire.take()).toHaveLength(64);
    expect(wire.drops()).toEqual({ 'neighbour-queue-full': 36 });
  });
});

describe('a known neighbour', () => {
  it('is asked again, directly, on first use after thirty seconds, while packets go out', () => {
    const wire = new Wire();
    wire.introducePeer();
    wire.scheduler.advance(30_001);
    wire.deliver(echoRequest(), echoRequest());
    expect(wire.said()).toEqual([
      `who has 10.0.0.2, tell 10.0.0.1 ${TO_B}`,
      `10.0.0.1 > 10.0.0.2 icmp 0/0 0 octets ${TO_B}`,
      `10.0.0.1 > 10.0.0.2 icmp 0/0 0 octets ${TO_B}`,
    ]);
    wire.deliver(arpFrame(replyFrom(B, PEER)));
    wire.scheduler.advance(10_000);
    expect(wire.said()).toEqual([]);
  });

  it('is forgotten when it no longer answers', () => {
    const wire = new Wire();
    wire.introducePeer();
    wire.scheduler.advance(30_001);
    wire.deliver(echoRequest());
    wire.scheduler.advance(3000);
    expect(wire.stack.arp.owner(PEER)).toBeUndefined();
  });

  it('gets packets at its new MAC as soon as it says so', () => {
    const wire = new Wire();
    wire.introducePeer();
    wire.deliver(arpFrame(requestFrom(C, PEER, PEER)), echoRequest());
    expect(wire.said()).toEqual(['10.0.0.1 > 10.0.0.2 icmp 0/0 0 octets (to 52:54:00:00:00:03)']);
  });

  it('is forgotten when 1024 others were confirmed later', () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: OURS, prefixLength: 8 } });
    wire.introducePeer();
    for (let i = 0; i < 1024; i++) wire.deliver(arpFrame(requestFrom(C, ip('10.1.0.0') + i, OURS)));
    expect(wire.stack.arp.owner(PEER)).toBeUndefined();
    expect(wire.stack.arp.owner(ip('10.1.0.0'))).toBe(C);
  });
});

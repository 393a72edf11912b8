import { describe, expect, it } from 'vitest';
import type { Mac } from '../../src/wire/mac.ts';
import { A, B, C } from '../support/frames.ts';
import { packet } from '../support/packets.ts';
import { arpFrame, EXTRA, ip, OURS, PEER, replyFrom, requestFrom, udpFrame, Wire } from '../support/stack-peer.ts';

const AT_A = '52:54:00:00:00:01';
const TO_B = '(to 52:54:00:00:00:02)';
const TO_ALL = '(to ff:ff:ff:ff:ff:ff)';

describe('ARP answers', () => {
  it('requests for each of its addresses, to who asked', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(B, PEER, OURS)), arpFrame(requestFrom(B, PEER, EXTRA)));
    expect(wire.said()).toEqual([`10.0.0.1 is at ${AT_A} ${TO_B}`, `10.0.0.3 is at ${AT_A} ${TO_B}`]);
    expect(wire.pushes).toEqual([2]);
  });

  it('nobody about an address that is not its own', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(B, PEER, ip('10.0.0.9'))));
    expect(wire.said()).toEqual([]);
  });

  it("a probe as the kernel's does, without learning who sent it", () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: ip('10.9.0.2'), prefixLength: 24 } });
    wire.deliver(packet('arp-probe'));
    expect(wire.said()).toEqual([`10.9.0.2 is at ${AT_A} (to 52:54:00:0a:00:01)`]);
    expect(wire.stack.arp.owner(0)).toBeUndefined();
  });
});

describe('ARP learns', () => {
  it('who asks for one of its addresses', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(B, PEER, OURS)));
    expect(wire.stack.arp.owner(PEER)).toBe(B);
  });

  it('nothing from what others say to each other', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(B, PEER, ip('10.0.0.9'))), arpFrame(replyFrom(C, ip('10.0.0.9'))));
    expect(wire.stack.arp.owner(PEER)).toBeUndefined();
    expect(wire.stack.arp.owner(ip('10.0.0.9'))).toBeUndefined();
  });

  it.each([
    { how: 'an announcement', frame: arpFrame(requestFrom(C, PEER, PEER)) },
    { how: 'a gratuitous reply', frame: arpFrame(replyFrom(C, PEER), 0xffffffffffff) },
  ])('that a known address moved, from $how', ({ frame }) => {
    const wire = new Wire();
    wire.introducePeer();
    wire.deliver(frame);
    expect(wire.stack.arp.owner(PEER)).toBe(C);
  });

  it.each<{ what: string; mac: Mac; address: string }>([
    { what: 'a group MAC', mac: 0x01005e000001, address: '10.0.0.2' },
    { what: 'no MAC', mac: 0, address: '10.0.0.2' },
    { what: 'an address of another network', mac: B, address: '10.0.1.2' },
    { what: 'the broadcast address', mac: B, address: '10.0.0.255' },
    { what: 'a multicast address', mac: B, address: '224.0.0.1' },
    { what: 'no address', mac: B, address: '0.0.0.0' },
  ])('nothing from a sender with $what', ({ mac, address }) => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(mac, ip(address), OURS)));
    expect(wire.stack.arp.owner(ip(address))).toBeUndefined();
  });

  it('nothing from what is no ARP message, and counts it', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(B, PEER, OURS)).slice(0, 41));
    expect(wire.said()).toEqual([]);
    expect(wire.drops()).toEqual({ 'arp-malformed': 1 });
  });
});

describe('a conflict about its own address', () => {
  it('is counted and answered with an announcement, at most every ten seconds', () => {
    const wire = new Wire();
    const claim = arpFrame(requestFrom(C, OURS, OURS));
    wire.deliver(claim, claim);
    expect(wire.said()).toEqual([`who has 10.0.0.1, tell 10.0.0.1 ${TO_ALL}`]);
    wire.scheduler.advance(9_999);
    wire.deliver(claim);
    expect(wire.said()).toEqual([]);
    wire.scheduler.advance(1);
    wire.deliver(claim);
    expect(wire.said()).toHaveLength(1);
    expect(wire.stack.arp.conflicts).toBe(4);
    expect(wire.stack.arp.owner(OURS)).toBeUndefined();
  });

  it('is not seen in its own frames that come back', () => {
    const wire = new Wire();
    wire.deliver(arpFrame(requestFrom(A, OURS, OURS)));
    expect(wire.said()).toEqual([]);
    expect(wire.stack.arp.conflicts).toBe(0);
  });
});

describe('an ARP probe', () => {
  const options = { attempts: 3, interval: 200 };

  function probe(wire: Wire, address: number): (Mac | undefined)[] {
    const heard: (Mac | undefined)[] = [];
    wire.stack.arp.probe(address, options, (owner) => heard.push(owner));
    return heard;
  }

  it('finds an address free after all its requests stayed unanswered', () => {
    const wire = new Wire();
    const heard = probe(wire, PEER);
    wire.scheduler.advance(599);
    expect(wire.said()).toEqual(Array(3).fill(`who has 10.0.0.2, tell 0.0.0.0 ${TO_ALL}`));
    expect(heard).toEqual([]);
    wire.scheduler.advance(1);
    expect(heard).toEqual([undefined]);
    wire.scheduler.advance(5000);
    expect(wire.said()).toEqual([]);
  });

  it.each([
    { who: 'has the address', frame: arpFrame({ ...replyFrom(B, PEER), targetAddress: 0 }) },
    { who: 'announces the address', frame: arpFrame(requestFrom(B, PEER, PEER)) },
    { who: 'uses the address to ask', frame: arpFrame(requestFrom(B, PEER, ip('10.0.0.77'))) },
    { who: 'probes for the address too', frame: arpFrame(requestFrom(B, 0, PEER)) },
  ])('ends at once when somebody $who', ({ frame }) => {
    const wire = new Wire();
    const heard = probe(wire, PEER);
    wire.deliver(frame);
    expect(heard).toEqual([B]);
    wire.scheduler.advance(5000);
    expect(heard).toEqual([B]);
    expect(wire.said()).toHaveLength(1);
  });

  it('is not concerned by its own request, come back', () => {
    const wire = new Wire();
    const heard = probe(wire, PEER);
    wire.deliver(arpFrame(requestFrom(A, 0, PEER)));
    expect(heard).toEqual([]);
  });

  it('reports an address of its own as taken', () => {
    const wire = new Wire();
    const heard = probe(wire, EXTRA);
    wire.scheduler.advance(600);
    expect(heard).toEqual([A]);
  });
});

it('announces each of its addresses', () => {
  const wire = new Wire();
  wire.stack.arp.announce();
  expect(wire.said()).toEqual([
    `who has 10.0.0.1, tell 10.0.0.1 ${TO_ALL}`,
    `who has 10.0.0.3, tell 10.0.0.3 ${TO_ALL}`,
  ]);
});

it('forgets its neighbours when it gets other addresses', () => {
  const wire = new Wire();
  wire.introducePeer();
  wire.stack.configure({ interface: { address: ip('10.0.0.8'), prefixLength: 24 } });
  wire.deliver(udpFrame(9), arpFrame(requestFrom(B, PEER, OURS)));
  expect(wire.said()).toEqual([]);
  expect(wire.drops()).toEqual({ 'ipv4-not-local': 1 });
  expect(wire.stack.arp.owner(PEER)).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { datagramFrame, endpoint, hostError, NatWire } from '../support/nat-wire.ts';
import { icmpBody, icmpPayload, ip, ipv4Frame, octets, pattern, sourceOf } from '../support/stack-peer.ts';

/** What the guest is told when the host hears this about its datagram. */
function toldAbout(error: Partial<HostIcmpError>, nat = new NatWire()): Uint8Array | undefined {
  nat.send('192.0.2.7', 53);
  nat.net.lastSocket.refuse(hostError(error));
  return nat.wire.take()[0];
}

const typeAndCode = (frame: Uint8Array): number[] => [...frame.slice(34, 36)];

describe('RFC 5508, REQ-4: an error that the host hears', () => {
  it('tells the guest, with its own datagram', () => {
    const frame = toldAbout({ type: 3, code: 1, reporter: octets('198.51.100.1') })!;
    expect(typeAndCode(frame)).toEqual([3, 1]);
    const quoted = icmpBody(frame);
    const sent = datagramFrame('192.0.2.7', 53).slice(14);
    expect(quoted.slice(12)).toEqual(sent.slice(12));
    expect(quoted.slice(0, 4)).toEqual(sent.slice(0, 4));
  });

  it.each([
    { who: 'a router beyond', reporter: '198.51.100.1', source: '198.51.100.1' },
    { who: 'the peer itself', reporter: '192.0.2.7', source: '192.0.2.7' },
    { who: 'the host itself', reporter: undefined, source: '10.0.0.1' },
    { who: 'the host’s loopback', reporter: '127.0.0.1', source: '10.0.0.1' },
    { who: 'a router that the guest would take for a neighbour', reporter: '10.0.0.77', source: '10.0.0.1' },
  ])('from $who is from $source', ({ reporter, source }) => {
    const frame = toldAbout({ reporter: reporter === undefined ? undefined : octets(reporter) })!;
    expect(sourceOf(frame)).toBe(ip(source));
  });

  it.each([
    { type: 11, code: 0 },
    { type: 3, code: 3 },
    { type: 3, code: 13 },
    { type: 12, code: 0 },
  ])('keeps type $type and code $code', (error) => {
    expect(typeAndCode(toldAbout(error)!)).toEqual([error.type, error.code]);
  });

  it('tells the MTU of the next hop', () => {
    const frame = toldAbout({ type: 3, code: 4, mtu: 1280 })!;
    expect([...frame.slice(38, 42)]).toEqual([0, 0, 5, 0]);
  });

  it('about the loopback of the host is about the gateway', () => {
    const nat = new NatWire({ hostAccess: 'all' });
    nat.send('10.0.0.1', 9);
    nat.net.lastSocket.refuse(hostError({ code: 3, to: endpoint('127.0.0.1', 9), reporter: octets('127.0.0.1') }));
    const [frame] = nat.wire.take();
    expect(sourceOf(frame!)).toBe(ip('10.0.0.1'));
    expect(icmpBody(frame!).slice(12)).toEqual(datagramFrame('10.0.0.1', 9).slice(26));
  });

  it('that quotes nothing still finds the guest’s socket', () => {
    const frame = toldAbout({ quote: new Uint8Array(0) })!;
    expect(icmpBody(frame).slice(20, 24)).toEqual(datagramFrame('192.0.2.7', 53).slice(34, 38));
  });

  it.each([4, 5])('of type %i says nothing about the datagram and is not passed on', (type) => {
    const nat = new NatWire();
    expect(toldAbout({ type, code: 0 }, nat)).toBeUndefined();
    expect(nat.counters.toRecord()).toEqual({ 'icmp-not-passed': 1 });
  });
});

describe('RFC 4787, REQ-12: an ICMP error ends no mapping', () => {
  it('whichever the host hears', () => {
    const nat = new NatWire();
    toldAbout({ code: 3, reporter: octets('192.0.2.7') }, nat);
    nat.net.lastSocket.feed(pattern(2), endpoint('192.0.2.7', 53));
    expect(nat.flows.size).toBe(1);
    expect(nat.wire.take()).toHaveLength(1);
  });

  it('nor does one from the guest about what it was sent, which is counted', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 53);
    nat.net.lastSocket.feed(pattern(2), endpoint('192.0.2.7', 53));
    const [sent] = nat.wire.take();
    const error = icmpPayload(3, 3, sent!.slice(14, 44));
    nat.wire.deliver(ipv4Frame(error, { protocol: 1, destination: ip('192.0.2.7') }));
    expect(nat.flows.size).toBe(1);
    expect(nat.wire.drops()).toEqual({ 'icmp-unmatched': 1 });
  });
});

describe('traceroute by UDP', () => {
  it('shows the gateway as the first hop, and the host’s hops behind it', () => {
    const nat = new NatWire();
    nat.send('192.0.2.7', 33_434, { ttl: 1 });
    expect(nat.net.sockets).toEqual([]);
    nat.send('192.0.2.7', 33_435, { ttl: 2 });
    const { lastSocket } = nat.net;
    expect(lastSocket.sent[0]!.options.ttl).toBe(1);
    lastSocket.refuse(
      hostError({ type: 11, code: 0, to: endpoint('192.0.2.7', 33_435), reporter: octets('198.51.100.1') }),
    );
    nat.send('192.0.2.7', 33_436, { ttl: 3 });
    lastSocket.refuse(
      hostError({ type: 3, code: 3, to: endpoint('192.0.2.7', 33_436), reporter: octets('192.0.2.7') }),
    );
    expect(nat.wire.said().map((line) => line.replace(/\d+ octets.*/, ''))).toEqual([
      '10.0.0.1 > 10.0.0.2 icmp 11/0 ',
      '198.51.100.1 > 10.0.0.2 icmp 11/0 ',
      '192.0.2.7 > 10.0.0.2 icmp 3/3 ',
    ]);
  });
});

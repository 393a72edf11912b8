import { describe, expect, it } from 'vitest';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { endpoint, hostError, NatWire } from '../support/nat-wire.ts';
import { echoRequest, icmpBody, icmpPayload, ip, ipv4Frame, octets, pattern, sourceOf } from '../support/stack-peer.ts';

const TO_B = '(to 52:54:00:00:00:02)';
const FAR = ip('192.0.2.7');

/** The guest asks 192.0.2.7 under an identifier and a sequence number. */
function ask(
  nat: NatWire,
  { identifier = 7, sequence = 9, payload = pattern(56), ttl = 64, from = '10.0.0.2' } = {},
): void {
  const request = icmpPayload(8, 0, payload, identifier, sequence);
  nat.wire.deliver(ipv4Frame(request, { protocol: 1, source: ip(from), destination: FAR, ttl }));
}

const echoError = (fields: Partial<HostIcmpError>): HostIcmpError =>
  hostError({ to: endpoint('192.0.2.7', 0), quote: new Uint8Array(0), ...fields });

describe('RFC 5508, REQ-1: an echo request', () => {
  it('leaves the host with one hop less, and its reply has the guest’s identifier', () => {
    const nat = new NatWire();
    ask(nat);
    const { lastEcho } = nat.net;
    expect(lastEcho.sent).toEqual([{ to: octets('192.0.2.7'), sequence: 9, payload: pattern(56), ttl: 63 }]);
    lastEcho.reply(octets('192.0.2.7'), 9, pattern(56));
    const [reply] = nat.wire.take();
    expect(sourceOf(reply!)).toBe(FAR);
    expect(reply!.slice(34, 98)).toEqual(icmpPayload(0, 0, pattern(56), 7, 9));
  });

  it('is answered with the time to live that the reply had left, less our hop; with the usual one where the host does not tell', () => {
    const nat = new NatWire();
    ask(nat);
    nat.net.lastEcho.reply(octets('192.0.2.7'), 9, pattern(56), 58);
    nat.net.lastEcho.reply(octets('192.0.2.7'), 9, pattern(56));
    expect(nat.wire.take().map((frame) => frame[22])).toEqual([57, 64]);
  });

  it('has one source for each guest and identifier', () => {
    const nat = new NatWire();
    ask(nat, { sequence: 1 });
    ask(nat, { sequence: 2 });
    ask(nat, { identifier: 8 });
    ask(nat, { from: '10.0.0.9' });
    expect(nat.net.echoes.map(({ sent }) => sent.length)).toEqual([2, 1, 1]);
  });

  it('is a flow whose port is the identifier', () => {
    const nat = new NatWire();
    ask(nat);
    nat.net.lastEcho.reply(octets('192.0.2.7'), 9, pattern(56));
    const [flow] = [...nat.flows];
    expect(flow).toMatchObject({ protocol: 'echo', initiator: 'guest', fromGuest: 56, toGuest: 56 });
    expect(flow!.guest).toEqual(endpoint('10.0.0.2', 7));
    expect(flow!.peer).toEqual(endpoint('192.0.2.7', 0));
  });

  it('without a reply stays without one', () => {
    const nat = new NatWire();
    ask(nat);
    nat.advance(59_000);
    expect(nat.wire.said()).toEqual([]);
  });

  it('to the gateway is the gateway’s to answer', () => {
    const nat = new NatWire();
    nat.wire.deliver(echoRequest(pattern(5)));
    expect(nat.net.echoes).toEqual([]);
    expect(nat.wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 0/0 5 octets ${TO_B}`]);
  });

  it('from an address that no reply would reach goes nowhere', () => {
    const nat = new NatWire();
    ask(nat, { from: '198.51.100.66' });
    expect(nat.net.echoes).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'echo-foreign-source': 1 });
  });
});

describe('RFC 5508, REQ-2: the timer of queries', () => {
  it('is sixty seconds after the last request', () => {
    const nat = new NatWire();
    ask(nat);
    nat.advance(30_000);
    ask(nat);
    nat.advance(59_999);
    expect(nat.flows.size).toBe(1);
    nat.advance(1001);
    expect(nat.flows.size).toBe(0);
    expect(nat.net.lastEcho.isClosed).toBe(true);
    expect(nat.wire.scheduler.pending).toBe(0);
  });
});

describe('RFC 5508, REQ-4: an error about an echo request', () => {
  it('has the hop as its source and quotes the guest’s own request', () => {
    const nat = new NatWire();
    ask(nat, { ttl: 2 });
    expect(nat.net.lastEcho.sent[0]!.ttl).toBe(1);
    nat.net.lastEcho.refuse(9, echoError({ type: 11, code: 0, reporter: octets('198.51.100.1') }));
    const [error] = nat.wire.take();
    expect(sourceOf(error!)).toBe(ip('198.51.100.1'));
    expect([...error!.slice(34, 36)]).toEqual([11, 0]);
    const quoted = icmpBody(error!);
    expect([...quoted.slice(12, 20)]).toEqual([10, 0, 0, 2, 192, 0, 2, 7]);
    expect(quoted.slice(20)).toEqual(icmpPayload(8, 0, pattern(56), 7, 9));
  });

  it('quotes the start of a long one, whose length it tells', () => {
    const nat = new NatWire();
    ask(nat, { payload: pattern(1000) });
    nat.net.lastEcho.refuse(9, echoError({}));
    const quoted = icmpBody(nat.wire.take()[0]!);
    expect((quoted[2]! << 8) | quoted[3]!).toBe(1028);
    expect(quoted.slice(20)).toEqual(icmpPayload(8, 0, pattern(1000), 7, 9).slice(0, 64));
  });

  it('from the host itself has the router as its source', () => {
    const nat = new NatWire();
    ask(nat);
    nat.net.lastEcho.refuse(9, echoError({ code: 0 }));
    expect(sourceOf(nat.wire.take()[0]!)).toBe(ip('10.0.0.1'));
  });

  it('about a request that is long forgotten is counted', () => {
    const nat = new NatWire();
    for (let sequence = 0; sequence < 33; sequence++) ask(nat, { sequence });
    nat.net.lastEcho.refuse(0, echoError({}));
    nat.net.lastEcho.refuse(1, echoError({}));
    expect(nat.wire.take()).toHaveLength(1);
    expect(nat.counters.toRecord()).toEqual({ 'icmp-not-passed': 1 });
  });
});

describe('the sources of echo requests', () => {
  it('of one guest are bounded; the one unused for longest makes room', () => {
    const nat = new NatWire();
    for (let identifier = 0; identifier < 70; identifier++) ask(nat, { identifier });
    expect(nat.net.echoes.filter(({ isClosed }) => isClosed)).toEqual(nat.net.echoes.slice(0, 6));
    expect(nat.counters.toRecord()).toEqual({ 'echo-limit': 6 });
  });

  it('end with the gateway', () => {
    const nat = new NatWire();
    ask(nat);
    nat.echo.stop();
    expect(nat.net.lastEcho.isClosed).toBe(true);
    expect(nat.wire.scheduler.pending).toBe(0);
  });
});

describe('RFC 1812, 5.2.7.1: what the policy refuses', () => {
  it('is prohibited', () => {
    const nat = new NatWire({ isRestricted: true });
    ask(nat);
    expect(nat.net.echoes).toEqual([]);
    expect(nat.wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/13 84 octets ${TO_B}`]);
    expect(nat.counters.toRecord()).toEqual({ 'egress-restricted': 1 });
  });
});

import { describe, expect, it } from 'vitest';
import type { PingResult } from '../../src/stack/pings.ts';
import { B } from '../support/frames.ts';
import { packet } from '../support/packets.ts';
import {
  arpFrame,
  echoRequest,
  fragmentsOf,
  icmpBody,
  icmpPayload,
  ip,
  ipv4Frame,
  OURS,
  PEER,
  pattern,
  replyFrom,
  requestFrom,
  sourceOf,
  udpFrame,
  Wire,
} from '../support/stack-peer.ts';

const TO_B = '(to 52:54:00:00:00:02)';

function introduced(): Wire {
  const wire = new Wire();
  wire.introducePeer();
  return wire;
}

describe('an echo request', () => {
  it("is answered as the kernel answers the kernel's ping", () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: ip('10.9.0.2'), prefixLength: 24 } });
    wire.deliver(arpFrame(requestFrom(0x5254000a0001, ip('10.9.0.1'), ip('10.9.0.2'))));
    wire.take();
    const request = packet('icmp-echo-request');
    request.set([0x52, 0x54, 0, 0, 0, 1]);
    wire.deliver(request);
    expect(wire.take()[0]!.slice(34)).toEqual(packet('icmp-echo-reply').slice(34));
  });

  it.each([0, 1, 56, 1472])('with %i octets comes back whole', (length) => {
    const wire = introduced();
    wire.deliver(echoRequest(pattern(length)));
    const [reply] = wire.take();
    expect(icmpBody(reply!)).toEqual(pattern(length));
  });

  it('from the address that it went to', () => {
    const wire = introduced();
    wire.deliver(echoRequest(pattern(1), { destination: ip('10.0.0.3') }));
    expect(sourceOf(wire.take()[0]!)).toBe(ip('10.0.0.3'));
  });

  it('of the largest size is answered in fragments', () => {
    const wire = introduced();
    wire.deliver(...fragmentsOf(icmpPayload(8, 0, pattern(65_507)), 1480, { protocol: 1 }));
    const reply = wire.take();
    expect(reply).toHaveLength(45);
    const payload = reply.flatMap((frame) => [...frame.slice(34, 14 + (frame[16]! << 8) + frame[17]!)]);
    expect(Uint8Array.from(payload)).toEqual(icmpPayload(0, 0, pattern(65_507)));
  });

  it.each([
    { to: 'everybody', fields: { destination: ip('10.0.0.255'), toMac: 0xffffffffffff } },
    { to: 'us, but in a broadcast frame', fields: { toMac: 0xffffffffffff } },
  ])('to $to stays unanswered', ({ fields }) => {
    const wire = introduced();
    wire.deliver(echoRequest(pattern(1), fields));
    expect(wire.said()).toEqual([]);
    expect(wire.drops()).toEqual({ 'icmp-broadcast-echo': 1 });
  });

  it('to an address that we only listen to while we have none stays unanswered', () => {
    const wire = new Wire({ isConfigured: false });
    wire.deliver(echoRequest());
    expect(wire.said()).toEqual([]);
    expect(wire.drops()).toEqual({ 'ipv4-not-local': 1 });
  });

  it('with a wrong checksum is dropped', () => {
    const wire = introduced();
    const request = echoRequest(pattern(8));
    request[45] = 0xff;
    wire.deliver(request);
    expect(wire.drops()).toEqual({ 'icmp-bad-checksum': 1 });
  });
});

describe('an ICMP error tells the sender', () => {
  it('that nobody listens on the port, quoting the datagram', () => {
    const wire = introduced();
    const datagram = udpFrame(9, pattern(20));
    wire.deliver(datagram);
    const [error] = wire.take();
    expect([...error!.slice(34, 36)]).toEqual([3, 3]);
    expect(icmpBody(error!)).toEqual(datagram.slice(14));
  });

  it('that the protocol is not spoken', () => {
    const wire = introduced();
    wire.deliver(ipv4Frame(pattern(8), { protocol: 132 }));
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/2 28 octets ${TO_B}`]);
  });

  it('with no more of the datagram than fits into 576 octets', () => {
    const wire = introduced();
    wire.deliver(udpFrame(9, pattern(1400)));
    expect(wire.take()[0]).toHaveLength(14 + 576);
  });

  it.each([
    { what: 'a broadcast', frame: udpFrame(9, pattern(1), { destination: ip('10.0.0.255'), toMac: 0xffffffffffff }) },
    { what: 'a datagram in a broadcast frame', frame: udpFrame(9, pattern(1), { toMac: 0xffffffffffff }) },
    { what: 'an ICMP error', frame: ipv4Frame(icmpPayload(3, 3, udpFrame(9).slice(14)), { protocol: 1 }) },
    { what: 'an ICMP query of an unknown type', frame: ipv4Frame(icmpPayload(13, 0, pattern(12)), { protocol: 1 }) },
  ])('nothing about $what', ({ frame }) => {
    const wire = introduced();
    wire.deliver(frame);
    expect(wire.said()).toEqual([]);
    expect(Object.values(wire.drops())).toEqual([1]);
  });

  it('at most fifty times at once and a hundred times per second', () => {
    const wire = introduced();
    const datagrams = Array.from({ length: 200 }, () => udpFrame(9));
    wire.deliver(...datagrams);
    expect(wire.take()).toHaveLength(50);
    wire.scheduler.advance(100);
    wire.deliver(...datagrams);
    expect(wire.take()).toHaveLength(10);
  });
});

describe('a ping', () => {
  /** What comes back for a request that was sent. */
  function answerTo(request: Uint8Array): Uint8Array {
    const payload = request.slice(34, 14 + (request[16]! << 8) + request[17]!);
    const identifier = (payload[4]! << 8) | payload[5]!;
    const sequence = (payload[6]! << 8) | payload[7]!;
    return ipv4Frame(icmpPayload(0, 0, payload.slice(8), identifier, sequence), { protocol: 1 });
  }

  function ping(wire: Wire, to = PEER): PingResult[] {
    const results: PingResult[] = [];
    wire.stack.ping(to, { timeout: 5000 }, (result) => results.push(result));
    return results;
  }

  it('reports the time until the reply', () => {
    const wire = introduced();
    const results = ping(wire);
    const [request] = wire.take();
    wire.scheduler.advance(12);
    wire.deliver(answerTo(request!));
    expect(results).toEqual([{ kind: 'reply', rtt: 12 }]);
    wire.deliver(answerTo(request!));
    wire.scheduler.advance(9000);
    expect(results).toHaveLength(1);
    expect(wire.drops()).toEqual({ 'icmp-unmatched': 1 });
  });

  it('carries as many octets as wanted', () => {
    const wire = introduced();
    wire.stack.ping(PEER, { timeout: 1, payloadLength: 8 }, () => undefined);
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 8/0 8 octets ${TO_B}`]);
  });

  it('ends after its timeout', () => {
    const wire = introduced();
    const results = ping(wire);
    wire.scheduler.advance(4999);
    expect(results).toEqual([]);
    wire.scheduler.advance(1);
    expect(results).toEqual([{ kind: 'timeout' }]);
  });

  it('is not ended by the reply of another station', () => {
    const wire = introduced();
    const results = ping(wire);
    const reply = answerTo(wire.take()[0]!);
    wire.deliver(ipv4Frame(reply.slice(34), { protocol: 1, source: ip('10.0.0.9') }));
    expect(results).toEqual([]);
  });

  it('is unreachable when a router says so', () => {
    const wire = introduced();
    const results = ping(wire);
    const quote = wire.take()[0]!.slice(14, 42);
    wire.deliver(ipv4Frame(icmpPayload(3, 13, quote), { protocol: 1, source: ip('10.0.0.254') }));
    expect(results).toEqual([{ kind: 'unreachable', code: 13 }]);
  });

  it('is unreachable when nobody answers ARP', () => {
    const wire = new Wire();
    const results = ping(wire);
    wire.scheduler.advance(2999);
    expect(results).toEqual([]);
    wire.scheduler.advance(1);
    expect(results).toEqual([{ kind: 'unreachable', code: 1 }]);
  });

  it('is unreachable at once when no route leads there', () => {
    const wire = new Wire({ isConfigured: false });
    wire.stack.configure({ interface: { address: OURS, prefixLength: 24 } });
    expect(ping(wire, ip('192.0.2.1'))).toEqual([{ kind: 'unreachable', code: 0 }]);
    expect(wire.scheduler.pending).toBe(0);
  });

  it('waits for ARP and then goes out', () => {
    const wire = new Wire();
    ping(wire);
    wire.take();
    wire.deliver(arpFrame(replyFrom(B, PEER)));
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 8/0 56 octets ${TO_B}`]);
  });
});

import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import { EchoNat } from '../../src/nat/echo-nat.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import { icmpv6Frame, ip6, ndpFrame, ONE, TWO, Wire6 } from '../support/ipv6-peer.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { octets, pattern } from '../support/stack-peer.ts';

const FAR = ip6('2001:db8::9');
const FAR_IPV4 = ip6('64:ff9b::c000:207');
const TO_ONE = '(to 52:54:00:0a:00:01)';

/** A gateway at fd00::2 that translates what `ONE` at fd00::1 asks, to a host's network in memory. */
function scene() {
  const wire = new Wire6({ isConfigured: true, takesTransit: true });
  wire.deliver(
    ndpFrame({ kind: 'neighbour-solicitation', target: TWO.address, sourceMac: ONE.mac }, { source: ONE.global }),
  );
  wire.take();
  const net = new MemoryHostNet();
  const counters = new Counters();
  const flows = new FlowTable();
  const nat64 = parseIpv6Prefix('64:ff9b::/96')!;
  const ipv6Gateway = { address: TWO.global, prefixLength: 64 };
  const settings = { isRestricted: false, hostAccess: [], allowsMetadata: false, ipv6Gateway, nat64 } as const;
  const policy = new EgressPolicy(settings);
  new EchoNat({ stack: wire.stack, net, policy, flows, counters, scheduler: wire.scheduler, nat64 }).start();
  const ask = (destination: Uint8Array, { sequence = 9, payload = pattern(4), source = ONE.global } = {}) => {
    const message = Uint8Array.of(128, 0, 0, 0, 0, 7, 0, sequence, ...payload);
    wire.deliver(icmpv6Frame(message, { source, destination, hopLimit: 64 }));
  };
  return { wire, net, counters, flows, ask };
}

describe('an echo request of IPv6', () => {
  it('leaves the host with one hop less, and its reply has the guest’s identifier', () => {
    const { wire, net, flows, ask } = scene();
    ask(FAR);
    expect(net.lastEcho.family).toBe(6);
    expect(net.lastEcho.sent).toEqual([{ to: FAR, sequence: 9, payload: pattern(4), ttl: 63 }]);
    net.lastEcho.reply(FAR, 9, pattern(4), 58);
    const [reply] = wire.take();
    expect([reply![21], [...reply!.subarray(54, 56)], [...reply!.subarray(58)]]).toEqual([
      57,
      [129, 0],
      [0, 7, 0, 9, ...pattern(4)],
    ]);
    expect([...flows][0]).toMatchObject({
      protocol: 'echo',
      peer: { address: FAR, port: 0 },
      fromGuest: 4,
      toGuest: 4,
    });
  });

  it('to IPv4 behind NAT64 leaves by ICMP, and is answered from the address that was asked', () => {
    const { wire, net, ask } = scene();
    ask(FAR_IPV4);
    expect(net.lastEcho.family).toBe(4);
    expect(net.lastEcho.sent).toEqual([{ to: octets('192.0.2.7'), sequence: 9, payload: pattern(4), ttl: 63 }]);
    net.lastEcho.reply(octets('192.0.2.7'), 9, pattern(4));
    expect(wire.said()).toEqual([`64:ff9b::c000:207 > fd00::1 icmpv6 129 4 octets ${TO_ONE}`]);
  });

  it('has one source for each guest, identifier and family of the target', () => {
    const { net, ask } = scene();
    for (const to of [FAR, FAR, FAR_IPV4]) ask(to);
    ask(FAR, { source: ip6('fd00::8') });
    expect(net.echoes.map(({ family, sent }) => [family, sent.length])).toEqual([
      [6, 2],
      [4, 1],
      [6, 1],
    ]);
  });

  it.each([
    {
      what: 'of ICMPv6 as it is',
      to: FAR,
      target: FAR,
      error: [3, 0],
      reporter: ip6('2001:db8::1'),
      from: '2001:db8::1',
    },
    {
      what: 'of ICMP in the words of ICMPv6',
      to: FAR_IPV4,
      target: octets('192.0.2.7'),
      error: [11, 0],
      reporter: octets('192.0.2.1'),
      from: '64:ff9b::c000:201',
    },
    {
      what: 'of the host itself as the gateway’s',
      to: FAR,
      target: FAR,
      error: [3, 0],
      reporter: undefined,
      from: 'fd00::2',
    },
  ])('hears of an error $what, with the request', ({ to, target, error, reporter, from }) => {
    const { wire, net, ask } = scene();
    ask(to);
    const [type, code] = error as [number, number];
    const quote = new Uint8Array(0);
    net.lastEcho.refuse(9, { type, code, mtu: 0, reporter, to: { address: target, port: 0 }, quote });
    const [frame] = wire.take();
    // Behind the error's eight octets: the guest's packet, as it was but for its hop limit and the frame around it.
    const asked = icmpv6Frame(Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9, ...pattern(4)), {
      source: ONE.global,
      destination: to,
      hopLimit: 1,
    });
    expect(frame!.subarray(62)).toEqual(asked.subarray(14));
    expect([frame![54], frame![55], frame!.slice(22, 38)]).toEqual([3, 0, ip6(from)]);
  });

  it('hears nothing of an error that ICMPv6 has no word for, nor of one about another request', () => {
    const { wire, net, counters, ask } = scene();
    ask(FAR_IPV4);
    const to = { address: octets('192.0.2.7'), port: 0 };
    const error = { code: 0, mtu: 0, reporter: octets('192.0.2.1'), to, quote: new Uint8Array(0) };
    net.lastEcho.refuse(9, { ...error, type: 4 });
    net.lastEcho.refuse(8, { ...error, type: 11 });
    expect(wire.take()).toEqual([]);
    expect(counters.toRecord()).toEqual({ 'icmp-not-passed': 2 });
  });

  it('from an address that no reply would reach, or answered from an address of the lab, goes no further', () => {
    const { wire, net, counters, ask } = scene();
    ask(FAR, { source: ip6('2001:db8:7::1') });
    expect(net.echoes).toEqual([]);
    ask(FAR);
    net.lastEcho.reply(ip6('fd00::8'), 9, pattern(4));
    expect(wire.take()).toEqual([]);
    expect(counters.toRecord()).toEqual({ 'echo-foreign-source': 1, 'echo-ambiguous-source': 1 });
  });
});

import { describe, expect, it } from 'vitest';
import { HostNetError } from '../../src/base/host-net.ts';
import type { UdpForwardSpec } from '../../src/nat/udp-forward.ts';
import { openUdpForward } from '../../src/nat/udp-forward.ts';
import type { Ipv4 } from '../../src/wire/ipv4-address.ts';
import { ipv4Octets } from '../../src/wire/ipv4-address.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { datagramFrame, endpoint, hostError, NatWire } from '../support/nat-wire.ts';
import { icmpBody, icmpPayload, ip, ipv4Frame, octets, PEER, pattern, sourceOf } from '../support/stack-peer.ts';

const LOCAL = endpoint('127.0.0.1', 40_000);
const REMOTE = endpoint('192.0.2.50', 40_000);

/** Port 5353 of the host's loopback is forwarded to port 53 of the guest 10.0.0.2. */
async function forwarded(spec: Partial<UdpForwardSpec> = {}, nat = new NatWire()) {
  const whole = {
    at: endpoint('127.0.0.1', 5353),
    guest: () => ipv4Octets(PEER),
    guestPort: 53,
    showsClient: false,
    ...spec,
  };
  const { scheduler, stack } = nat.wire;
  const forward = await openUdpForward(whole, stack, nat.net, { scheduler, counters: nat.counters, flows: nat.flows });
  const host = nat.net.lastSocket;
  /** Whom the guest sees when this client says something. */
  const seen = (client: typeof LOCAL): { address: Ipv4; port: number } => {
    host.feed(pattern(3), client);
    const [frame] = nat.wire.take();
    return { address: sourceOf(frame!), port: readUint16(frame!, 34) };
  };
  return { nat, forward, host, seen };
}

describe('a UDP forward', () => {
  it('takes a client’s datagram to the guest and the answer back', async () => {
    const { nat, host, seen } = await forwarded();
    const { address, port } = seen(LOCAL);
    expect(address).toBe(ip('10.0.0.1'));
    expect(port).toBeGreaterThanOrEqual(49_152);
    nat.send('10.0.0.1', port, { sourcePort: 53, payload: pattern(9) });
    expect(host.sent.map(({ bytes, to }) => ({ bytes, to }))).toEqual([{ bytes: pattern(9), to: LOCAL }]);
    expect(nat.wire.drops()).toEqual({});
  });

  it('has a flow for each client', async () => {
    const { nat, host, seen } = await forwarded();
    const one = seen(LOCAL);
    const two = seen(endpoint('127.0.0.1', 40_001));
    expect(one.port).not.toBe(two.port);
    expect(seen(LOCAL)).toEqual(one);
    nat.send('10.0.0.1', two.port, { sourcePort: 53 });
    expect(host.sent[0]!.to.port).toBe(40_001);
    expect([...nat.flows]).toMatchObject([
      { protocol: 'udp', initiator: 'host', target: '127.0.0.1:40000', toGuest: 6, fromGuest: 0 },
      { protocol: 'udp', initiator: 'host', target: '127.0.0.1:40001', toGuest: 3, fromGuest: 3 },
    ]);
  });

  it('says where it listens, and is not there where the port is taken', async () => {
    const { forward, nat } = await forwarded({ at: endpoint('127.0.0.1', 0) });
    expect(forward.at.port).toBeGreaterThan(0);
    await expect(forwarded({ at: forward.at }, nat)).rejects.toThrow(HostNetError);
  });

  it('carries datagrams longer than the MTU', async () => {
    const { host, nat } = await forwarded();
    host.feed(pattern(65_507), LOCAL);
    expect(nat.wire.take()).toHaveLength(45);
  });

  it('serves a client of IPv6', async () => {
    const { nat, host, seen } = await forwarded();
    const client = { address: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)), port: 5 };
    const { port } = seen(client);
    nat.send('10.0.0.1', port, { sourcePort: 53 });
    expect(host.sent[0]!.to).toEqual(client);
    expect([...nat.flows][0]!.target).toBe('[::1]:5');
  });

  it('loses and counts what comes while nobody has the address', async () => {
    let guest: Uint8Array | undefined;
    const { nat, host, seen } = await forwarded({ guest: () => guest });
    host.feed(pattern(3), LOCAL);
    expect(nat.wire.said()).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'forward-no-guest': 1 });
    guest = ipv4Octets(PEER);
    expect(seen(LOCAL).address).toBe(ip('10.0.0.1'));
  });
});

describe('the client', () => {
  it('is shown where the forward shows clients', async () => {
    const { nat, host, seen } = await forwarded({ showsClient: true });
    expect(seen(REMOTE)).toEqual({ address: ip('192.0.2.50'), port: 40_000 });
    nat.send('192.0.2.50', 40_000, { sourcePort: 53 });
    expect(host.sent[0]!.to).toEqual(REMOTE);
    expect(nat.net.sockets).toHaveLength(1);
  });

  it.each([
    { who: 'is on the loopback', client: LOCAL },
    { who: 'has an address of the guest’s network', client: endpoint('10.0.0.9', 40_000) },
  ])('is not shown where it $who', async ({ client }) => {
    const { seen } = await forwarded({ showsClient: true });
    expect(seen(client).address).toBe(ip('10.0.0.1'));
  });

  it('is the gateway where it talks to the guest’s port already', async () => {
    const { nat, seen } = await forwarded({ showsClient: true });
    const second = await forwarded({ showsClient: true, at: endpoint('127.0.0.1', 5354) }, nat);
    expect(seen(REMOTE).address).toBe(ip('192.0.2.50'));
    expect(second.seen(REMOTE).address).toBe(ip('10.0.0.1'));
  });
});

describe('a flow of a UDP forward ends', () => {
  it('five minutes after the last datagram of either side', async () => {
    const { nat, seen } = await forwarded();
    const { port } = seen(LOCAL);
    nat.advance(200_000);
    nat.send('10.0.0.1', port, { sourcePort: 53 });
    nat.advance(299_999);
    expect(nat.flows.size).toBe(1);
    nat.advance(1001);
    expect(nat.flows.size).toBe(0);
    expect(nat.wire.scheduler.pending).toBe(0);
  });

  it('when the guest says that nobody listens', async () => {
    const { nat, host } = await forwarded();
    host.feed(pattern(3), LOCAL);
    const [sent] = nat.wire.take();
    nat.wire.deliver(ipv4Frame(icmpPayload(3, 3, sent!.slice(14, 45)), { protocol: 1 }));
    expect(nat.flows.size).toBe(0);
    expect(host.sent).toEqual([]);
    expect(nat.counters.toRecord()).toEqual({ 'forward-guest-refused': 1 });
  });

  it('when nobody has the guest’s address', async () => {
    const { nat, host } = await forwarded({ guest: () => ipv4Octets(ip('10.0.0.77')) });
    host.feed(pattern(3), LOCAL);
    nat.advance(3000);
    expect(nat.flows.size).toBe(0);
    expect(nat.counters.toRecord()).toEqual({ 'forward-guest-refused': 1 });
  });

  it('when there are too many: the one unused for longest makes room', async () => {
    const { nat, host } = await forwarded();
    for (let i = 0; i < 1030; i++) host.feed(pattern(1), endpoint('127.0.0.1', 10_000 + i));
    expect(nat.flows.size).toBe(1024);
    expect([...nat.flows][0]!.target).toBe('127.0.0.1:10006');
    expect(nat.counters.toRecord()).toEqual({ 'forward-client-limit': 6 });
  });

  it('with the forward', async () => {
    const { nat, forward, host, seen } = await forwarded();
    const { port } = seen(LOCAL);
    forward.close();
    expect(host.isClosed).toBe(true);
    expect(nat.flows.size).toBe(0);
    expect(nat.wire.scheduler.pending).toBe(0);
    nat.send('10.0.0.1', port, { sourcePort: 53 });
    expect(nat.counters.toRecord()).toEqual({ 'egress-host-closed': 1 });
  });
});

it('the guest is told what the host hears about its answer to a client', async () => {
  const { nat, host, seen } = await forwarded({ showsClient: true });
  seen(REMOTE);
  nat.send('192.0.2.50', 40_000, { sourcePort: 53 });
  host.refuse(hostError({ code: 3, to: REMOTE, reporter: octets('192.0.2.50') }));
  const [error] = nat.wire.take();
  expect(sourceOf(error!)).toBe(ip('192.0.2.50'));
  expect(icmpBody(error!).slice(12)).toEqual(datagramFrame('192.0.2.50', 40_000, { sourcePort: 53 }).slice(26));
});

import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { HostNetError } from '../../src/base/host-net.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { readForward } from '../../src/nat/forward-text.ts';
import { HostForwards } from '../../src/nat/host-forwards.ts';
import type { UdpForwardSpec } from '../../src/nat/udp-forward.ts';
import { parseAddress } from '../../src/wire/endpoint-text.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { stackAt } from '../support/fake-stack.ts';
import { FakeTcpLayer } from '../support/fake-tcp-layer.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { ip } from '../support/stack-peer.ts';

const LOCAL = endpoint('127.0.0.1', 50_000);
const ELSEWHERE = endpoint('198.51.100.7', 50_000);

describe('a client of a forward', () => {
  it("reaches the guest from the gateway's address", async () => {
    const { client, guest } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    expect(guest.local).toEqual(endpoint('10.0.2.2', 0));
    expect(guest.remote).toEqual(endpoint('10.0.2.15', 80));
    guest.open();
    guest.feed('220 ready');
    expect(text(client.written)).toBe('220 ready');
  });

  it("reaches a guest over IPv6 from the gateway's address there, whatever family the client has", async () => {
    const { guest } = await arrived('tcp 8080 -> [fd00::10]:80 client=real', ELSEWHERE);
    expect(guest.local).toEqual(endpoint('fd00::1', 0));
    expect(guest.remote).toEqual(endpoint('fd00::10', 80));
  });

  it('of IPv6 is shown to a guest over IPv6', async () => {
    const client = endpoint('2001:db8::7', 50_000);
    const { guest } = await arrived('tcp [::]:8080 -> [fd00::10]:80 client=real', client);
    expect(guest.local).toEqual(client);
  });

  it('is read only when the guest has accepted', async () => {
    const { client, guest, net } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    client.feed('GET /');
    net.turn();
    expect(client.isPaused).toBe(true);
    guest.open();
    net.turn();
    expect(guest.sent).toBe('GET /');
  });

  it.each(['refused', 'unreachable', 'timeout'] as const)('is reset where the guest is %s', async (how) => {
    const { client, guest, counters, flows, forwards } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    expect(forwards.list()[0]!.connections).toBe(1);
    guest.close(how);
    expect(client.isReset).toBe(true);
    expect(counters.get(`forward-guest-${how}`)).toBe(1);
    expect(flows.size).toBe(0);
    expect(forwards.list()[0]!.connections).toBe(0);
  });

  it('that goes before the guest has answered resets the guest', async () => {
    const { client, guest, flows } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    client.breakOff();
    expect(guest.isReset).toBe(true);
    expect(flows.size).toBe(0);
  });

  it('is reset when the guest resets, and the guest when it does', async () => {
    const first = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    first.guest.open();
    first.guest.close('reset');
    expect(first.client.isReset).toBe(true);
    const second = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    second.guest.open();
    second.client.breakOff();
    expect(second.guest.isReset).toBe(true);
  });

  it('is a flow that the host began', async () => {
    const { flows, guest } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    const [flow] = [...flows];
    expect(flow).toMatchObject({
      initiator: 'host',
      guest: endpoint('10.0.2.15', 80),
      peer: endpoint('10.0.2.2', 0),
      target: { kind: 'tcp', endpoint: LOCAL },
      state: 'opening',
    });
    guest.open();
    expect(flow!.state).toBe('open');
  });

  it.each([
    ['its own address', ELSEWHERE, ELSEWHERE],
    ["the gateway's address where it is on loopback", LOCAL, endpoint('10.0.2.2', 0)],
    ["the gateway's where its own is on the guest's network", endpoint('10.0.2.77', 5), endpoint('10.0.2.2', 0)],
  ])('has %s where the rule shows it', async (_, from, shown) => {
    const { guest } = await arrived('tcp *:8080 -> 10.0.2.15:80 client=real', from);
    expect(guest.local).toEqual(shown);
  });

  it('that talks to the same port of the guest by another forward has the address of the gateway', async () => {
    const { add, net, tcp } = await arrived('tcp *:8080 -> 10.0.2.15:80 client=real', ELSEWHERE);
    await add('tcp *:8081 -> 10.0.2.15:80 client=real');
    net.listeners[1]!.arrive(ELSEWHERE);
    expect(tcp.connections.map(({ local }) => local)).toEqual([ELSEWHERE, endpoint('10.0.2.2', 0)]);
  });

  it('is reset where the gateway has no port left, and counted', async () => {
    const { add, net, tcp, flows, counters } = setUp();
    await add('tcp 8080 -> 10.0.2.15:80');
    tcp.hasFreePorts = false;
    expect(net.listeners[0]!.arrive(LOCAL).isReset).toBe(true);
    expect(counters.get('forward-no-port')).toBe(1);
    expect(flows.size).toBe(0);
  });

  it("has the gateway's address where the gateway is not the way to others", async () => {
    const { add, net, tcp } = setUp(false);
    await add('tcp *:8080 -> 10.0.2.15:80 client=real');
    net.listeners[0]!.arrive(ELSEWHERE);
    expect(tcp.last.local).toEqual(endpoint('10.0.2.2', 0));
  });

  it("has the gateway's address where the rule does not show it", async () => {
    const { guest } = await arrived('tcp *:8080 -> 10.0.2.15:80', ELSEWHERE);
    expect(guest.local).toEqual(endpoint('10.0.2.2', 0));
  });

  it.each([
    ['tcp 8080 -> 10.0.2.15:80 proxy=v1', 'PROXY TCP4 198.51.100.7 127.0.0.1 50000 8080\r\nGET /'],
    ['tcp *:8080 -> 10.0.2.15:80 proxy=v1', 'PROXY TCP4 198.51.100.7 10.0.2.15 50000 80\r\nGET /'],
  ])('of %j is introduced before its first octet', async (rule, sent) => {
    const { client, guest, net } = await arrived(rule, ELSEWHERE);
    client.feed('GET /');
    guest.open();
    net.turn();
    expect(guest.sent).toBe(sent);
  });

  it('of a unix socket has the address of the gateway, and is introduced without one', async () => {
    const { guest } = await arrived('unix /run/x.sock -> 10.0.2.15:22 client=real proxy=v1', undefined);
    expect(guest.local).toEqual(endpoint('10.0.2.2', 0));
    guest.open();
    expect(guest.sent).toBe('PROXY UNKNOWN\r\n');
  });

  it('looks the name of its guest up when it comes', async () => {
    const { add, names, net, tcp, counters } = setUp();
    await add('tcp 8080 -> web:80');
    const early = net.listeners[0]!.arrive(LOCAL);
    expect(early.isReset).toBe(true);
    expect(counters.get('forward-no-guest')).toBe(1);
    names.set('web', ip('10.0.2.80'));
    net.listeners[0]!.arrive(LOCAL);
    expect(tcp.last.remote).toEqual(endpoint('10.0.2.80', 80));
  });
});

describe('the forwards', () => {
  it('are listed as they were added, with the ports they got', async () => {
    const { add, forwards } = setUp();
    await add('tcp 0 -> web:80');
    await add('tcp *:8000-8002 -> web:9000 proxy=v2');
    await add('unix /run/x.sock -> web:22');
    expect(forwards.list()).toEqual([
      {
        id: '1',
        protocol: 'tcp',
        listen: '127.0.0.1:49152',
        guest: 'web:80',
        rule: 'tcp 127.0.0.1:49152 -> web:80',
        connections: 0,
      },
      {
        id: '2',
        protocol: 'tcp',
        listen: '0.0.0.0:8000-8002',
        guest: 'web:9000',
        rule: 'tcp 0.0.0.0:8000-8002 -> web:9000 proxy=v2',
        connections: 0,
      },
      {
        id: '3',
        protocol: 'unix',
        listen: '/run/x.sock',
        guest: 'web:22',
        rule: 'unix /run/x.sock -> web:22',
        connections: 0,
      },
    ]);
  });

  it('have a listener for each port of a range, which leads to the port that follows', async () => {
    const { add, net, tcp } = setUp();
    await add('tcp 8000-8002 -> 10.0.2.15:9000');
    expect(net.listeners).toHaveLength(3);
    net.listeners[2]!.arrive(LOCAL);
    expect(tcp.last.remote.port).toBe(9002);
  });

  it('have all ports of a range or none, and the error says which is taken', async () => {
    const { add, net, forwards } = setUp();
    await add('tcp 8002 -> web:80');
    await expect(add('tcp 8000-8003 -> web:80')).rejects.toThrow(/127\.0\.0\.1:8002 is taken/);
    expect(net.listeners).toHaveLength(1);
    expect(forwards.list()).toHaveLength(1);
  });

  it.each(['1', 'tcp 127.0.0.1:8080', 'tcp 127.0.0.1:8080 -> 10.0.2.15:80'])('are removed by %j', async (which) => {
    const { forwards, net, guest } = await arrived('tcp 8080 -> 10.0.2.15:80', LOCAL);
    guest.open();
    expect(forwards.remove('2')).toBe(false);
    expect(forwards.remove(which)).toBe(true);
    expect(net.listeners).toHaveLength(0);
    expect(forwards.list()).toEqual([]);
    expect(guest.isReset).toBe(false);
  });

  it('end together, and one that is being opened ends too', async () => {
    const { add, forwards, net } = setUp();
    await add('tcp 8000-8001 -> web:80');
    const late = add('tcp 9000 -> web:80');
    forwards.closeAll();
    await expect(late).rejects.toThrow(HostNetError);
    expect(net.listeners).toHaveLength(0);
    expect(forwards.list()).toEqual([]);
  });

  it('of UDP are opened by their own kind, port by port', async () => {
    const { add, udp, forwards } = setUp();
    const status = await add('udp 5000-5001 -> web:53 client=real');
    expect(status).toEqual({
      id: '1',
      protocol: 'udp',
      listen: '127.0.0.1:5000-5001',
      guest: 'web:53',
      rule: 'udp 127.0.0.1:5000-5001 -> web:53 client=real',
    });
    expect(udp.map(({ at, guestPort, showsClient }) => [at.port, guestPort, showsClient])).toEqual([
      [5000, 53, true],
      [5001, 54, true],
    ]);
    forwards.remove('1');
    expect(udp.every(({ isClosed }) => isClosed)).toBe(true);
  });
});

function setUp(takesTransit = true) {
  const tcp = new FakeTcpLayer();
  const net = new MemoryHostNet();
  const flows = new FlowTable();
  const counters = new Counters();
  const names = new Map<string, number>();
  const udp: (UdpForwardSpec & { isClosed: boolean })[] = [];
  const forwards = new HostForwards({
    stack: stackAt(parseIpv4Interface('10.0.2.2/24')!, tcp, takesTransit),
    net,
    resolve: (name) => names.get(name),
    flows,
    counters,
    openUdp: async (spec) => {
      const forward = { ...spec, isClosed: false };
      udp.push(forward);
      return { at: spec.at, close: () => Object.assign(forward, { isClosed: true }) };
    },
  });
  const add = (rule: string) => forwards.add(readForward(rule, [], [])!);
  return { tcp, net, flows, counters, names, udp, forwards, add };
}

/** A client that has come to a forward, and the connection that it waits for. */
async function arrived(rule: string, from: Endpoint | undefined) {
  const parts = setUp();
  await parts.add(rule);
  const client = parts.net.listeners[0]!.arrive(from);
  return { ...parts, client, guest: parts.tcp.last };
}

function endpoint(address: string, port: number): Endpoint {
  return { address: parseAddress(address)!, port };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

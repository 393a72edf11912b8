import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { ConnectFailure } from '../../src/base/host-net.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { TcpProxy } from '../../src/nat/tcp-proxy.ts';
import type { EgressConfig } from '../../src/policy/egress.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { LARGEST_SHARE } from '../../src/stack/tcp/send-budget.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { stackAt } from '../support/fake-stack.ts';
import { FakeTcpLayer } from '../support/fake-tcp-layer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { octets } from '../support/stack-peer.ts';

const GUEST = endpoint('10.0.2.15', 40_000);
const WORLD = endpoint('192.0.2.7', 80);
const GATEWAY = endpoint('10.0.2.2', 8000);

describe('a SYN to the world', () => {
  it('is answered when the host has connected, not before', () => {
    const proxy = setUp();
    const request = proxy.tcp.syn(GUEST, WORLD);
    expect(proxy.net.lastStream.origin).toEqual({
      kind: 'connect',
      to: { kind: 'tcp', endpoint: WORLD },
      source: undefined,
    });
    expect(request.answer).toBeUndefined();
    proxy.net.lastStream.open();
    expect(request.answer).toBe('syn-ack');
  });

  it.each<[ConnectFailure, string]>([
    ['refused', 'rst'],
    ['network-unreachable', 'unreachable: network'],
    ['host-unreachable', 'unreachable: host'],
    ['timeout', 'unreachable: host'],
    ['other', 'unreachable: host'],
    ['prohibited', 'unreachable: prohibited'],
  ])('whose connect ends with %s is answered with %s and counted', (failure, answer) => {
    const { tcp, net, flows, counters } = setUp();
    const request = tcp.syn(GUEST, WORLD);
    net.lastStream.fail(failure);
    expect(request.answer).toBe(answer);
    expect(counters.get(`tcp-connect-${failure}`)).toBe(1);
    expect(flows.size).toBe(0);
  });

  it('is held while the process has no descriptor left, and answered when it has one again', () => {
    const { tcp, net, scheduler } = setUp();
    const request = tcp.syn(GUEST, WORLD);
    net.lastStream.fail('no-descriptors');
    scheduler.advance(1000);
    expect(request.answer).toBeUndefined();
    expect(net.streams).toHaveLength(2);
    net.lastStream.open();
    expect(request.answer).toBe('syn-ack');
    expect(scheduler.pending).toBe(0);
  });

  it('is refused after ten seconds without a descriptor, and counted', () => {
    const { tcp, net, scheduler, counters, flows } = setUp();
    const request = tcp.syn(GUEST, WORLD);
    for (let passed = 0; passed < 10_000; passed += 250) {
      expect(request.answer).toBeUndefined();
      net.lastStream.fail('no-descriptors');
      scheduler.advance(250);
    }
    net.lastStream.fail('no-descriptors');
    expect(request.answer).toBe('rst');
    expect(counters.get('fd-limit')).toBe(1);
    expect(flows.size).toBe(0);
    expect(scheduler.pending).toBe(0);
  });

  it('that the guest gives up resets the host stream', () => {
    const { tcp, net, flows, counters } = setUp();
    tcp.syn(GUEST, WORLD).cancel();
    expect(net.lastStream.isReset).toBe(true);
    expect(counters.get('tcp-connect-cancelled')).toBe(1);
    expect(flows.size).toBe(0);
  });

  it('that the guest gives up while it waits for a descriptor waits no more', () => {
    const { tcp, net, scheduler } = setUp();
    const request = tcp.syn(GUEST, WORLD);
    net.lastStream.fail('no-descriptors');
    request.cancel();
    expect(scheduler.pending).toBe(0);
  });

  it('leaves from the source address that is configured, but not to the host itself', () => {
    const { tcp, net } = setUp({ hostAccess: 'all' }, octets('198.51.100.9'));
    tcp.syn(GUEST, WORLD);
    expect(net.lastStream.origin).toMatchObject({ source: octets('198.51.100.9') });
    tcp.syn(GUEST, GATEWAY);
    expect(net.lastStream.origin).toMatchObject({
      to: { endpoint: { address: octets('127.0.0.1'), port: 8000 } },
      source: undefined,
    });
  });

  it('beyond the number that is held gets no answer, so that the guest tries again', () => {
    const { tcp, counters, flows } = setUp();
    for (let i = 0; i < 4096; i++) tcp.syn(endpoint('10.0.2.15', i), WORLD);
    expect(tcp.syn(GUEST, WORLD).answer).toBe('nothing');
    expect(counters.get('tcp-opening-limit')).toBe(1);
    expect(flows.size).toBe(4096);
  });
});

describe('what the policy refuses', () => {
  it.each<[string, Endpoint, Partial<EgressConfig>]>([
    ['egress-restricted', WORLD, { isRestricted: true }],
    ['egress-metadata', endpoint('169.254.169.254', 80), {}],
    ['egress-no-host', endpoint('127.0.0.1', 80), {}],
    ['egress-host-closed', GATEWAY, {}],
  ])('gets RST and counts %s', (reason, to, config) => {
    const { tcp, net, counters } = setUp(config);
    expect(tcp.syn(GUEST, to).answer).toBe('rst');
    expect(counters.get(reason)).toBe(1);
    expect(net.streams).toHaveLength(0);
  });
});

describe('a flow', () => {
  it('carries octets both ways and counts them', () => {
    const { guest, stream, flow } = established();
    guest.feed('GET /');
    stream.feed('200 OK');
    expect(text(stream.written)).toBe('GET /');
    expect(guest.sent).toBe('200 OK');
    expect(flow).toMatchObject({
      protocol: 'tcp',
      initiator: 'guest',
      guest: GUEST,
      peer: WORLD,
      target: { kind: 'tcp', endpoint: WORLD },
      state: 'open',
      fromGuest: 5,
      toGuest: 6,
    });
  });

  it("opens the guest's window by what the kernel takes, and by no more", () => {
    const { guest, stream } = established();
    stream.room = 3;
    guest.feed('abcdefgh');
    expect(guest.credited).toBe(3);
    guest.feed('ij');
    expect(guest.credited).toBe(3);
    stream.take();
    expect(guest.credited).toBe(10);
    expect(text(stream.written)).toBe('abcdefghij');
  });

  it('pauses the host while much waits for the guest, and reads on when it has drained', () => {
    const { guest, stream, net } = established();
    stream.feed(new Uint8Array(LARGEST_SHARE));
    expect(stream.isPaused).toBe(false);
    stream.feed('x');
    expect(stream.isPaused).toBe(true);
    stream.feed('later');
    expect(guest.unacknowledged).toBe(LARGEST_SHARE + 1);
    guest.acknowledge();
    net.turn();
    expect(guest.unacknowledged).toBe(5);
  });

  it("goes on to the guest after the guest's end", () => {
    const { guest, stream, flow, flows, counters, net } = established();
    guest.feed('question');
    guest.end();
    net.turn();
    expect(stream.isFinished).toBe(true);
    expect(flow.state).toBe('closing');
    stream.feed('answer');
    stream.end();
    expect(guest.sent).toBe('answer');
    expect(guest.isFinished).toBe(true);
    expect(flows.size).toBe(1);
    guest.close('finished');
    expect(flows.size).toBe(0);
    expect(counters.get('tcp-finished')).toBe(1);
  });

  it("goes on to the host after the host's end", () => {
    const { guest, stream, flows, counters, net } = established();
    stream.feed('banner');
    stream.end();
    expect(guest.isFinished).toBe(true);
    guest.feed('still here');
    guest.end();
    guest.close('finished');
    expect(flows.size).toBe(1);
    net.turn();
    expect(text(stream.written)).toBe('still here');
    expect(flows.size).toBe(0);
    expect(counters.get('tcp-finished')).toBe(1);
  });

  it("finishes the host's direction behind what is queued", () => {
    const { guest, stream, net } = established();
    stream.room = 0;
    guest.feed('last words');
    guest.end();
    net.turn();
    expect(stream.isFinished).toBe(false);
    stream.take();
    expect(text(stream.written)).toBe('last words');
    expect(stream.isFinished).toBe(true);
  });

  it.each([
    ['reset', 'tcp-guest-reset'],
    ['timeout', 'tcp-guest-timeout'],
  ] as const)('whose guest ends with %s resets the host and counts %s', (how, cause) => {
    const { guest, stream, flows, counters } = established();
    guest.close(how);
    expect(stream.isReset).toBe(true);
    expect(counters.get(cause)).toBe(1);
    expect(flows.size).toBe(0);
  });

  it.each([
    ['reset', 'tcp-host-reset'],
    ['broken', 'tcp-host-broken'],
  ] as const)('whose host ends with %s resets the guest and counts %s', (how, cause) => {
    const { guest, stream, flows, counters } = established();
    stream.feed('half');
    stream.breakOff(how);
    expect(guest.isReset).toBe(true);
    expect(counters.get(cause)).toBe(1);
    expect(flows.size).toBe(0);
  });

  it('whose host was reset behind its end still delivers all of it', () => {
    const { guest, stream, flows, counters } = established();
    stream.feed('all of it');
    stream.end();
    stream.breakOff('reset');
    expect(guest.isReset).toBe(false);
    guest.feed('into the void');
    expect(guest.isReset).toBe(false);
    expect(guest.credited).toBe(13);
    guest.acknowledge();
    guest.feed('more');
    expect(guest.isReset).toBe(true);
    expect(counters.get('tcp-host-reset')).toBe(1);
    expect(flows.size).toBe(0);
  });

  it('that is closed is reset on both sides', () => {
    const { guest, stream, flow, flows, counters } = established();
    flow.close();
    expect([guest.isReset, stream.isReset, flows.size]).toEqual([true, true, 0]);
    expect(counters.get('tcp-closed')).toBe(1);
  });

  it('is one of a table that holds no more than a bounded number', () => {
    const { tcp, flows, counters } = setUp();
    const { flow } = established();
    for (let i = 0; i < 65_536; i++) flows.add({ ...flow, close: () => undefined });
    expect(tcp.syn(GUEST, WORLD).answer).toBe('rst');
    expect(counters.get('tcp-flow-limit')).toBe(1);
  });
});

describe('the end of the gateway', () => {
  it('resets guests, hosts and SYNs that are held', () => {
    const { proxy, tcp, guest, stream, net, flows } = established();
    const held = tcp.syn(endpoint('10.0.2.15', 40_001), WORLD);
    proxy.stop();
    expect([guest.isReset, stream.isReset, net.lastStream.isReset]).toEqual([true, true, true]);
    expect(held.answer).toBe('rst');
    expect(flows.size).toBe(0);
    expect(tcp.wasReset).toBe(true);
    expect(tcp.syn(GUEST, WORLD).answer).toBe('rst');
    expect(net.streams).toHaveLength(2);
  });
});

function setUp(config: Partial<EgressConfig> = {}, source?: Uint8Array) {
  const tcp = new FakeTcpLayer();
  const net = new MemoryHostNet();
  const flows = new FlowTable();
  const counters = new Counters();
  const scheduler = new ManualScheduler();
  const policy = new EgressPolicy({
    isRestricted: false,
    hostAccess: [],
    allowsMetadata: false,
    gateway: parseIpv4Interface('10.0.2.2/24')!,
    ...config,
  });
  const proxy = new TcpProxy({
    stack: stackAt(parseIpv4Interface('10.0.2.2/24')!, tcp),
    net,
    policy,
    flows,
    counters,
    scheduler,
    sources: source && [source],
  });
  proxy.start();
  return { proxy, tcp, net, flows, counters, scheduler };
}

/** A flow that is open on both sides. */
function established() {
  const parts = setUp();
  const request = parts.tcp.syn(GUEST, WORLD);
  const stream = parts.net.lastStream;
  stream.open();
  const guest = request.connection!;
  guest.open();
  return { ...parts, stream, guest, flow: [...parts.flows][0]! };
}

function endpoint(address: string, port: number): Endpoint {
  return { address: octets(address), port };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import type { GuestForward } from '../../src/nat/forward-spec.ts';
import { GuestForwards } from '../../src/nat/guest-forwards.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { stackAt } from '../support/fake-stack.ts';
import { FakeTcpLayer } from '../support/fake-tcp-layer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { ip, octets } from '../support/stack-peer.ts';

const GUEST = endpoint('10.0.2.15', 40_000);
const SERVICE = endpoint('10.0.2.100', 1234);
const WEB = endpoint('127.0.0.1', 8080);

describe('a guest that calls a forward', () => {
  it.each<[GuestForward['to'], object]>([
    [
      { kind: 'tcp', endpoint: WEB },
      { kind: 'connect', to: { kind: 'tcp', endpoint: WEB } },
    ],
    [
      { kind: 'unix', path: '/run/x.sock' },
      { kind: 'connect', to: { kind: 'unix', path: '/run/x.sock' } },
    ],
    [
      { kind: 'command', command: 'cat' },
      { kind: 'run', command: 'cat' },
    ],
  ])('reaches %o', (to, origin) => {
    const { tcp, net } = setUp(to);
    const request = tcp.syn(GUEST, SERVICE);
    expect(net.lastStream.origin).toMatchObject(origin);
    net.lastStream.open();
    request.connection!.open();
    request.connection!.feed('hello');
    net.lastStream.feed('world');
    expect(Buffer.from(net.lastStream.written).toString()).toBe('hello');
    expect(request.connection!.sent).toBe('world');
  });

  it('has its own command, which is a flow by its text', () => {
    const { tcp, net, flows } = setUp({ kind: 'command', command: 'cat' });
    tcp.syn(GUEST, SERVICE);
    tcp.syn(endpoint('10.0.2.15', 40_001), SERVICE);
    expect(net.streams).toHaveLength(2);
    expect([...flows].map(({ target, peer }) => [target, peer])).toEqual([
      ['cat', SERVICE],
      ['cat', SERVICE],
    ]);
  });

  it.each(['refused', 'no-such-file'] as const)('is refused where the socket is not there (%s)', (why) => {
    const { tcp, net, counters } = setUp({ kind: 'unix', path: '/run/x.sock' });
    const request = tcp.syn(GUEST, SERVICE);
    net.lastStream.fail(why);
    expect(request.answer).toBe('rst');
    expect(counters.get(`tcp-connect-${why}`)).toBe(1);
  });

  it('is refused after the end', () => {
    const { tcp, forwards, net } = setUp({ kind: 'command', command: 'cat' });
    forwards.stop();
    expect(tcp.syn(GUEST, SERVICE).answer).toBe('rst');
    expect(net.streams).toHaveLength(0);
  });
});

function setUp(to: GuestForward['to']) {
  const tcp = new FakeTcpLayer();
  const net = new MemoryHostNet();
  const flows = new FlowTable();
  const counters = new Counters();
  const forwards = new GuestForwards({
    stack: stackAt(parseIpv4Interface('10.0.2.2/24')!, tcp),
    net,
    flows,
    counters,
    scheduler: new ManualScheduler(),
    forwards: [{ address: ip('10.0.2.100'), port: 1234, to }],
  });
  forwards.start();
  return { tcp, net, flows, counters, forwards };
}

function endpoint(address: string, port: number): Endpoint {
  return { address: octets(address), port };
}

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import { Hub } from '../../src/lan/hub.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import { readForward } from '../../src/nat/forward-text.ts';
import { GuestForwards } from '../../src/nat/guest-forwards.ts';
import { HostForwards } from '../../src/nat/host-forwards.ts';
import { TcpProxy } from '../../src/nat/tcp-proxy.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { Stack } from '../../src/stack/stack.ts';
import { A, B } from '../support/frames.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import type { MemoryStream } from '../support/memory-stream.ts';
import { endpoint } from '../support/nat-wire.ts';
import { EXTRA, OURS, octets, PEER } from '../support/stack-peer.ts';
import { Ear, stream } from '../support/tcp-link.ts';

const WORLD = endpoint('192.0.2.7', 80);
const CLIENT = endpoint('198.51.100.7', 50_000);
const MEBIBYTE = 1024 * 1024;

describe('a guest that talks with the world', () => {
  it('sends every octet through a kernel that takes few at a time, and its window closes meanwhile', () => {
    const lab = new Lab();
    const { ear, host } = lab.connected();
    const sent = stream(MEBIBYTE);
    host.room = 0;
    ear.connection!.send(sent);
    ear.connection!.finish();
    lab.pass(1000);
    const waiting = ear.connection!.unacknowledged;
    expect(waiting).toBeGreaterThan(0);
    lab.pass(60_000);
    expect(ear.connection!.unacknowledged).toBe(waiting);
    lab.until(
      () => host.isFinished,
      () => host.take(3000),
    );
    expect(Buffer.compare(host.written, sent)).toBe(0);
  });

  it('sends every octet when it begins in the moment of the answer', () => {
    const lab = new Lab();
    const sent = stream(MEBIBYTE);
    const ear = lab.connect();
    ear.onOpened = () => ear.connection!.send(sent);
    lab.pass(1);
    const host = lab.net.lastStream;
    host.open();
    lab.until(() => host.written.length === sent.length);
    expect(Buffer.compare(host.written, sent)).toBe(0);
  });

  it('receives every octet, and the host is paused while the guest does not read', () => {
    const lab = new Lab();
    const { ear, host } = lab.connected();
    const sent = stream(4 * MEBIBYTE);
    ear.isSlow = true;
    for (let at = 0; at < sent.length; at += 65_536) host.feed(sent.subarray(at, at + 65_536));
    host.end();
    lab.pass(1000);
    expect(host.isPaused).toBe(true);
    const heard = ear.octets;
    lab.pass(60_000);
    expect(ear.octets).toBe(heard);
    ear.isSlow = false;
    ear.connection!.consumed(heard);
    lab.until(() => ear.said.includes('ended'));
    expect(Buffer.compare(ear.bytes, sent)).toBe(0);
  });

  it('finishes first and hears the answer, then both are over', () => {
    const lab = new Lab();
    const { ear, host } = lab.connected();
    ear.connection!.send(text('question'));
    ear.connection!.finish();
    lab.until(() => host.isFinished);
    host.feed('answer');
    host.end();
    lab.until(() => ear.end !== undefined);
    expect([string(host.written), string(ear.bytes), ear.end]).toEqual(['question', 'answer', 'finished']);
    lab.until(() => lab.flows.size === 0);
    expect(lab.counters.toRecord()).toEqual({ 'tcp-finished': 1 });
  });

  it('goes on when the host has finished first', () => {
    const lab = new Lab();
    const { ear, host } = lab.connected();
    host.feed('banner');
    host.end();
    lab.until(() => ear.said.includes('ended'));
    ear.connection!.send(text('and yet'));
    lab.until(() => string(host.written) === 'and yet');
    ear.connection!.finish();
    lab.until(() => lab.flows.size === 0);
    expect([ear.end, host.closedAs]).toEqual(['finished', 'finished']);
  });

  it('is reset by the host, and resets it', () => {
    const lab = new Lab();
    const first = lab.connected();
    first.host.breakOff();
    lab.pass(10);
    expect(first.ear.end).toBe('reset');
    const second = lab.connected();
    second.ear.connection!.reset();
    lab.pass(10);
    expect(second.host.isReset).toBe(true);
    expect(lab.flows.size).toBe(0);
  });

  it.each([
    ['refused', 'refused'],
    ['host-unreachable', 'unreachable'],
    ['network-unreachable', 'unreachable'],
    ['prohibited', 'unreachable'],
  ] as const)('is told that its connect is %s', (failure, heard) => {
    const lab = new Lab();
    const ear = lab.connect();
    lab.pass(10);
    lab.net.lastStream.fail(failure);
    lab.pass(10);
    expect(ear.said).toEqual([heard]);
    expect(lab.flows.size).toBe(0);
  });

  it('hears nothing while the host waits, however often it asks, and one connect serves all', () => {
    const lab = new Lab();
    const ear = lab.connect();
    lab.pass(10_000);
    expect(ear.said).toEqual([]);
    expect(lab.net.streams).toHaveLength(1);
    lab.net.lastStream.open();
    lab.pass(10_000);
    expect(ear.said).toEqual(['opened']);
  });

  it('hears at once that the network ends', () => {
    const lab = new Lab();
    const { ear, host } = lab.connected();
    lab.proxy.stop();
    lab.pass(10);
    expect([ear.end, host.isReset, lab.flows.size]).toEqual(['reset', true, 0]);
  });

  it('has a thousand connections, of which nothing is left afterwards', () => {
    const lab = new Lab();
    const all = Array.from({ length: 1000 }, () => lab.connected());
    expect(lab.flows.size).toBe(1000);
    for (const { ear, host } of all) {
      ear.connection!.send(text('ping'));
      host.feed('pong');
      host.end();
      ear.connection!.finish();
    }
    lab.until(() => lab.flows.size === 0);
    expect(all.every(({ ear, host }) => string(ear.bytes) === 'pong' && string(host.written) === 'ping')).toBe(true);
    expect(lab.counters.toRecord()).toEqual({ 'tcp-finished': 1000 });
    lab.pass(300_000, 1000);
    expect([lab.gateway.tcp.size, lab.guest.tcp.size, lab.scheduler.pending]).toEqual([0, 0, lab.timersAtRest]);
  });
});

describe('a client of the host that talks with a guest', () => {
  it('reaches its server, both directions end, and nothing is left', async () => {
    const lab = new Lab();
    const server = lab.serve(22);
    const client = await lab.client('tcp 2222 -> 10.0.0.2:22', endpoint('127.0.0.1', 50_000));
    client.feed('hello');
    client.end();
    lab.until(() => server.said.includes('ended'));
    expect(string(server.bytes)).toBe('hello');
    expect(server.connection!.remote.address).toEqual(octets('10.0.0.1'));
    server.connection!.send(text('welcome'));
    server.connection!.finish();
    lab.until(() => lab.flows.size === 0);
    expect(string(client.written)).toBe('welcome');
    expect(client.closedAs).toBe('finished');
  });

  it('has its own address where that is wanted, and gets the answers', async () => {
    const lab = new Lab();
    const server = lab.serve(22);
    const client = await lab.client('tcp *:2222 -> 10.0.0.2:22 client=real', CLIENT);
    lab.until(() => server.connection !== undefined);
    expect(server.connection!.remote).toEqual(CLIENT);
    server.connection!.send(text('welcome'));
    lab.until(() => string(client.written) === 'welcome');
  });

  it('is introduced to a guest that answers at once', async () => {
    const lab = new Lab();
    lab.connect().connection!.reset(); // the MACs are known now
    const server = lab.serve(22);
    const client = await lab.client('tcp 2222 -> 10.0.0.2:22 proxy=v1', CLIENT);
    client.feed('hello');
    lab.until(() => string(server.bytes) === 'PROXY TCP4 198.51.100.7 127.0.0.1 50000 2222\r\nhello');
  });

  it('is reset where the guest refuses', async () => {
    const lab = new Lab();
    const client = await lab.client('tcp 2222 -> 10.0.0.2:23', CLIENT);
    lab.until(() => client.isReset);
    expect(lab.counters.toRecord()).toEqual({ 'forward-guest-refused': 1 });
  });

  it('is reset where nobody has the address', async () => {
    const lab = new Lab();
    const client = await lab.client('tcp 2222 -> 10.0.0.99:22', CLIENT);
    lab.until(() => client.isReset);
    expect(lab.counters.toRecord()).toEqual({ 'forward-guest-unreachable': 1 });
    expect(lab.flows.size).toBe(0);
  });
});

describe('a guest that calls a guestfwd', () => {
  it('has the command of the host behind an address of the network', () => {
    const lab = new Lab();
    const forwards = new GuestForwards({
      stack: lab.gateway,
      net: lab.net,
      flows: lab.flows,
      counters: lab.counters,
      scheduler: lab.scheduler,
      forwards: [{ address: EXTRA, port: 7, to: { kind: 'command', command: 'cat' } }],
    });
    forwards.start();
    const ear = lab.connect(endpoint('10.0.0.3', 7));
    lab.pass(10);
    expect(lab.net.lastStream.origin).toEqual({ kind: 'run', command: 'cat' });
    lab.net.lastStream.open();
    lab.net.lastStream.feed('meow');
    lab.until(() => string(ear.bytes) === 'meow');
  });
});

/** A guest, 10.0.0.2, and a gateway, 10.0.0.1, that leads to a host's network in memory. */
class Lab {
  readonly scheduler = new ManualScheduler();
  readonly net = new MemoryHostNet();
  readonly flows = new FlowTable();
  readonly counters = new Counters();
  readonly gateway = this.#stack(A, true, 1);
  readonly guest = this.#stack(B, false, 2);
  readonly proxy: TcpProxy;
  readonly forwards: HostForwards;
  /** Timers that wait although nothing happens. */
  readonly timersAtRest: number;

  constructor() {
    const { gateway, net, flows, counters, scheduler } = this;
    const hub = new Hub(gateway);
    hub.plug(gateway);
    hub.plug(this.guest);
    const own = { address: OURS, prefixLength: 24 };
    gateway.configure({ interface: own, extra: [EXTRA] });
    this.guest.configure({ interface: { address: PEER, prefixLength: 24 }, defaultRoute: OURS });
    const policy = new EgressPolicy({ isRestricted: false, hostAccess: [], allowsMetadata: false, gateway: own });
    this.proxy = new TcpProxy({ stack: gateway, net, policy, flows, counters, scheduler });
    this.proxy.start();
    this.forwards = new HostForwards({
      stack: gateway,
      net,
      resolve: () => undefined,
      flows,
      counters,
      openUdp: () => Promise.reject(new Error('there is no UDP here')),
    });
    this.timersAtRest = scheduler.pending;
  }

  /** The guest asks for a connection. */
  connect(to = WORLD): Ear {
    const ear = new Ear();
    ear.connection = this.guest.tcp.connect({ address: octets('10.0.0.2'), port: 0 }, to, ear);
    return ear;
  }

  /** A connection of the guest and the host stream that belongs to it. */
  connected(): { readonly ear: Ear; readonly host: MemoryStream } {
    const ear = this.connect();
    this.pass(1);
    const host = this.net.lastStream;
    host.open();
    this.pass(1);
    expect(ear.said).toEqual(['opened']);
    return { ear, host };
  }

  /** A server on the guest. */
  serve(port: number): Ear {
    const ear = new Ear();
    this.guest.tcp.listen(port, (request) => {
      ear.connection = request.accept(ear);
    });
    return ear;
  }

  /** A client of a forward on the host. */
  async client(rule: string, from: typeof CLIENT): Promise<MemoryStream> {
    await this.forwards.add(readForward(rule, [], [])!);
    return this.net.listeners.at(-1)!.arrive(from);
  }

  pass(millis: number, step = millis): void {
    for (let passed = 0; passed < millis; passed += step) {
      this.net.turn();
      this.scheduler.advance(step);
    }
    this.net.turn();
  }

  /** Lets time pass until it is so, ten minutes at most. */
  until(isTrue: () => boolean, meanwhile: () => void = () => undefined): void {
    const end = this.scheduler.now() + 600_000;
    while (!isTrue() && this.scheduler.now() < end) {
      meanwhile();
      this.pass(10);
    }
    expect(isTrue()).toBe(true);
  }

  #stack(mac: number, takesTransit: boolean, seed: number): Stack {
    return new Stack({ mac, mtu: 1500, scheduler: this.scheduler, random: new SeededRandom(seed), takesTransit });
  }
}

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of);
}

function string(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostDatagramEvents, HostListener, HostNet, HostStream, StreamTarget } from '../../src/base/host-net.ts';
import { Loan } from '../../src/base/loan.ts';
import { HeardStream } from '../support/heard-stream.ts';

const LOOPBACK = new Uint8Array([127, 0, 0, 1]);
const FREE_PORT: StreamTarget = { kind: 'tcp', endpoint: { address: LOOPBACK, port: 0 } };

export interface HostNetUnderTest {
  readonly net: HostNet;
  /** Waits for what the network does. */
  until(isTrue: () => boolean): Promise<void>;
  /** Lets a while pass in which what should not happen could have. */
  rest(): Promise<void>;
  /** A path where no unix socket is. */
  unixPath(): string;
}

/** What every host network does. */
export function hostNetContract(name: string, make: () => HostNetUnderTest): void {
  describe(`${name} as a host's network`, () => {
    const listeners: HostListener[] = [];
    const streams: HostStream[] = [];
    afterEach(async () => {
      for (const stream of streams.splice(0)) stream.reset();
      for (const listener of listeners.splice(0)) await listener.close();
    });

    /** Both ends of a stream, the accepted one still paused. */
    async function pair({ net, until }: HostNetUnderTest, at: StreamTarget = FREE_PORT) {
      const far = new HeardStream();
      const near = new HeardStream();
      let accepted: HostStream | undefined;
      const listener = await net.listen(at, (stream) => {
        accepted = stream;
        return far.events;
      });
      const client = net.connect(listener.at, near.events);
      listeners.push(listener);
      streams.push(client);
      await until(() => accepted !== undefined && near.log.includes('opened'));
      streams.push(accepted!);
      return { client, near, server: accepted!, far, listener };
    }

    it.each(['tcp', 'unix'] as const)('carries octets both ways over %s', async (kind) => {
      const world = make();
      const at: StreamTarget = kind === 'tcp' ? FREE_PORT : { kind: 'unix', path: world.unixPath() };
      const { client, near, server, far } = await pair(world, at);
      server.resume();
      client.write(octets('there'));
      server.write(octets('back'));
      await world.until(() => far.text === 'there' && near.text === 'back');
      expect(near.log[0]).toBe('opened');
    });

    it('lends octets that slice copies', async () => {
      const world = make();
      const { client, near, server } = await pair(world);
      server.write(octets('abc'));
      await world.until(() => near.text === 'abc');
      expect(near.isPlain).toBe(true);
      client.reset();
    });

    it('says the port that it was given and who comes', async () => {
      const world = make();
      let from: Endpoint | undefined;
      const listener = await world.net.listen(FREE_PORT, (stream, client) => {
        streams.push(stream);
        from = client;
        return new HeardStream().events;
      });
      listeners.push(listener);
      expect(listener.at.kind === 'tcp' && listener.at.endpoint.port).toBeGreaterThan(0);
      streams.push(world.net.connect(listener.at, new HeardStream().events));
      await world.until(() => from !== undefined);
      expect([...from!.address]).toEqual([...LOOPBACK]);
      expect(from!.port).toBeGreaterThan(0);
    });

    it('tells nothing before the call that makes a stream has returned', async () => {
      const world = make();
      const { listener } = await pair(world);
      const near = new HeardStream();
      streams.push(world.net.connect(listener.at, near.events));
      expect(near.log).toEqual([]);
    });

    it('keeps octets and end from a paused stream until it is resumed', async () => {
      const world = make();
      const { client, near, server } = await pair(world);
      client.pause();
      server.write(octets('abc'));
      server.finish();
      await world.rest();
      expect(near.log).toEqual(['opened']);
      client.resume();
      await world.until(() => near.log.includes('ended'));
      expect(near.log).toEqual(['opened', 'received', 'ended']);
      expect(near.text).toBe('abc');
    });

    it('lets an accepted stream begin paused', async () => {
      const world = make();
      const { client, server, far } = await pair(world);
      client.write(octets('abc'));
      await world.rest();
      expect(far.log).toEqual([]);
      server.resume();
      await world.until(() => far.text === 'abc');
    });

    it('may be resumed by who is told of it', async () => {
      const world = make();
      const far = new HeardStream();
      const listener = await world.net.listen(FREE_PORT, (stream) => {
        streams.push(stream);
        stream.resume();
        return far.events;
      });
      listeners.push(listener);
      const client = world.net.connect(listener.at, new HeardStream().events);
      streams.push(client);
      client.write(octets('abc'));
      await world.until(() => far.text === 'abc');
    });

    it.each(['tcp', 'unix'] as const)('half-closes over %s: the other direction goes on', async (kind) => {
      const world = make();
      const at: StreamTarget = kind === 'tcp' ? FREE_PORT : { kind: 'unix', path: world.unixPath() };
      const { client, near, server, far } = await pair(world, at);
      server.resume();
      client.finish();
      await world.until(() => far.log.includes('ended'));
      server.write(octets('late'));
      await world.until(() => near.text === 'late');
      server.finish();
      await world.until(() => near.log.includes('closed finished') && far.log.includes('closed finished'));
      expect(far.log).toEqual(['ended', 'closed finished']);
    });

    it('tells the other end of a reset, and the one who resets nothing', async () => {
      const world = make();
      const { client, near, server, far } = await pair(world);
      server.resume();
      client.reset();
      await world.until(() => far.log.includes('closed reset'));
      expect(near.log).toEqual(['opened']);
    });

    it('takes what is written before it has opened', async () => {
      const world = make();
      const { listener } = await pair(world);
      const early = world.net.connect(listener.at, new HeardStream().events);
      streams.push(early);
      early.write(octets('early'));
      expect(early.queued).toBe(5);
      await world.until(() => early.queued === 0);
    });

    it('releases every loan once all is written, and says so when something was queued', async () => {
      const world = make();
      const { listener } = await pair(world);
      const near = new HeardStream();
      const early = world.net.connect(listener.at, near.events);
      streams.push(early);
      const big = octets('a'.repeat(20_000));
      const loan = new Loan(big);
      const lender = {
        retain: () => {
          loan.extend();
          return loan;
        },
      };
      early.write(big, lender);
      early.write(big, lender);
      let isBack = false;
      loan.reclaim(() => {
        isBack = true;
      });
      expect(isBack).toBe(false);
      await world.until(() => isBack && near.log.includes('drained'));
      expect(early.queued).toBe(0);
    });

    it('gives the loans back when a stream is reset', async () => {
      const world = make();
      const { listener } = await pair(world);
      const early = world.net.connect(listener.at, new HeardStream().events);
      const loan = new Loan(octets('abc'));
      loan.extend();
      early.write(octets('abc'), { retain: () => loan });
      early.reset();
      let isBack = false;
      loan.reclaim(() => {
        isBack = true;
      });
      await world.until(() => isBack);
    });

    it('refuses to listen where somebody listens', async () => {
      const world = make();
      const { listener } = await pair(world);
      const second = world.net.listen(listener.at, () => new HeardStream().events);
      await expect(second).rejects.toMatchObject({ name: 'HostNetError', code: 'address-in-use' });
    });

    it('takes no clients after a listener is closed, and keeps those that came', async () => {
      const world = make();
      const { client, server, far, listener } = await pair(world);
      await listeners.pop()!.close();
      const again = await world.net.listen(listener.at, () => new HeardStream().events);
      listeners.push(again);
      server.resume();
      client.write(octets('still'));
      await world.until(() => far.text === 'still');
    });

    it('carries datagrams both ways, empty ones and the longest', async () => {
      const world = make();
      const server = new Datagrams();
      const client = new Datagrams();
      const bound = await world.net.bind({ address: LOOPBACK, port: 0 }, server.events);
      const socket = world.net.socket(4, client.events);
      const longest = new Uint8Array(65_507).map((_, i) => i);
      for (const bytes of [octets('abc'), new Uint8Array(0), longest])
        expect(socket.send(bytes, bound.local!)).toBe(true);
      await world.until(() => server.heard.length === 3);
      expect(server.heard.map(({ bytes }) => bytes.length)).toEqual([3, 0, 65_507]);
      expect(server.heard[2]!.bytes.every((octet, i) => octet === (i & 0xff))).toBe(true);
      expect(server.heard[0]!.from.port).toBe(socket.local!.port);
      bound.send(longest, { address: LOOPBACK, port: server.heard[0]!.from.port });
      await world.until(() => client.heard.length === 1);
      expect(client.heard[0]!.from).toEqual(bound.local);
      expect(socket.send(new Uint8Array(65_508), bound.local!)).toBe(false);
      bound.close();
      socket.close();
    });

    it('copies a datagram before send returns', async () => {
      const world = make();
      const server = new Datagrams();
      const bound = await world.net.bind({ address: LOOPBACK, port: 0 }, server.events);
      const socket = world.net.socket(4, new Datagrams().events, { source: LOOPBACK });
      const bytes = octets('abc');
      socket.send(bytes, bound.local!);
      bytes.fill(0);
      await world.until(() => server.heard.length === 1);
      expect(server.heard[0]!.bytes).toEqual(octets('abc'));
      bound.close();
      socket.close();
    });

    it('refuses to bind where somebody is bound, and hears nothing once closed', async () => {
      const world = make();
      const server = new Datagrams();
      const bound = await world.net.bind({ address: LOOPBACK, port: 0 }, server.events);
      const second = world.net.bind(bound.local!, new Datagrams().events);
      await expect(second).rejects.toMatchObject({ name: 'HostNetError', code: 'address-in-use' });
      const socket = world.net.socket(4, new Datagrams().events);
      socket.send(octets('abc'), bound.local!);
      bound.close();
      await world.rest();
      expect(server.heard).toEqual([]);
      socket.close();
    });
  });
}

/** What a socket heard. */
class Datagrams {
  readonly heard: { readonly bytes: Uint8Array; readonly from: Endpoint }[] = [];
  readonly events: HostDatagramEvents = {
    received: (bytes, from) => this.heard.push({ bytes: Uint8Array.from(bytes), from }),
    refused: () => undefined,
  };
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

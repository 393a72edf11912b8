import { readdirSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostDatagramSocket, HostNet } from '../../src/base/host-net.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { loadSystemCalls } from '../../src/host/system-calls.ts';
import { Hub } from '../../src/lan/hub.ts';
import { countDrops } from '../../src/link/drops.ts';
import { Stack } from '../../src/stack/stack.ts';
import { queryOf } from '../support/dns-peer.ts';
import { C } from '../support/frames.ts';
import { CONFIG, GATEWAY, NAMES, SHARE, WORLD } from '../support/gateway-wire.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryTree } from '../support/memory-files.ts';
import { below, noisy } from '../support/noise.ts';
import { ip, octets, pattern } from '../support/stack-peer.ts';
import { Ear } from '../support/tcp-link.ts';
import { waitFor } from '../support/wait-for.ts';

const ROUNDS = 100;
const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** The host's network, of which every address is the echo server on loopback. */
function onlyLoopback(net: HostNet, server: Endpoint): HostNet {
  return {
    connect: (_to, events) => net.connect({ kind: 'tcp', endpoint: server }, events),
    listen: (at, onStream) => net.listen(at, onStream),
    bind: (at, events) => net.bind(at, events),
    socket: (family, events): HostDatagramSocket => {
      const socket: HostDatagramSocket = net.socket(family, events);
      return { ...bound(socket), send: (bytes, _to, options) => socket.send(bytes, server, options) };
    },
    echo: (family, events) => {
      const echo = net.echo(family, events);
      return {
        send: (_to, sequence, payload, ttl) => echo.send(octets('127.0.0.1'), sequence, payload, ttl),
        close: () => echo.close(),
      };
    },
    run: (_command, events) => net.run('cat', events),
  };
}

function bound(socket: HostDatagramSocket): Omit<HostDatagramSocket, 'send'> {
  return { local: undefined, close: () => socket.close() };
}

async function echoServer(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

it.each<[string, typeof loadSystemCalls]>([
  ['system calls', loadSystemCalls],
  ['plain sockets', () => undefined],
])(
  'the host’s own network, by %s, bears a machine whose cable changes its frames, and gets everything back',
  async (_how, load) => {
    const before = openFiles();
    const server = await echoServer();
    const { port } = server.address() as AddressInfo;
    const random = new SeededRandom(5);
    const scheduler = new ManualScheduler();
    const net = onlyLoopback(new NodeHostNet(load, undefined), { address: octets('127.0.0.1'), port });
    const gateway = new Gateway(
      {
        ...CONFIG,
        hostForwards: [],
        tftp: new MemoryTree({}),
        nat: { isRestricted: false, hostAccess: 'all', allowsMetadata: false },
      },
      {
        scheduler,
        wallClock: scheduler,
        random: new SeededRandom(1),
        net,
        resolvers: { servers: () => [{ address: octets('127.0.0.1'), port }] },
        log: () => undefined,
      },
    );
    const lan = new Hub(countDrops(new Counters()));
    lan.plug(gateway.port);
    await gateway.start();
    const stack = new Stack({ mac: C, mtu: 1500, scheduler, random: new SeededRandom(2) });
    stack.configure({ interface: { address: ip('10.0.2.16'), prefixLength: 24 }, defaultRoute: GATEWAY });
    lan.plug(noisy(stack, random, () => 0.2));
    const socket = stack.udp.open(0, () => undefined);
    const ears: Ear[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ear = new Ear();
      const to = [WORLD, GATEWAY, SHARE, NAMES][below(random, 4)]!;
      const endpoint = { address: octetsOf(to), port: [80, 445, 446, 53][below(random, 4)]! };
      ear.connection = stack.tcp.connect({ address: octets('10.0.2.16'), port: 0 }, endpoint, ear);
      ear.connection.send(pattern(below(random, 60_000)));
      if (random.next() < 0.3) ear.connection.finish();
      if (random.next() < 0.3) ears[below(random, ears.length)]?.connection?.reset();
      ears.push(ear);
      socket.send(endpoint, pattern(below(random, 9000)));
      socket.send({ address: octetsOf(NAMES), port: 53 }, queryOf(`n${round}.example`, 'A', { id: round }));
      stack.ping(to, { timeout: 1000 }, () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      scheduler.advance(50);
    }
    await waitFor(() => {
      scheduler.advance(50);
      return ears.some(({ octets: heard }) => heard > 10_000);
    });
    await gateway.stop();
    expect([...gateway.flows]).toEqual([]);
    server.close();
    await waitFor(() => openFiles() <= before);
  },
);

function octetsOf(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

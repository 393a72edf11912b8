/** What the machines of the soak do: each of these runs until `end`, and tells how often it did it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { nodeRandom, nodeScheduler } from '../../src/host/clock.ts';
import { StreamPort } from '../../src/host/stream-port.ts';
import { countDrops } from '../../src/link/drops.ts';
import type { Port } from '../../src/link/port.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { TcpConnection, TcpEvents } from '../../src/stack/tcp-layer.ts';
import { Station } from '../../src/station/station.ts';
import { ipv4Octets, parseIpv4 } from '../../src/wire/ipv4-address.ts';

const GATEWAY = parseIpv4('10.0.2.2')!;
const MAC = 0x5254_0050_a000;
const MTU = 1500;
const CHUNK = new Uint8Array(64 * 1024).fill(0x5a);
const QUESTION = new Uint8Array(64).fill(0x3f);
const DATAGRAM_PORT = 4000;

export interface Guest {
  readonly stack: Stack;
  readonly address: Uint8Array;
}

/** A machine with an address of its own, 10.0.2.(100 + number). */
export async function plugInGuest(path: string, number: number): Promise<Guest> {
  const stack = new Stack({ mac: MAC + number, mtu: MTU, scheduler: nodeScheduler, random: nodeRandom });
  const address = parseIpv4(`10.0.2.${100 + number}`)!;
  stack.configure({ interface: { address, prefixLength: 24 }, defaultRoute: GATEWAY });
  await plugIn(path, stack);
  return { stack, address: ipv4Octets(address) };
}

/** Plugs the machine in; the function pulls its plug. */
async function plugIn(path: string, machine: Port): Promise<() => void> {
  const socket = connect(path);
  await once(socket, 'connect');
  const port = new StreamPort(socket, countDrops(new Counters()), () => undefined);
  port.attach(machine);
  machine.attach(port);
  return () => port.close();
}

/** Octets, in MiB, that went to an echo server and came back on one connection. */
export async function moveOctets(guest: Guest, to: Endpoint, end: number): Promise<number> {
  let octets = 0;
  await new Promise<void>((resolve, reject) => {
    const fill = () => {
      if (performance.now() >= end) connection.finish();
      else while (!connection.isFull) connection.send(CHUNK);
    };
    const connection = dial(guest, to, reject, {
      opened: fill,
      drained: fill,
      ended: resolve,
      received: (bytes) => {
        octets += bytes.length;
        connection.consumed(bytes.length);
      },
    });
  });
  return octets / 2 ** 20;
}

/** Connections of one question, its echo, and the end; one every 10 ms. */
export async function makeCalls(guest: Guest, to: Endpoint, end: number): Promise<number> {
  let calls = 0;
  for (; performance.now() < end; calls++) {
    await new Promise<void>((resolve, reject) => {
      const connection = dial(guest, to, reject, {
        opened: () => connection.send(QUESTION),
        ended: resolve,
        received: (bytes) => {
          connection.consumed(bytes.length);
          connection.finish();
        },
      });
    });
    await rest(10);
  }
  return calls;
}

function dial(guest: Guest, to: Endpoint, reject: (error: Error) => void, events: Partial<TcpEvents>): TcpConnection {
  const nothing = () => undefined;
  return guest.stack.tcp.connect({ address: guest.address, port: 0 }, to, {
    ...{ opened: nothing, received: nothing, ended: nothing, drained: nothing },
    closed: (how) => {
      if (how !== 'finished') reject(new Error(`a connection ended: ${how}`));
    },
    ...events,
  });
}

/** Datagrams that an echo server sent back; ten at a time. */
export async function sendDatagrams(guest: Guest, to: Endpoint, end: number): Promise<number> {
  let echoes = 0;
  const socket = guest.stack.udp.open(DATAGRAM_PORT, () => echoes++);
  while (performance.now() < end) {
    for (let i = 0; i < 10; i++) socket.send(to, QUESTION);
    await rest(10);
  }
  socket.close();
  return echoes;
}

/** Machines that come, take a lease, ask for a name, ping the gateway and go, in turn with and without a word. */
export async function joinAndLeave(path: string, end: number): Promise<number> {
  let joined = 0;
  for (; performance.now() < end; joined++) {
    const number = joined % 8;
    const name = `joiner-${number}`;
    const station = new Station({
      ...{ name, mac: MAC + 0x100 + number, mtu: MTU, scheduler: nodeScheduler, random: nodeRandom },
    });
    const unplug = await plugIn(path, station.port);
    if ((await station.boot(20_000)) === undefined) throw new Error('a machine got no lease');
    const found = await station.lookUp(name);
    if (found.kind !== 'found') throw new Error(`the name server does not know ${name}: ${found.kind}`);
    const answer = await station.ping(GATEWAY, { timeout: 20_000 });
    if (answer.kind !== 'reply') throw new Error(`the gateway answers no ping: ${answer.kind}`);
    if (joined % 2 === 0) station.shutDown();
    else station.cutPower();
    unplug();
    await rest(100);
  }
  return joined;
}

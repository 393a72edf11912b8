import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Counters } from '../../src/base/counters.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { FlowTable } from '../../src/nat/flow.ts';
import type { GuestForward } from '../../src/nat/forward-spec.ts';
import { readForward } from '../../src/nat/forward-text.ts';
import { GuestForwards } from '../../src/nat/guest-forwards.ts';
import { HostForwards } from '../../src/nat/host-forwards.ts';
import { TcpProxy } from '../../src/nat/tcp-proxy.ts';
import { EgressPolicy } from '../../src/policy/egress.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import { stackAt } from '../support/fake-stack.ts';
import { FakeTcpLayer } from '../support/fake-tcp-layer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { ip, octets } from '../support/stack-peer.ts';
import { waitFor } from '../support/wait-for.ts';

const GUEST = { address: octets('10.0.2.15'), port: 40_000 };
const GATEWAY = parseIpv4Interface('10.0.2.2/24')!;

describe('a flow to a real server', () => {
  it('carries a question, its end, the answer and its end', async () => {
    const { guest, flows, counters } = await established((socket) => {
      let question = '';
      socket.on('data', (bytes) => {
        question += bytes;
      });
      socket.on('end', () => socket.end(`you said ${question}`));
    });
    guest.feed('hello ');
    guest.feed('world');
    guest.end();
    await waitFor(() => guest.isFinished);
    expect(guest.sent).toBe('you said hello world');
    guest.close('finished');
    await waitFor(() => flows.size === 0);
    expect(counters.toRecord()).toEqual({ 'tcp-finished': 1 });
  });

  it('gives the window back as a slow server reads, and all loans', async () => {
    let far: Socket | undefined;
    const { guest } = await established((socket) => {
      far = socket.pause();
    });
    const piece = 'x'.repeat(256 * 1024);
    let lent = 0;
    let returned = 0;
    let sent = 0;
    for (; guest.credited === sent; sent += piece.length) {
      guest.feed(piece);
      lent += guest.loans.length;
      for (const loan of guest.loans) loan.reclaim(() => returned++);
    }
    expect(lent).toBeGreaterThan(0);
    let received = 0;
    far!.on('data', (bytes) => {
      received += bytes.length;
    });
    far!.resume();
    await waitFor(() => received === sent && guest.credited === sent && returned === lent);
  });

  it('is reset where the server resets, and the server where the guest does', async () => {
    const first = await established((socket) => socket.on('data', () => socket.resetAndDestroy()));
    first.guest.feed('hello');
    await waitFor(() => first.guest.isReset);
    expect(first.counters.get('tcp-host-reset')).toBe(1);
    let error: NodeJS.ErrnoException | undefined;
    const second = await established((socket) =>
      socket.resume().on('error', (told) => {
        error = told;
      }),
    );
    second.guest.close('reset');
    await waitFor(() => error !== undefined);
    expect(error!.code).toBe('ECONNRESET');
  });

  it('is refused where nobody listens', async () => {
    const { server, port } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const { tcp } = proxy();
    const request = tcp.syn(GUEST, { address: octets('10.0.2.2'), port });
    await waitFor(() => request.answer !== undefined);
    expect(request.answer).toBe('rst');
  });
});

describe('a forward to a guest', () => {
  it('takes real clients, with the port that the system chose', async () => {
    const tcp = new FakeTcpLayer();
    const forwards = new HostForwards({
      stack: stackAt(GATEWAY, tcp),
      net: new NodeHostNet(),
      resolve: () => undefined,
      flows: new FlowTable(),
      counters: new Counters(),
      openUdp: () => Promise.reject(new Error('there is no UDP here')),
    });
    onTestFinished(() => forwards.closeAll());
    const { listen } = await forwards.add(readForward('tcp 0 -> 10.0.2.15:22', [], [])!);
    const client = connect(Number(listen.split(':')[1]), '127.0.0.1');
    let heard = '';
    client.on('data', (bytes) => {
      heard += bytes;
    });
    client.end('knock');
    await waitFor(() => tcp.size === 1);
    expect(tcp.last.sent).toBe('');
    tcp.last.open();
    await waitFor(() => tcp.last.isFinished);
    expect(tcp.last.sent).toBe('knock');
    tcp.last.feed('welcome');
    tcp.last.end();
    await waitFor(() => client.readableEnded);
    expect(heard).toBe('welcome');
  });

  it('says which port is taken', async () => {
    const { port } = await serve(() => undefined);
    const forwards = new HostForwards({
      stack: stackAt(GATEWAY, new FakeTcpLayer()),
      net: new NodeHostNet(),
      resolve: () => undefined,
      flows: new FlowTable(),
      counters: new Counters(),
      openUdp: () => Promise.reject(new Error('there is no UDP here')),
    });
    const adding = forwards.add(readForward(`tcp ${port} -> 10.0.2.15:22`, [], [])!);
    await expect(adding).rejects.toMatchObject({ code: 'address-in-use' });
    await expect(adding).rejects.toThrow(`127.0.0.1:${port}`);
  });
});

describe('a forward of guests', () => {
  it('has a command for each connection', async () => {
    const { tcp, flows } = guestForwards({ kind: 'command', command: 'tr a-z A-Z' });
    const request = tcp.syn(GUEST, { address: octets('10.0.2.100'), port: 7 });
    await waitFor(() => request.connection !== undefined);
    const guest = request.connection!;
    guest.open();
    guest.feed('louder');
    guest.end();
    await waitFor(() => guest.isFinished);
    expect(guest.sent).toBe('LOUDER');
    guest.close('finished');
    await waitFor(() => flows.size === 0);
  });

  it('is refused where there is no socket', async () => {
    const { tcp } = guestForwards({ kind: 'unix', path: '/nonexistent/vmlan.sock' });
    const request = tcp.syn(GUEST, { address: octets('10.0.2.100'), port: 7 });
    await waitFor(() => request.answer !== undefined);
    expect(request.answer).toBe('rst');
  });
});

/** A server on the host's loopback. */
async function serve(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

function proxy() {
  const tcp = new FakeTcpLayer();
  const flows = new FlowTable();
  const counters = new Counters();
  const policy = new EgressPolicy({
    isRestricted: false,
    hostAccess: 'all',
    allowsMetadata: false,
    gateway: GATEWAY,
  });
  const outside = { net: new NodeHostNet(), flows, counters, scheduler: new ManualScheduler() };
  const tcpProxy = new TcpProxy({ stack: stackAt(parseIpv4Interface('10.0.2.2/24')!, tcp), policy, ...outside });
  tcpProxy.start();
  onTestFinished(() => tcpProxy.stop());
  return { tcp, flows, counters };
}

/** A guest that is connected with a server on the host. */
async function established(onSocket: (socket: Socket) => void) {
  let arrived = 0;
  const { port } = await serve((socket) => {
    arrived++;
    onSocket(socket);
  });
  const parts = proxy();
  const request = parts.tcp.syn(GUEST, { address: octets('10.0.2.2'), port });
  await waitFor(() => request.connection !== undefined && arrived === 1);
  request.connection!.open();
  return { ...parts, guest: request.connection! };
}

function guestForwards(to: GuestForward['to']) {
  const tcp = new FakeTcpLayer();
  const flows = new FlowTable();
  const forwards = new GuestForwards({
    stack: stackAt(parseIpv4Interface('10.0.2.2/24')!, tcp),
    net: new NodeHostNet(),
    flows,
    counters: new Counters(),
    scheduler: new ManualScheduler(),
    forwards: [{ address: ip('10.0.2.100'), port: 7, to }],
  });
  forwards.start();
  return { tcp, flows };
}

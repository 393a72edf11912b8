import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket as NetSocket } from 'node:net';
import { onTestFinished } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostResolvers } from '../../src/base/resolvers.ts';
import { nodeScheduler } from '../../src/host/clock.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import type { DnsConfig } from '../../src/service/dns/dns-config.ts';
import { DnsServer } from '../../src/service/dns/server.ts';
import { Stack } from '../../src/stack/stack.ts';
import { A, B } from './frames.ts';
import { ip, octets } from './stack-peer.ts';
import { Workbench } from './workbench.ts';

const LOOPBACK = '127.0.0.1';

/** dnsmasq as a name server of the world, and dig as a machine of a network in memory whose name server is ours. */
export class RealDns {
  readonly bench = new Workbench();
  readonly counters = new Counters();
  #relay: Socket | undefined;

  /** Starts dnsmasq with these options; resolves when it answers. */
  async dnsmasq(...options: readonly string[]): Promise<Endpoint> {
    const port = await freePort();
    const pidFile = `--pid-file=${this.bench.freshPath('dnsmasq.pid')}`;
    const base = ['--no-daemon', '-k', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--bind-interfaces'];
    const own = [pidFile, `--listen-address=${LOOPBACK}`, `--port=${port}`];
    const child = this.bench.start('/usr/sbin/dnsmasq', [...base, ...own, ...options]);
    await child.until('dnsmasq starts', () => (child.stderr.includes('started') ? true : undefined));
    return { address: octets(LOOPBACK), port };
  }

  /** Starts our server in a network of this MTU, and a way for dig to it. */
  async serve(config: Partial<DnsConfig>, resolvers: HostResolvers = { servers: () => [] }): Promise<void> {
    const at = { address: ip('10.0.2.2'), prefixLength: 24 };
    const common = { mtu: 9000, scheduler: nodeScheduler };
    const near = new Stack({ ...common, mac: A, random: new SeededRandom(1) });
    const far = new Stack({ ...common, mac: B, random: new SeededRandom(2) });
    near.configure({ interface: at, extra: [ip('10.0.2.3')] });
    far.configure({ interface: { address: ip('10.0.2.100'), prefixLength: 24 } });
    near.attach(far);
    far.attach(near);
    const names = { addressesOf: () => [], nameOf: () => undefined };
    const outside = { net: new NodeHostNet(), resolvers, scheduler: nodeScheduler, random: new SeededRandom(3) };
    const server = new DnsServer(
      { address: ip('10.0.2.3'), domain: 'lab.internal', records: [], routes: [], ...config },
      at,
      names,
      { ...outside, counters: this.counters, log: () => undefined },
    );
    server.start(near);
    const port = await freePort();
    const relay = createSocket('udp4').bind(port, LOOPBACK);
    await once(relay, 'listening');
    const streams = createServer({ allowHalfOpen: true }, (client) => relayStream(far, client)).listen(port, LOOPBACK);
    await once(streams, 'listening');
    relay.on('message', (query, client) => {
      const socket = far.udp.open(0, ({ payload }) => {
        relay.send(payload.slice(), client.port, client.address);
        socket.close();
      });
      socket.send({ address: octets('10.0.2.3'), port: 53 }, query);
    });
    this.#relay = relay;
    onTestFinished(() => {
      server.stop();
      relay.close();
      streams.close();
    });
  }

  /** What dig shows of its answer, `+short` unless the options say more. */
  async dig(...options: readonly string[]): Promise<string> {
    const to = [`@${LOOPBACK}`, '-p', String(this.#relay!.address().port), '+tries=1', '+time=15'];
    const { stdout } = await this.bench.run('dig', [...to, '+short', ...options]);
    return stdout.trim();
  }
}

/** A client of the host becomes one of the network. */
function relayStream(far: Stack, client: NetSocket): void {
  const to = { address: octets('10.0.2.3'), port: 53 };
  const connection = far.tcp.connect({ address: octets('10.0.2.100'), port: 0 }, to, {
    opened: () => undefined,
    received: (bytes) => {
      client.write(bytes.slice());
      connection.consumed(bytes.length);
    },
    ended: () => client.end(),
    drained: () => undefined,
    closed: () => client.destroy(),
  });
  client.on('data', (bytes) => connection.send(bytes));
  client.on('end', () => connection.finish());
  client.on('error', () => connection.reset());
}

/** A port of the loopback that nobody has, for UDP and TCP. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = createSocket('udp4');
  socket.bind(port, LOOPBACK);
  await once(socket, 'listening');
  await new Promise<void>((resolve) => socket.close(resolve));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { DnsServer } from '../../src/service/dns/server.ts';
import { serveHttp } from '../../src/station/http-server.ts';
import { Station } from '../../src/station/station.ts';
import { ipv4Octets } from '../../src/wire/ipv4-address.ts';
import { DhcpBench, SERVER } from '../support/dhcp-peer.ts';
import { B } from '../support/frames.ts';
import { joinPorts } from '../support/join-ports.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { MemoryResolvers } from '../support/memory-resolvers.ts';
import { ip, octets } from '../support/stack-peer.ts';

const TEXT = 'All that a page can hold. '.repeat(4000);

describe.each([0, 4])('a machine on a wire that loses one frame in %i', (rate) => {
  it('finds a name of the network, and none that is not there', async () => {
    const { station, run } = await bootedStation(rate);
    expect(await run(station.lookUp('web.lab.test'))).toEqual({ kind: 'found', addresses: [octets('10.0.2.80')] });
    expect(await run(station.lookUp('www.lab.test'))).toEqual({ kind: 'found', addresses: [octets('10.0.2.80')] });
    expect(await run(station.lookUp('nobody.lab.test'))).toEqual({ kind: 'none', rcode: 3 });
    expect(await run(station.lookUp('a..b'))).toEqual({ kind: 'bad-name' });
  });

  it('reads a page over HTTP to its last octet', async () => {
    const { station, run } = await bootedStation(rate);
    const page = await run(station.fetchHttp(WEB, 'web.lab.test', '/page'));
    expect(page.kind === 'done' && [page.status, new TextDecoder().decode(page.octets)]).toEqual([200, TEXT]);
  });

  it('is told of a page that is not there', async () => {
    const { station, run } = await bootedStation(rate);
    expect(await run(station.fetchHttp(WEB, 'web.lab.test', '/nothing'))).toMatchObject({ kind: 'done', status: 404 });
  });
});

it('a machine gives up where nobody answers about names', async () => {
  const { station, run, dns } = await bootedStation(0);
  dns.stop();
  expect(await run(station.lookUp('web.lab.test'))).toEqual({ kind: 'timeout' });
});

it('a machine hears that a port is closed', async () => {
  const { station, run } = await bootedStation(0);
  expect(await run(station.fetchHttp({ ...WEB, port: 81 }, 'web', '/'))).toEqual({ kind: 'failed', why: 'refused' });
});

it.each([
  ['it answers no HTTP', '220 ready\r\n\r\n'],
  ['it says less than it announces', 'HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nshort'],
  ['it ends within its head', 'HTTP/1.0 200 OK\r\n'],
])('an answer is malformed where %s', async (_, answer) => {
  const { station, run, stack } = await bootedStation(0);
  stack.tcp.listen(8080, (request) => {
    const connection = request.accept({
      opened: () => undefined,
      drained: () => undefined,
      received: () => undefined,
      ended: () => undefined,
      closed: () => undefined,
    });
    connection.send(new TextEncoder().encode(answer));
    connection.finish();
  });
  const page = await run(station.fetchHttp({ ...WEB, port: 8080 }, 'web', '/'));
  expect(page).toEqual({ kind: 'failed', why: 'malformed' });
});

it.each([
  ['POST / HTTP/1.1\r\n\r\n', '400'],
  [`GET / HTTP/1.1\r\nX: ${'x'.repeat(9000)}`, '431'],
])('a machine that serves answers %.20s with %s', async (asked, status) => {
  const { stack, run } = await bootedStation(0);
  let heard = '';
  const answered = new Promise<string>((resolve) => {
    const client = stack.tcp.connect({ address: ipv4Octets(SERVER.address), port: 0 }, GUEST, {
      opened: () => undefined,
      drained: () => undefined,
      received: (bytes) => {
        heard += new TextDecoder().decode(bytes);
        client.consumed(bytes.length);
      },
      ended: () => client.finish(),
      closed: () => resolve(heard),
    });
    client.send(new TextEncoder().encode(asked));
  });
  expect(await run(answered)).toContain(`HTTP/1.1 ${status} `);
});

const WEB = { address: ipv4Octets(SERVER.address), port: 80 };
const GUEST = { address: ipv4Octets(ip('10.0.2.15')), port: 80 };

/** A machine with a lease on a network with names and a web server; of `rate` frames one is lost afterwards. */
async function bootedStation(rate: number) {
  const bench = new DhcpBench({ dns: [SERVER.address] });
  const { scheduler, stack, counters } = bench;
  const config = {
    address: SERVER.address,
    domain: 'lab.test',
    records: [{ name: 'www.lab.test', type: 'CNAME' as const, target: 'web.lab.test' }],
    routes: [],
    upstream: [],
  };
  const names = { addressesOf: (host: string) => (host === 'web' ? [ip('10.0.2.80')] : []), nameOf: () => undefined };
  const outside = { net: new MemoryHostNet(), resolvers: new MemoryResolvers(), log: () => undefined };
  const dns = new DnsServer(config, SERVER, names, { ...outside, scheduler, random: new SeededRandom(2), counters });
  dns.start(stack);
  serveHttp(stack.tcp, 80, (path) => (path === '/page' ? TEXT : undefined));
  const station = new Station({ name: 'vm', mac: B, mtu: 1500, scheduler, random: new SeededRandom(3) });
  let isLossy = false;
  joinPorts(station.port, stack, (frame) => isLossy && frame % rate === 0);
  const run = async <T>(result: Promise<T>): Promise<T> => {
    let isThere = false;
    void result.then(() => {
      isThere = true;
    });
    for (let seconds = 0; seconds < 300 && !isThere; seconds++) await scheduler.run(1000);
    expect(isThere).toBe(true);
    return result;
  };
  expect(await run(station.boot(60_000))).toBeDefined();
  station.serveHttp(80, () => 'hello');
  isLossy = rate > 0;
  return { station, run, dns, stack };
}

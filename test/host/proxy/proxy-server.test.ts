import { execFile } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { nodeRandom, nodeScheduler } from '../../../src/host/clock.ts';
import { listenAsProxy } from '../../../src/host/proxy/proxy-server.ts';
import { WayIn } from '../../../src/host/proxy/way-in.ts';
import type { FrameSink } from '../../../src/link/frame-batch.ts';
import { copyOf } from '../../../src/link/frame-batch.ts';
import type { Port } from '../../../src/link/port.ts';
import { Stack } from '../../../src/stack/stack.ts';
import { Station } from '../../../src/station/station.ts';
import { parseIpv4 } from '../../../src/wire/ipv4-address.ts';
import { describeWith } from '../../support/describe-with.ts';
import { A, B } from '../../support/frames.ts';

const PAGE = 'a page of the lab\n';
/** More than all windows and queues on the way hold. */
const BOOK = 'a line of a long book\n'.repeat(300_000);

function station(name: string, mac: number, address: string): Station {
  const own = new Station({ name, mac, mtu: 1500, scheduler: nodeScheduler, random: nodeRandom });
  own.take({ interface: { address: parseIpv4(address)!, prefixLength: 24 }, dns: [] });
  return own;
}

/** As between processes, frames arrive later than they are sent. */
function towards(port: Port): FrameSink {
  return {
    push: (batch, first, end) => {
      const copy = copyOf(batch, first, end);
      setImmediate(() => port.push(copy, 0, copy.count));
    },
  };
}

/** A proxy into a network where 10.0.2.80 serves pages. */
function proxied(): Promise<number> {
  const web = station('web', A, '10.0.2.80');
  web.serveHttp(80, (path) => ({ '/': PAGE, '/book?all': BOOK })[path]);
  return proxyTo(web.port);
}

/** A proxy into a network where 10.0.2.80 answers to whatever comes first with `octets`, and ends. */
function proxiedToWhoSays(octets: string): Promise<number> {
  const web = new Stack({ mac: A, mtu: 1500, scheduler: nodeScheduler, random: nodeRandom });
  web.configure({ interface: { address: parseIpv4('10.0.2.80')!, prefixLength: 24 } });
  web.tcp.listen(80, (request) => {
    const nothing = () => undefined;
    const received = () => {
      connection.send(Buffer.from(octets, 'latin1'));
      connection.finish();
    };
    const connection = request.accept({ opened: nothing, received, ended: nothing, drained: nothing, closed: nothing });
  });
  return proxyTo(web);
}

async function proxyTo(web: Port): Promise<number> {
  const own = station('proxy', B, '10.0.2.9');
  web.attach(towards(own.port));
  own.port.attach(towards(web));
  const server = await listenAsProxy(0, new WayIn('office', [own]));
  onTestFinished(() => server.close());
  return server.port;
}

/** What curl says and its exit status, 97 where SOCKS refused. */
function curl(port: number, scheme: string, ...words: readonly string[]): Promise<readonly [number, string]> {
  const args = ['-sS', '-m', '20', '-x', `${scheme}://127.0.0.1:${port}`, ...words];
  return new Promise((resolve) => {
    execFile('curl', args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve([Number(error?.code ?? 0), stdout + stderr]),
    );
  });
}

/** Says the octets, one a write, finishes, and gives what comes back. */
async function say(port: number, text: string): Promise<string> {
  const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const heard = buffer(client);
  for (const octet of Buffer.from(text, 'latin1')) client.write(Uint8Array.of(octet));
  client.end();
  return (await heard).toString('latin1');
}

describeWith(['curl'], 'a proxy, asked by curl', () => {
  it.each([['socks5h'], ['http'], ['http', '-p']])(
    'by %s %s leads to the lab, to the last octet',
    async (scheme, ...how) => {
      const port = await proxied();
      expect(await curl(port, scheme, ...how, 'http://10.0.2.80/')).toEqual([0, PAGE]);
      const [status, book] = await curl(port, scheme, ...how, 'http://10.0.2.80/book?all');
      expect([status, book === BOOK]).toEqual([0, true]);
    },
  );

  it('tells the truth about what cannot be had, each protocol in its words', async () => {
    const port = await proxied();
    expect(await curl(port, 'socks5h', 'http://10.0.2.80:81/')).toEqual([97, expect.stringContaining('(5)')]);
    expect(await curl(port, 'socks5h', 'http://web/')).toEqual([97, expect.stringContaining('(4)')]);
    expect(await curl(port, 'socks5h', 'http://[::1]/')).toEqual([97, expect.stringContaining('(8)')]);
    const http = (url: string) => curl(port, 'http', '-w', '%{http_code}', url);
    expect((await http('http://10.0.2.80:81/'))[1]).toBe('vmlan: 10.0.2.80, port 81 refuses connections\n502');
    expect((await http('http://web/'))[1]).toBe('vmlan: no name server of office answers about web\n502');
    expect((await http('http://192.0.2.1/'))[1]).toBe('vmlan: no network of office leads to 192.0.2.1, port 80\n502');
    expect((await http('http://127.0.0.1/'))[1]).toBe('vmlan: no network of office leads to 127.0.0.1, port 80\n502');
    expect((await http('ftp://10.0.2.80/'))[1]).toMatch(/^vmlan: this is a proxy.*400$/s);
  });

  it('serves several requests over one connection of its client', async () => {
    const port = await proxied();
    const urls = ['http://10.0.2.80/', 'http://10.0.2.80/none'];
    const [, said] = await curl(port, 'http', '-w', '%{http_code}:%{num_connects} ', ...urls);
    expect(said).toContain('200:1 ');
    expect(said).toContain('404:0 ');
  });
});

const GREETING = '\x05\x01\x00';
const TO_WEB = '\x01\x0a\x00\x02\x50\x00\x50';

it('a client of SOCKS that speaks in pieces and finishes first still hears the answer', async () => {
  const said = await say(await proxied(), `${GREETING}\x05\x01\x00${TO_WEB}GET / HTTP/1.0\r\n\r\n`);
  expect(said.startsWith('\x05\x00\x05\x00')).toBe(true);
  expect(said.endsWith(PAGE)).toBe(true);
});

it.each([
  ['UDP ASSOCIATE, by name', `${GREETING}\x05\x03\x00${TO_WEB}`, '\x05\x00\x05\x07'],
  ['an address of a kind that there is not', `${GREETING}\x05\x01\x00\x02${TO_WEB}`, '\x05\x00\x05\x08'],
  ['who wants a password', '\x05\x01\x02', '\x05\xff'],
  ['another version in the request', `${GREETING}\x04\x01\x00${TO_WEB}`, '\x05\x00\x05\x01'],
  ['CONNECT to no port', 'CONNECT web HTTP/1.1\r\nhost: web\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
  ['who takes it for a server', 'GET / HTTP/1.0\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
])('refuses %s', async (_what, text, answer) => {
  expect((await say(await proxied(), text)).startsWith(answer)).toBe(true);
});

it.each([
  ['a status that is none', 'HTTP/1.1 000 OK\r\n\r\n'],
  ['control characters in its phrase', 'HTTP/1.1 200 a\x01b\r\n\r\n'],
  ['another protocol', 'HTTP/1.1 101 Now\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
  ['no HTTP', '\x00\x01\x02'],
  ['nothing', ''],
])('a server of the lab that answers with %s is a bad gateway', async (_what, octets) => {
  const port = await proxiedToWhoSays(octets);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: 'http://10.0.2.80/' }, resolve).on('error', reject);
  });
  expect(`${answer.statusCode} ${answer.statusMessage}`).toBe('502 Bad Gateway');
  expect(await text(answer)).toContain('vmlan: 10.0.2.80 gave no answer');
});

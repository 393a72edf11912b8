import { expect, it } from 'vitest';
import { Counters } from '../../../src/base/counters.ts';
import type { DnsClient } from '../../../src/service/dns/client.ts';
import { CONNECTION_LIMIT, DnsStreams, PIPELINE_LIMIT } from '../../../src/service/dns/streams.ts';
import type { OnTcpRequest, TcpConnection, TcpEvents, TcpLayer } from '../../../src/stack/tcp-layer.ts';
import { parseIpv4Interface } from '../../../src/wire/ipv4-address.ts';
import { stackAt } from '../../support/fake-stack.ts';
import { ManualScheduler } from '../../support/manual-scheduler.ts';
import { octets } from '../../support/stack-peer.ts';

/** A query of four octets, behind its length. */
const QUERY = Uint8Array.of(0, 4, 1, 2, 3, 4);

it('a query may come octet by octet', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  for (const octet of QUERY) client.say(Uint8Array.of(octet));
  expect(bench.asked).toEqual(['1,2,3,4']);
  expect(client.used).toBe(6);
});

it('many may come at once, and are answered as answers are known', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(Uint8Array.of(...QUERY, 0, 1, 9, ...QUERY.subarray(0, 3)));
  client.say(QUERY.subarray(3));
  expect(bench.asked).toEqual(['1,2,3,4', '9', '1,2,3,4']);
  bench.answer(1);
  bench.answer(0);
  expect(client.sent).toEqual(['1', '0']);
});

it('who asks more than is answered is read no further', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(Uint8Array.from({ length: 40 * QUERY.length }, (_, i) => QUERY[i % QUERY.length]!));
  expect(bench.asked).toHaveLength(PIPELINE_LIMIT);
  expect(client.used).toBe(PIPELINE_LIMIT * QUERY.length);
  bench.answer(0);
  expect(bench.asked).toHaveLength(PIPELINE_LIMIT + 1);
});

it('so is who does not read answers', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.unacknowledged = 1_000_000;
  client.say(QUERY);
  expect(bench.asked).toHaveLength(0);
  client.unacknowledged = 0;
  client.events!.drained();
  expect(bench.asked).toHaveLength(1);
});

it('who has finished asking is answered before the end', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(QUERY);
  client.events!.ended();
  expect(client.ends).toEqual([]);
  bench.answer(0);
  expect([client.sent, client.ends]).toEqual([['0'], ['finish']]);
});

it('who is quiet for 10 seconds is let go, and reset after 10 more', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(QUERY);
  bench.scheduler.advance(60_000);
  expect(client.ends).toEqual([]);
  bench.answer(0);
  bench.scheduler.advance(10_000);
  expect(client.ends).toEqual(['finish']);
  bench.scheduler.advance(10_000);
  expect(client.ends).toEqual(['finish', 'reset']);
  expect([bench.streams.size, bench.scheduler.pending]).toEqual([0, 0]);
});

it.each([
  ['what is no query', Uint8Array.of(0, 1, 0xff)],
  ['a length that no query has', Uint8Array.of(0xff, 0xff)],
])('%s ends the connection', (_what, said) => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(said);
  expect(client.ends).toEqual(['reset']);
  expect(bench.streams.size).toBe(0);
});

it('connections are bounded: the one that was quiet longest goes, and nobody who waits', () => {
  const bench = new StreamsBench();
  const clients = Array.from({ length: CONNECTION_LIMIT }, () => bench.connect());
  clients[0]!.say(QUERY);
  bench.connect();
  expect(clients.findIndex(({ ends }) => ends.length > 0)).toBe(1);
  for (const client of clients.slice(2)) client.say(QUERY);
  bench.connect().say(QUERY);
  expect(bench.connect().ends).toEqual(['refused']);
  expect(bench.counters.get('dns-tcp-busy')).toBe(1);
  expect(bench.streams.size).toBe(CONNECTION_LIMIT);
});

it('nobody off the link is served', () => {
  const bench = new StreamsBench();
  expect(bench.connect('192.0.2.1').ends).toEqual(['refused']);
  expect(bench.counters.get('dns-off-link')).toBe(1);
});

it('an answer that comes after the connection is lost', () => {
  const bench = new StreamsBench();
  const client = bench.connect();
  client.say(QUERY);
  client.events!.closed('reset');
  bench.answer(0);
  expect([client.sent, bench.streams.size]).toEqual([[], 0]);
});

/** Streams of which the test is both sides: TCP, and who answers queries. */
class StreamsBench {
  readonly scheduler = new ManualScheduler();
  readonly counters = new Counters();
  readonly asked: string[] = [];
  readonly #asking: DnsClient[] = [];
  #onRequest: OnTcpRequest | undefined;
  readonly streams = new DnsStreams(this, (bytes, client) => {
    if (bytes[0] === 0xff) return false;
    this.asked.push(bytes.join());
    this.#asking.push(client);
    return true;
  });

  constructor() {
    const listen: TcpLayer['listen'] = (port, onRequest) => {
      this.#onRequest = onRequest;
      return { port, close: () => undefined };
    };
    this.streams.start(stackAt(parseIpv4Interface('10.0.2.2/24')!, { listen } as TcpLayer), [octets('10.0.2.3')]);
  }

  connect(from = '10.0.2.100'): FakeConnection {
    const connection = new FakeConnection(from);
    this.#onRequest!({
      from: connection.remote,
      to: connection.local,
      accept: (events) => {
        connection.events = events;
        return connection;
      },
      refuse: () => void connection.ends.push('refused'),
      unreachable: () => undefined,
      ignore: () => undefined,
      onCancel: () => undefined,
    });
    return connection;
  }

  /** Answers the query with its number. */
  answer(index: number): void {
    this.#asking[index]!.answer(Uint8Array.of(0, 1, index));
  }
}

class FakeConnection implements TcpConnection {
  readonly local = { address: octets('10.0.2.3'), port: 53 };
  readonly remote: TcpConnection['remote'];
  events: TcpEvents | undefined;
  unacknowledged = 0;
  readonly isFull = false;
  used = 0;
  readonly sent: string[] = [];
  readonly ends: string[] = [];

  constructor(from: string) {
    this.remote = { address: octets(from), port: 5000 };
  }

  say(bytes: Uint8Array): void {
    this.events!.received(bytes.slice(), { retain: () => expect.unreachable() });
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes.subarray(2).join());
  }

  consumed(octets: number): void {
    this.used += octets;
  }

  finish(): void {
    this.ends.push('finish');
  }

  reset(): void {
    this.ends.push('reset');
  }
}

import { decode } from '@leichtgewicht/dns-packet';
import { describe, expect, it } from 'vitest';
import type { TcpConnection } from '../../../src/stack/tcp-layer.ts';
import { a, DnsBench, queryOf, RESOLVER, tell } from '../../support/dns-peer.ts';
import { octets } from '../../support/stack-peer.ts';

const LONG = { answers: Array.from({ length: 1000 }, (_, i) => a('example.com', `198.51.100.${i % 256}`)) };

describe('a client that comes over TCP', () => {
  it('has what fits into no datagram', async () => {
    const bench = new DnsBench();
    await bench.upstream(RESOLVER, () => LONG);
    expect(bench.ask('example.com')).toBe('NOERROR tc');
    const client = new TcpClient(bench);
    client.ask(queryOf('example.com', 'A', { id: 1 }));
    bench.advance(1000);
    expect(client.answers().map(({ answers }) => answers!.length)).toEqual([1000]);
  });

  it('asks many things in one segment, and one over many', () => {
    const bench = new DnsBench();
    const client = new TcpClient(bench);
    const queries = ['web', 'db', 'absent'].map((name, id) => framed(queryOf(name, 'A', { id })));
    client.send(Uint8Array.of(...queries.flatMap((query) => [...query])));
    for (const octet of queries[0]!) client.send(Uint8Array.of(octet));
    bench.advance(1000);
    expect(client.answers().map(({ id, rcode }) => `${id} ${rcode}`)).toEqual([
      '0 NOERROR',
      '1 NOERROR',
      '2 NXDOMAIN',
      '0 NOERROR',
    ]);
    expect(bench.counters.get('dns-tcp-queries')).toBe(4);
  });

  it('is answered after it has finished, and then it is over', () => {
    const bench = new DnsBench();
    const client = new TcpClient(bench);
    client.ask(queryOf('web', 'A', { id: 1 }));
    client.connection.finish();
    bench.advance(1000);
    expect(client.answers().map(tell)).toEqual(['NOERROR aa web A 60 10.0.2.15']);
    expect(client.ends).toContain('ended');
    expect(bench.server.statistics().connections).toBe(0);
  });

  it('and is quiet is let go', () => {
    const bench = new DnsBench();
    const client = new TcpClient(bench);
    bench.advance(9000);
    expect([client.ends, bench.server.statistics().connections]).toEqual([[], 1]);
    bench.advance(2000);
    expect(client.ends).toEqual(['ended']);
  });

  it('is told when the server stops', () => {
    const bench = new DnsBench();
    const client = new TcpClient(bench);
    bench.advance(100);
    bench.server.stop();
    bench.advance(1000);
    expect(client.ends).toEqual(['reset']);
  });
});

class TcpClient {
  readonly connection: TcpConnection;
  readonly ends: string[] = [];
  readonly #bench: DnsBench;
  #received: number[] = [];

  constructor(bench: DnsBench) {
    this.#bench = bench;
    const to = { address: octets('10.0.2.3'), port: 53 };
    this.connection = bench.far.tcp.connect({ address: octets('10.0.2.100'), port: 0 }, to, {
      opened: () => undefined,
      received: (bytes) => {
        this.#received.push(...bytes);
        this.connection.consumed(bytes.length);
      },
      ended: () => void this.ends.push('ended'),
      drained: () => undefined,
      closed: (how) => void this.ends.push(how),
    });
    bench.advance(100);
  }

  ask(query: Uint8Array): void {
    this.send(framed(query));
  }

  send(bytes: Uint8Array): void {
    this.connection.send(bytes);
    this.#bench.net.turn();
  }

  answers(): ReturnType<typeof decode>[] {
    const answers: ReturnType<typeof decode>[] = [];
    for (let at = 0; at < this.#received.length; ) {
      const end = at + 2 + this.#received[at]! * 256 + this.#received[at + 1]!;
      answers.push(decode(Uint8Array.from(this.#received.slice(at + 2, end))));
      at = end;
    }
    return answers;
  }
}

function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >> 8, message.length, ...message);
}

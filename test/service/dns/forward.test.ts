import { DNSSEC_OK } from '@leichtgewicht/dns-packet';
import { describe, expect, it } from 'vitest';
import { a, answerOf, DnsBench, edns, type Packet, queryOf, RESOLVER, SECOND, soa } from '../../support/dns-peer.ts';

const ADDRESS = (query: Packet): Packet => ({ answers: [a(query.questions![0]!.name, '198.51.100.1')] });
const SILENCE = (): undefined => undefined;
const FAILURE = (): Packet => ({ flags: 2 });
const REFUSAL = (): Packet => ({ flags: 5 });
const FOUND = 'NOERROR example.com A 300 198.51.100.1';

describe('who is asked', () => {
  it("the host's resolvers, as they are now", async () => {
    const bench = new DnsBench();
    const first = await bench.upstream(RESOLVER, ADDRESS);
    const second = await bench.upstream(SECOND, ADDRESS);
    expect(bench.ask('example.com')).toBe(FOUND);
    bench.resolvers = [SECOND];
    expect(bench.ask('www.example.com')).toContain('198.51.100.1');
    expect([first.names, second.names]).toEqual([['example.com A'], ['www.example.com A']]);
  });

  it('the servers of the longest domain, else those of the configuration', async () => {
    const bench = new DnsBench({
      upstream: [RESOLVER],
      routes: [
        { domain: 'corp.example', servers: [] },
        { domain: 'Eng.Corp.Example.', servers: [SECOND] },
      ],
    });
    const first = await bench.upstream(RESOLVER, ADDRESS);
    const second = await bench.upstream(SECOND, ADDRESS);
    bench.ask('a.eng.corp.example');
    bench.ask('eng.corp.example');
    bench.ask('notcorp.example');
    expect(bench.ask('b.corp.example')).toBe('SERVFAIL');
    expect(first.names).toEqual(['notcorp.example A']);
    expect(second.names).toEqual(['a.eng.corp.example A', 'eng.corp.example A']);
  });

  it('nobody: the server has failed', () => {
    expect(new DnsBench({ upstream: [] }).ask('example.com')).toBe('SERVFAIL');
  });

  it('the same question of several machines, once', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, SILENCE);
    for (let i = 0; i < 3; i++) bench.send('example.com', 'A');
    upstream.script = ADDRESS;
    expect(upstream.asked).toHaveLength(1);
    bench.advance(2000);
    expect(bench.answers()).toHaveLength(3);
    expect(bench.counters.get('dns-joined')).toBe(2);
  });
});

describe('a server that does not help', () => {
  it('is followed by the next, and asked last for 30 seconds', async () => {
    const bench = new DnsBench({ upstream: [RESOLVER, SECOND] });
    const dead = await bench.upstream(RESOLVER, SILENCE);
    await bench.upstream(SECOND, ADDRESS);
    bench.send('example.com', 'A');
    bench.advance(1900);
    expect(bench.heard()).toBe('nothing');
    bench.advance(100);
    expect(bench.heard()).toBe(FOUND);
    expect(bench.ask('b.example.com')).toContain('198.51.100.1');
    expect(dead.asked).toHaveLength(1);
    bench.advance(30_000);
    bench.ask('c.example.com');
    expect(dead.asked).toHaveLength(2);
  });

  it('is followed in time, whatever else is asked meanwhile', async () => {
    const bench = new DnsBench({ upstream: [RESOLVER, SECOND] });
    await bench.upstream(RESOLVER, SILENCE);
    const second = await bench.upstream(SECOND, SILENCE);
    bench.send('example.com', 'A');
    bench.advance(100);
    bench.send('b.example.com', 'A');
    bench.advance(2000);
    expect(second.names).toEqual(['example.com A', 'b.example.com A']);
  });

  it.each([
    ['failed', FAILURE],
    ['refused', REFUSAL],
  ])('because it %s is followed by the next at once', async (_why, script) => {
    const bench = new DnsBench({ upstream: [RESOLVER, SECOND] });
    await bench.upstream(RESOLVER, script);
    await bench.upstream(SECOND, ADDRESS);
    expect(bench.ask('example.com')).toBe(FOUND);
  });

  it('because nobody listens there is followed by the next at once', async () => {
    const bench = new DnsBench({ upstream: [RESOLVER, SECOND] });
    await bench.upstream(SECOND, ADDRESS);
    bench.send('example.com', 'A');
    const [socket] = bench.net.sockets.filter(({ sent }) => sent.length > 0);
    const { bytes, to } = socket!.sent[0]!;
    socket!.refuse({ type: 3, code: 3, mtu: 0, reporter: undefined, to, quote: bytes });
    bench.net.turn();
    expect(bench.heard()).toBe(FOUND);
    expect(bench.counters.get('dns-upstream-refused')).toBe(1);
  });

  it('is passed on where no other did better, and asked again after 5 seconds', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, FAILURE);
    expect(bench.ask('example.com')).toBe('SERVFAIL');
    expect(bench.ask('example.com')).toBe('SERVFAIL');
    expect(upstream.asked).toHaveLength(1);
    bench.advance(5000);
    upstream.script = ADDRESS;
    expect(bench.ask('example.com')).toBe(FOUND);
  });

  it('at all: after 10 seconds the client is told', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, SILENCE);
    bench.send('example.com', 'A');
    bench.advance(9900);
    expect(bench.heard()).toBe('nothing');
    bench.advance(100);
    expect(bench.heard()).toBe('SERVFAIL');
    expect(upstream.asked).toHaveLength(5);
    expect(bench.counters.get('dns-upstream-failed')).toBe(1);
    expect(bench.server.statistics()).toMatchObject({ questions: 0, waiters: 0, deadServers: 1 });
  });

  it('because it knows no EDNS is asked without', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, (query) =>
      query.additionals!.length > 0 ? { flags: 1 } : ADDRESS(query),
    );
    expect(bench.ask('example.com')).toBe(FOUND);
    expect(bench.ask('b.example.com')).toContain('198.51.100.1');
    expect(upstream.asked.map(({ additionals }) => additionals!.length)).toEqual([1, 0, 0]);
  });
});

describe('what comes back', () => {
  it.each([
    ['from another port', { ...RESOLVER, port: 54 }, (bytes: Uint8Array) => bytes],
    ['from another address', SECOND, (bytes: Uint8Array) => bytes],
    ['under another id', RESOLVER, (bytes: Uint8Array) => bytes.with(0, bytes[0]! ^ 1)],
    ['about another name', RESOLVER, (bytes: Uint8Array) => bytes.with(13, 0x7a)],
    ['that is a query', RESOLVER, (bytes: Uint8Array) => bytes.with(2, bytes[2]! & 0x7f)],
    ['that is cut', RESOLVER, (bytes: Uint8Array) => bytes.subarray(0, 40)],
  ])('%s is ignored', async (_what, from, change) => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, SILENCE);
    bench.send('example.com', 'A');
    const client = bench.net.socketAt(upstream.clients[0]!)!;
    const right = answerOf(upstream.asked[0]!, ADDRESS(upstream.asked[0]!));
    client.feed(change(right), from);
    expect(bench.heard()).toBe('nothing');
    expect(bench.counters.get('dns-unexpected-response')).toBe(1);
    client.feed(right, RESOLVER);
    expect(bench.heard()).toBe(FOUND);
  });

  it('has the letters of the question as they were asked', async () => {
    const bench = new DnsBench();
    await bench.upstream(RESOLVER, ({ id, questions }) =>
      answerOf(
        { id: id!, questions: [{ ...questions![0]!, name: 'example.com' }] },
        { answers: [a('example.com', '198.51.100.1')] },
      ),
    );
    bench.send('eXaMPle.cOm', 'A');
    expect(bench.answers()[0]!.questions![0]!.name).toBe('eXaMPle.cOm');
  });

  it.each(['UNKNOWN_65', 'CAA', 'DS', 'RRSIG', 'TLSA'])('%s records arrive octet by octet', async (type) => {
    const bench = new DnsBench();
    const record = Uint8Array.of(0xc0, 12, 0, 65, 0, 1, 0, 0, 1, 44, 0, 7, 0, 1, 0, 3, 1, 2, 3);
    await bench.upstream(RESOLVER, (_query, bytes) => {
      const question = bytes.subarray(0, bytes.length - 11);
      const out = Uint8Array.of(...question, ...record);
      out.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
      return out;
    });
    bench.send('example.com', type);
    const [answer] = bench.octets();
    expect(answer!.subarray(-record.length)).toEqual(record);
  });

  it('keeps AD and CD, and DO is passed on; AA is not ours to give', async () => {
    const bench = new DnsBench();
    const upstream = await bench.upstream(RESOLVER, (query) => ({ ...ADDRESS(query), flags: 0x0430 }));
    const answer = bench.ask('example.com', 'A', { flags: 0x0130, ...edns(1232, true) });
    expect(answer).toBe('NOERROR ad cd example.com A 300 198.51.100.1 +edns');
    expect(upstream.asked[0]).toMatchObject({ flag_ad: true, flag_cd: true, additionals: [{ flags: DNSSEC_OK }] });
  });

  it('has EDNS only for who speaks it', async () => {
    const bench = new DnsBench();
    await bench.upstream(RESOLVER, (query) => ({ ...ADDRESS(query), ...edns() }));
    expect(bench.ask('example.com')).toBe(FOUND);
    expect(bench.ask('example.com', 'A', edns())).toBe(`${FOUND} +edns`);
  });
});

it('ids and ports are spread, and sockets do not pile up', async () => {
  const bench = new DnsBench();
  const upstream = await bench.upstream(RESOLVER, ADDRESS);
  for (let i = 0; i < 2000; i++) bench.ask(`n${i}.example.com`);
  expect(new Set(upstream.asked.map(({ id }) => id)).size).toBeGreaterThan(1900);
  expect(new Set(upstream.clients.map(({ port }) => port)).size).toBeGreaterThanOrEqual(64);
  expect(bench.server.statistics().sockets).toBeLessThanOrEqual(64);
  bench.advance(60_000, 1000);
  expect(bench.server.statistics().sockets).toBe(0);
});

it('a flood of questions is bounded, and refused by name', async () => {
  const bench = new DnsBench();
  await bench.upstream(RESOLVER, SILENCE);
  for (let i = 0; i < 3000; i++) bench.send(`n${i}.example.com`, 'A');
  expect(bench.server.statistics().questions).toBe(2048);
  expect(bench.counters.get('dns-busy')).toBe(952);
  expect(bench.answers()).toHaveLength(952);
  bench.server.stop();
  bench.advance(20_000, 1000);
  expect(bench.heard()).toBe('nothing');
  expect(bench.net.sockets.filter(({ isClosed }) => !isClosed)).toHaveLength(1);
});

describe('over TCP', () => {
  it('a truncated answer is asked for again', async () => {
    const bench = new DnsBench();
    await bench.upstream(RESOLVER, () => ({ flags: 0x0200 }));
    await bench.net.listen({ kind: 'tcp', endpoint: RESOLVER }, (stream) => {
      stream.resume();
      return {
        opened: () => undefined,
        failed: () => undefined,
        received: (bytes) => {
          const query = { id: (bytes[2]! << 8) | bytes[3]!, questions: [{ name: 'example.com', type: 'A' }] };
          const answer = answerOf(query, ADDRESS(query));
          // In two pieces.
          stream.write(Uint8Array.of(0, answer.length, ...answer.subarray(0, 10)));
          stream.write(answer.slice(10));
        },
        ended: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      };
    });
    expect(bench.ask('example.com')).toBe(FOUND);
    expect(bench.counters.get('dns-forwarded-over-tcp')).toBe(1);
  });

  it('a server that does not listen is followed by the next', async () => {
    const bench = new DnsBench({ upstream: [RESOLVER, SECOND] });
    await bench.upstream(RESOLVER, () => ({ flags: 0x0200 }));
    await bench.upstream(SECOND, ADDRESS);
    bench.send('example.com', 'A');
    bench.net.lastStream.fail('refused');
    bench.net.turn();
    expect(bench.heard()).toBe(FOUND);
  });
});

it('queries with other ids and questions do not mix', async () => {
  const bench = new DnsBench();
  await bench.upstream(RESOLVER, (query) => ({
    answers: [{ ...a(query.questions![0]!.name, `198.51.100.${query.questions![0]!.name.charAt(1)}`) }],
  }));
  for (let i = 1; i < 9; i++) bench.sendOctets(queryOf(`n${i}.example.com`, 'A', { id: i }));
  expect(bench.answers().map(({ id, answers }) => [id, (answers![0] as { data: string }).data])).toEqual(
    Array.from({ length: 8 }, (_, i) => [i + 1, `198.51.100.${i + 1}`]),
  );
});

it('a negative answer of an upstream has its SOA', async () => {
  const bench = new DnsBench();
  await bench.upstream(RESOLVER, () => ({ flags: 3, authorities: [soa('example.com', 20)] }));
  expect(bench.ask('no.example.com')).toBe('NXDOMAIN / SOA example.com 20');
});

import { describe, expect, it } from 'vitest';
import { a, DnsBench, edns, queryOf, RESOLVER } from '../../support/dns-peer.ts';
import { hex } from '../../support/frames.ts';
import { octets } from '../../support/stack-peer.ts';

const QUESTION = '03 77 65 62 00 00 01 00 01';

/** What is answered to these octets, and what was counted. */
function said(bytes: Uint8Array): { answer: string; counted: string[] } {
  const bench = new DnsBench();
  bench.sendOctets(bytes);
  return { answer: bench.heard(), counted: Object.keys(bench.counters.toRecord()) };
}

describe('a query that is none', () => {
  it.each([
    ['too short', '12 34 01 00 00 01', 'nothing', 'dns-malformed'],
    ['an answer', `12 34 81 00 00 01 00 00 00 00 00 00 ${QUESTION}`, 'nothing', 'dns-not-a-query'],
    ['an update', `12 34 28 00 00 01 00 00 00 00 00 00 ${QUESTION}`, 'NOTIMP', 'dns-not-implemented'],
    ['about nothing', '12 34 01 00 00 00 00 00 00 00 00 00', 'FORMERR', 'dns-malformed'],
    ['about two things', `12 34 01 00 00 02 00 00 00 00 00 00 ${QUESTION} ${QUESTION}`, 'FORMERR', 'dns-malformed'],
    ['cut', '12 34 01 00 00 01 00 00 00 00 00 00 03 77 65', 'FORMERR', 'dns-malformed'],
    ['of class CH', '12 34 01 00 00 01 00 00 00 00 00 00 03 77 65 62 00 00 10 00 03', 'REFUSED', 'dns-refused'],
    ['for a transfer', '12 34 01 00 00 01 00 00 00 00 00 00 03 77 65 62 00 00 fc 00 01', 'REFUSED', 'dns-refused'],
  ])('because it is %s', (_why, octets, answer, counter) => {
    const heard = said(hex(octets));
    expect(heard.answer).toBe(answer);
    expect(heard.counted).toContain(counter);
  });

  it('because of its EDNS version is told which we speak', () => {
    const bench = new DnsBench();
    bench.sendOctets(hex(`12 34 01 00 00 01 00 00 00 00 00 01 ${QUESTION} 00 00 29 04 d0 00 01 00 00 00 00`));
    const [answer] = bench.answers();
    expect(answer).toMatchObject({
      rcode: 'NOERROR',
      additionals: [{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }],
    });
  });

  it('has id, opcode and RD in its answer', () => {
    const bench = new DnsBench();
    bench.sendOctets(hex(`12 34 29 00 00 01 00 00 00 00 00 00 ${QUESTION}`));
    expect(bench.octets()[0]).toEqual(hex('12 34 a9 04 00 00 00 00 00 00 00 00'));
  });
});

describe('an answer that is long', () => {
  const LONG = { answers: Array.from({ length: 60 }, (_, i) => a('example.com', `198.51.100.${i}`)) };

  async function answered(mtu: number, udpLength: number | undefined): Promise<number | 'truncated'> {
    const bench = new DnsBench({}, mtu);
    await bench.upstream(RESOLVER, () => LONG);
    bench.send('example.com', 'A', udpLength === undefined ? {} : edns(udpLength));
    const [bytes] = bench.octets();
    return (bytes![2]! & 2) === 0 ? bytes!.length : 'truncated';
  }

  it.each([
    [1500, undefined, 'truncated'],
    [1500, 512, 'truncated'],
    [1500, 0, 'truncated'],
    [1500, 1232, 'truncated'],
    [1500, 4096, 'truncated'],
    [9000, 4096, 1660],
    [9000, 1660, 1660],
    [9000, 1659, 'truncated'],
    [576, 4096, 'truncated'],
  ] as const)('at MTU %i is, for a client that takes %s octets, %s', async (mtu, udpLength, expected) => {
    expect(await answered(mtu, udpLength)).toBe(expected);
  });

  it('is header, question and EDNS when it is truncated', async () => {
    const bench = new DnsBench();
    await bench.upstream(RESOLVER, () => LONG);
    expect(bench.ask('example.com', 'A', edns())).toBe('NOERROR tc +edns');
    expect(bench.counters.get('dns-truncated')).toBe(1);
  });

  it('of the lab itself is truncated too', () => {
    const records = LONG.answers.map((_, i) => ({ name: 'many', type: 'A' as const, address: `10.0.2.${i}` }));
    const bench = new DnsBench({ records });
    expect(bench.ask('many')).toBe('NOERROR aa tc');
    expect(bench.ask('many', 'A', edns(4096))).toMatch(/^NOERROR aa many A 60 10.0.2.0 .*10.0.2.59 \+edns$/);
  });
});

it('nobody off the link is answered', () => {
  const bench = new DnsBench();
  const from = { address: octets('192.0.2.1'), port: 4000 };
  bench.far.udp.sendFrom(from, { address: octets('10.0.2.3'), port: 53 }, queryOf('web', 'A', { id: 1 }));
  expect(bench.counters.get('dns-off-link')).toBe(1);
  expect(bench.counters.get('dns-queries')).toBe(0);
});

it('who stops listens no more', () => {
  const bench = new DnsBench();
  bench.server.stop();
  expect(bench.ask('web')).toBe('nothing');
  bench.server.start(bench.near);
  expect(bench.ask('web')).toContain('10.0.2.15');
});

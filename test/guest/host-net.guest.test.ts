import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Three network namespaces, which need root: a host, a router, and a far host behind a link of 1400 octets.
 *
 *     near 10.77.1.2 ── 10.77.1.1 router 10.77.2.1 ── 10.77.2.2 far
 */
const [NEAR, ROUTER, FAR] = ['near', 'router', 'far'].map((name) => `vmlan-${name}-${process.pid}`) as [
  string,
  string,
  string,
];
const [TO_NEAR, TO_FAR] = [`vmn${process.pid}`, `vmf${process.pid}`] as const;
const PROBE = fileURLToPath(new URL('support/host-net-probe.ts', import.meta.url));

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What the host's network tells in the near namespace. */
function probe(...words: readonly string[]) {
  const said = execFileSync('ip', ['netns', 'exec', NEAR, process.execPath, '--import', 'tsx', PROBE, ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return JSON.parse(said) as { readonly abilities: object; readonly lines: readonly object[] };
}

function allowPingSockets(range: string): void {
  execFileSync('ip', ['netns', 'exec', NEAR, 'sysctl', '-qw', `net.ipv4.ping_group_range=${range}`]);
}

describe('the network of a host behind a router', () => {
  beforeAll(() => {
    for (const name of [NEAR, ROUTER, FAR]) ip(`netns add ${name}`);
    for (const [name, link, subnet] of [
      [NEAR, TO_NEAR, '10.77.1'],
      [FAR, TO_FAR, '10.77.2'],
    ]) {
      ip(`-n ${ROUTER} link add ${link} type veth peer name eth0 netns ${name}`);
      ip(`-n ${ROUTER} addr add ${subnet}.1/24 dev ${link}`);
      ip(`-n ${ROUTER} link set ${link} up`);
      ip(`-n ${name} link set lo up`);
      ip(`-n ${name} addr add ${subnet}.2/24 dev eth0`);
      ip(`-n ${name} link set eth0 up`);
      ip(`-n ${name} route add default via ${subnet}.1`);
    }
    ip(`-n ${ROUTER} link set ${TO_FAR} mtu 1400`);
    ip(`-n ${FAR} link set eth0 mtu 1400`);
    ip(`-n ${ROUTER} route add prohibit 10.77.9.0/24`);
    execFileSync('ip', ['netns', 'exec', ROUTER, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.icmp_ratemask=0']);
  });
  afterAll(() => {
    for (const name of [NEAR, ROUTER, FAR]) ip(`netns del ${name}`);
  });

  it('tells a UDP socket that its time to live ran out, that nobody is there, and the MTU on the way', () => {
    const { abilities, lines } = probe(
      'udp:10.77.2.2:9:1:5',
      'udp:10.77.2.2:9:64:5',
      'udp:10.77.2.2:9:64:1400:df',
      'udp:10.77.9.9:9:64:5',
      'udp:10.77.3.3:9:64:5',
    );
    expect(abilities).toMatchObject({ hasIcmpErrors: true });
    const of = (word: string) => lines.find((line) => (line as { word: string }).word === word);
    const router = '10.77.1.1';
    const to = '10.77.2.2:9';
    expect(of('udp:10.77.2.2:9:1:5')).toMatchObject({ type: 11, code: 0, reporter: router, to, quoted: 5 });
    expect(of('udp:10.77.2.2:9:64:5')).toMatchObject({ type: 3, code: 3, reporter: '10.77.2.2', to, quoted: 5 });
    const tooBig = { type: 3, code: 4, mtu: 1400, reporter: router, to };
    expect(of('udp:10.77.2.2:9:64:1400:df')).toMatchObject(tooBig);
    expect(of('udp:10.77.9.9:9:64:5')).toMatchObject({ type: 3, code: 13, reporter: router });
    expect(of('udp:10.77.3.3:9:64:5')).toMatchObject({ type: 3, code: 0, reporter: router });
  });

  it('tells the MTU of a way that the host has learnt, and what was too long for it', () => {
    const word = 'udp:10.77.2.2:9:64:1390:df';
    probe(word);
    const [line] = probe(word).lines;
    expect(line).toEqual({ word, type: 3, code: 4, mtu: 1400, to: '10.77.2.2:9', quoted: 1390 });
  });

  it.each([
    ['echo', '0 2147483647', 'ping-socket'],
    ['echo', '1 0', 'raw'],
    ['echo-raw', '1 0', 'raw'],
    ['echo-command', '1 0', 'raw'],
  ])('asks with %s, where ping sockets are for the groups %s and %s is chosen', (kind, range, means) => {
    allowPingSockets(range);
    const words = [`${kind}:10.77.2.2:64`, `${kind}:10.77.2.2:1`, `${kind}:10.77.9.9:64`];
    const { abilities, lines } = probe(...words);
    expect(abilities).toMatchObject({ echo: means });
    const of = (word: string) => lines.find((line) => (line as { word: string }).word === word);
    const payload = 'sixteen octets..';
    expect(of(words[0]!)).toMatchObject({ from: '10.77.2.2', sequence: 1000, payload, ttl: 63 });
    const error = { reporter: '10.77.1.1', quoted: 24, type: 11, code: 0, to: '10.77.2.2:0', sequence: 1001 };
    expect(of(words[1]!)).toMatchObject(error);
    expect(of(words[2]!)).toMatchObject({ reporter: '10.77.1.1', type: 3, code: 13, sequence: 1002 });
  });
});

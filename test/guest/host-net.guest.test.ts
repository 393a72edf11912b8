import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Three network namespaces, which need root: a host, a router, and a far host behind a link of 1400 octets.
 *
 *     near 10.77.1.2 ── 10.77.1.1 router 10.77.2.1 ── 10.77.2.2 far
 *          fd77:1::2    fd77:1::1        fd77:2::1    fd77:2::2
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

/** Of each family: subnets of the links, and what ICMP and ICMPv6 call the errors. */
const FAMILIES = [
  {
    family: 'IPv4',
    near: '10.77.1.',
    far: '10.77.2.',
    closed: '10.77.9.',
    unknown: '10.77.3.',
    length: 24,
    hops: { type: 11, code: 0 },
    port: { type: 3, code: 3 },
    prohibited: { type: 3, code: 13 },
    noRoute: { type: 3, code: 0 },
    tooBig: { type: 3, code: 4 },
  },
  {
    family: 'IPv6',
    near: 'fd77:1::',
    far: 'fd77:2::',
    closed: 'fd77:9::',
    unknown: 'fd77:3::',
    length: 64,
    hops: { type: 3, code: 0 },
    port: { type: 1, code: 4 },
    prohibited: { type: 1, code: 1 },
    noRoute: { type: 1, code: 0 },
    tooBig: { type: 2, code: 0 },
  },
] as const;

describe('the network of a host behind a router', () => {
  beforeAll(() => {
    for (const name of [NEAR, ROUTER, FAR]) {
      ip(`netns add ${name}`);
      const settings = ['default', 'all'].map((which) => `net.ipv6.conf.${which}.accept_dad=0`);
      execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', ...settings]);
    }
    for (const [name, link, side] of [
      [NEAR, TO_NEAR, 'near'],
      [FAR, TO_FAR, 'far'],
    ] as const) {
      ip(`-n ${ROUTER} link add ${link} type veth peer name eth0 netns ${name}`);
      ip(`-n ${ROUTER} link set ${link} up`);
      ip(`-n ${name} link set lo up`);
      ip(`-n ${name} link set eth0 up`);
      for (const { [side]: subnet, length } of FAMILIES) {
        ip(`-n ${ROUTER} addr add ${subnet}1/${length} dev ${link}`);
        ip(`-n ${name} addr add ${subnet}2/${length} dev eth0`);
        ip(`-n ${name} route add default via ${subnet}1`);
      }
    }
    ip(`-n ${ROUTER} link set ${TO_FAR} mtu 1400`);
    ip(`-n ${FAR} link set eth0 mtu 1400`);
    ip(`-n ${ROUTER} route add prohibit 10.77.9.0/24`);
    ip(`-n ${ROUTER} -6 route add prohibit fd77:9::/64`);
    const settings = [
      'ipv4.ip_forward=1',
      'ipv4.icmp_ratemask=0',
      'ipv6.conf.all.forwarding=1',
      'ipv6.icmp.ratelimit=0',
    ];
    execFileSync('ip', ['netns', 'exec', ROUTER, 'sysctl', '-qw', ...settings.map((setting) => `net.${setting}`)]);
  });
  afterAll(() => {
    for (const name of [NEAR, ROUTER, FAR]) ip(`netns del ${name}`);
  });

  it.each(FAMILIES)(
    'tells a UDP socket over $family that its hops ran out, that nobody is there, and the MTU on the way',
    ({ near, far, closed, unknown, ...errors }) => {
      const words = [
        `udp,${far}2,9,1,5`,
        `udp,${far}2,9,64,5`,
        `udp,${far}2,9,64,1400,df`,
        `udp,${closed}9,9,64,5`,
        `udp,${unknown}3,9,64,5`,
      ] as const;
      const { abilities, lines } = probe(...words);
      expect(abilities).toMatchObject({ hasIcmpErrors: true });
      const of = (word: string) => lines.find((line) => (line as { word: string }).word === word);
      const reporter = `${near}1`;
      const to = `${far}2 9`;
      expect(of(words[0])).toMatchObject({ ...errors.hops, reporter, to, quoted: 5 });
      expect(of(words[1])).toMatchObject({ ...errors.port, reporter: `${far}2`, to, quoted: 5 });
      expect(of(words[2])).toMatchObject({ ...errors.tooBig, mtu: 1400, reporter, to });
      expect(of(words[3])).toMatchObject({ ...errors.prohibited, reporter });
      expect(of(words[4])).toMatchObject({ ...errors.noRoute, reporter });
    },
  );

  it.each(FAMILIES)(
    'tells the MTU of a way over $family that the host has learnt, and what was too long for it',
    ({ far, tooBig }) => {
      const word = `udp,${far}2,9,64,1390,df`;
      probe(word);
      const [line] = probe(word).lines;
      expect(line).toEqual({ word, ...tooBig, mtu: 1400, to: `${far}2 9`, quoted: 1390 });
    },
  );

  it.each(
    FAMILIES.flatMap((family) => [
      { kind: 'echo', range: '0 2147483647', means: 'ping-socket', ...family },
      { kind: 'echo', range: '1 0', means: 'raw', ...family },
      { kind: 'echo-raw', range: '1 0', means: 'raw', ...family },
      { kind: 'echo-command', range: '1 0', means: 'raw', ...family },
    ]),
  )(
    'asks with $kind over $family, where ping sockets are for the groups $range and $means is chosen',
    ({ kind, range, means, near, far, closed, hops, prohibited }) => {
      allowPingSockets(range);
      const words = [`${kind},${far}2,64`, `${kind},${far}2,1`, `${kind},${closed}9,64`] as const;
      const { abilities, lines } = probe(...words);
      expect(abilities).toMatchObject({ echo: means });
      const of = (word: string) => lines.find((line) => (line as { word: string }).word === word);
      const payload = 'sixteen octets..';
      const reporter = `${near}1`;
      expect(of(words[0])).toMatchObject({ from: `${far}2`, sequence: 1000, payload, ttl: 63 });
      expect(of(words[1])).toMatchObject({ ...hops, reporter, quoted: 24, to: `${far}2 0`, sequence: 1001 });
      expect(of(words[2])).toMatchObject({ ...prohibited, reporter, sequence: 1002 });
    },
  );
});

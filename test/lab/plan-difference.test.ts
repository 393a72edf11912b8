import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/base/issue.ts';
import { changeTexts, planDifference } from '../../src/lab/plan-difference.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
capture: all.pcapng
networks:
  lan: { subnet: 10.0.2.0/24 }
  cable: { kind: hub, gateway: none }
nodes:
  web: { nics: [{ network: lan, address: 10.0.2.80 }, cable] }
  db: { nics: [lan] }
forwards: [tcp 127.0.0.1:8080 -> web:80]
`;

function difference(from: string, to: string) {
  expect(LAB).toContain(from);
  return planDifference(planOf(LAB), planOf(LAB.replace(from, to)));
}

describe('the difference of two plans', () => {
  it.each([
    ['', '', []],
    ['  db:', '  app: { nics: [cable] }\n  db:', ['card app:cable comes']],
    ['  db: { nics: [lan] }\n', '', ['network lan answers otherwise', 'card db:lan goes']],
    ['10.0.2.80', '10.0.2.81', ['network lan answers otherwise']],
    ['forwards:', 'links: { db: { loss: 1% } }\nforwards:', ['link of db:lan changes']],
    [
      '{ nics: [lan] }',
      '{ nics: [{ network: lan, mac: "52:54:00:00:00:09" }] }',
      ['network lan answers otherwise', 'card db:lan comes', 'card db:lan goes'],
    ],
    [
      '{ subnet: 10.0.2.0/24 }',
      '{ subnet: 10.0.2.0/24, dns: { records: [{ name: www, cname: web }] } }',
      ['network lan answers otherwise'],
    ],
    [
      '8080',
      '8081',
      [
        'network lan answers otherwise',
        'forward tcp 127.0.0.1:8081 -> web:80 comes',
        'forward tcp 127.0.0.1:8080 -> web:80 goes',
      ],
    ],
    ['capture: all.pcapng\n', '', ['capture all.pcapng goes']],
    ['all.pcapng', 'new.pcap', ['capture new.pcap comes', 'capture all.pcapng goes']],
    [
      'nodes:',
      'routers: { r1: { interfaces: [{ network: lan, address: 10.0.2.1 }] } }\nnodes:',
      ['network lan answers otherwise', 'router r1 comes'],
    ],
    ['db: { nics: [lan] }', 'db: { nics: [lan], qemu: { memory: 512M } }', ['machine db comes']],
    ['  cable: {', '  wan: { gateway: none }\n  cable: {', ['network wan comes']],
  ])('that has %j as %j is told', (from, to, texts) => {
    const { impossible, ...possible } = difference(from, to);
    expect(changeTexts({ ...possible, impossible })).toEqual(texts);
    expect(impossible).toEqual([]);
  });

  it.each([
    ['{}', '{ managed: true, lifetime: 20m }', []],
    ['{}', '{ dhcp: { lease: 1h } }', []],
    ['{}', 'off', ['networks.lan.ipv6']],
    ['{}', '{ dhcp: off }', ['networks.lan.ipv6']],
    ['{}', "{ prefix: 'fd00:9::/64' }", ['networks.lan.ipv6']],
    ['{}', '{ nat64: on }', ['networks.lan.ipv6']],
  ])('takes over what is told of IPv6, and refuses the rest: %s as %s', (from, to, places) => {
    const lab = (ipv6: string) => planOf(LAB.replace('10.0.2.0/24', `10.0.2.0/24, ipv6: ${ipv6}`));
    const { impossible, networks } = planDifference(lab(from), lab(to));
    expect(impossible.map(({ path }) => path.join('.'))).toEqual(places);
    expect(networks.changed).toHaveLength(1);
  });

  it('tells everything that cannot change, each by its place', () => {
    const now = LAB.replace('name: office', 'name: school')
      .replace('10.0.2.0/24 }', '10.0.0.0/16, mtu: 9000, restrict: true, dns: false }')
      .replace('kind: hub, gateway: none', 'subnet: 10.9.0.0/24')
      .replace('-> web:80', '-> web:lan:80');
    const { impossible } = planDifference(planOf(LAB), planOf(now));
    expect(impossible.map(formatIssue)).toEqual([
      expect.stringMatching(/^name: the name of the lab cannot change while the lab runs; change it back, or stop/),
      expect.stringMatching(/^networks\.lan\.mtu: /),
      expect.stringMatching(/^networks\.lan\.subnet: the subnet or the address of the gateway of network lan /),
      expect.stringMatching(/^networks\.lan\.gateway: what the way out allows of network lan /),
      expect.stringMatching(/^networks\.lan\.dns: whether there is a name server of network lan /),
      expect.stringMatching(/^networks\.cable\.kind: /),
      expect.stringMatching(/^networks\.cable\.gateway: whether network cable has a gateway /),
    ]);
  });

  it('has a machine stay as it is', () => {
    const withMemory = (memory: string) => planOf(LAB.replace('db: {', `db: { qemu: { memory: ${memory} },`));
    const { impossible } = planDifference(withMemory('512M'), withMemory('1G'));
    expect(impossible.map(formatIssue)).toEqual([
      expect.stringMatching(/^nodes\.db\.qemu: the machine of node db cannot change while the lab runs; /),
    ]);
  });

  it.each([
    ['cloud-init: { hostname: one },', 'cloud-init: { hostname: two },'],
    ['', 'cloud-init: { hostname: one },'],
    ['cloud-init: { hostname: one },', ''],
  ])('has cloud-init find what it found: %j and not %j', (before, now) => {
    const withSeed = (words: string) => planOf(LAB.replace('db: {', `db: { ${words}`));
    expect(planDifference(withSeed(before), withSeed(now)).impossible.map(formatIssue)).toEqual([
      expect.stringMatching(
        /^nodes\.db\.cloud-init: what cloud-init of node db finds cannot change while the lab runs; /,
      ),
    ]);
  });

  it('does not write one file twice', () => {
    const { impossible } = difference('capture: all.pcapng', 'capture: { file: all.pcapng, snap-length: 96 }');
    expect(impossible.map(({ message }) => message)).toEqual([
      'what is recorded to all.pcapng cannot change while the lab runs',
    ]);
  });
});

import * as packets from '@leichtgewicht/dns-packet';
import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import type { GatewayPlan } from '../../src/lab/plan.ts';
import { Stack } from '../../src/stack/stack.ts';
import { formatIpv6 } from '../../src/wire/ipv6-text.ts';
import { formatMac } from '../../src/wire/mac.ts';
import type { RouterAdvertisement } from '../../src/wire/ndp.ts';
import { B } from '../support/frames.ts';
import { ip6 } from '../support/ipv6-peer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryState } from '../support/memory-files.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { planOf } from '../support/plan-of.ts';

/** A network without IPv4 whose machine `web` is B. */
const LAB = `
networks:
  lan:
    ipv4: off
    ipv6: { prefix: 'fd00:1::/64', nat64: on }
    dns: { records: [{ name: old, a: 10.9.0.7 }, { name: new, aaaa: 'fd00:9::7' }] }
nodes:
  web: { nics: [{ network: lan, mac: '${formatMac(B)}' }] }
  db: { nics: [{ network: lan, ipv6: 'fd00:1::db' }] }
`;

describe('the gateway of a network without IPv4', () => {
  let scheduler: ManualScheduler;
  let gateway: Gateway;
  let web: Stack;
  let heard: RouterAdvertisement[];

  beforeEach(async () => {
    scheduler = new ManualScheduler();
    heard = [];
    const plan = planOf(LAB).networks[0]!.gateway as GatewayPlan;
    gateway = new Gateway(
      { ...plan, mtu: 1500 },
      {
        scheduler,
        wallClock: scheduler,
        random: new SeededRandom(1),
        net: new MemoryHostNet(),
        resolvers: { servers: () => [] },
        log: () => undefined,
        leases: new MemoryState(),
        leases6: new MemoryState(),
      },
    );
    web = new Stack({ mac: B, mtu: 1500, scheduler, random: new SeededRandom(2) });
    web.attach(gateway.port);
    gateway.port.attach(web);
    web.ndp.onAdvertisement((advertisement) => void heard.push(structuredClone(advertisement)));
    await gateway.start();
    web.configure({
      ipv6: { interface: { address: ip6('fd00:1::b'), prefixLength: 64 }, defaultRoute: ip6('fd00:1::1') },
    });
    scheduler.advance(20_000);
  });

  /** What the name server says by IPv6. */
  function ask(name: string, type: packets.RecordType): readonly unknown[] {
    const answers: packets.Packet[] = [];
    const socket = web.udp.open(0, ({ payload }) => void answers.push(packets.decode(payload)));
    const query = packets.encode({
      type: 'query',
      id: 7,
      flags: packets.RECURSION_DESIRED,
      questions: [{ name, type }],
    });
    socket.send({ address: ip6('fd00:1::1'), port: 53 }, query);
    socket.close();
    return (answers[0]?.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined));
  }

  it('advertises itself, its prefix, its name server and the prefix of NAT64', () => {
    expect(heard[0]).toMatchObject({ routerLifetime: 1800, isManaged: false, hasOtherConfiguration: true });
    expect(heard[0]!.options.map(({ kind }) => kind)).toEqual([
      'prefix',
      'dns-servers',
      'search-domains',
      'nat64-prefix',
    ]);
  });

  it('knows a machine that made itself an address by the name of its card', () => {
    expect(ask('web', 'AAAA')).toEqual(['fd00:1::b']);
    expect(ask('web.lab.internal', 'A')).toEqual([]);
    expect(gateway.learnt().map(({ mac, address }) => [mac, formatIpv6(address)])).toEqual([[B, 'fd00:1::b']]);
  });

  it('knows a reserved address and its own, and back', () => {
    expect(ask('db', 'AAAA')).toEqual(['fd00:1::db']);
    expect(ask('gateway', 'AAAA')).toEqual(['fd00:1::1']);
    expect(ask(reverse('fd00:1::db'), 'PTR')).toEqual(['db.lab.internal']);
    expect(ask(reverse('fd00:1::b'), 'PTR')).toEqual(['web.lab.internal']);
    expect(ask(reverse('fd00:1::77'), 'PTR')).toEqual([]);
  });

  it('leads from IPv6 to names that have IPv4 only, and to no others', () => {
    expect(ask('old', 'AAAA')).toEqual(['64:ff9b::a09:7']);
    expect(ask('new', 'AAAA')).toEqual(['fd00:9::7']);
    expect(ask('ipv4only.arpa', 'AAAA')).toEqual(['64:ff9b::c000:aa', '64:ff9b::c000:ab']);
    expect(ask('nobody.lab.internal', 'AAAA')).toEqual([]);
    expect(ask(reverse('64:ff9b::a09:7'), 'PTR')[0]).toBe('7.0.9.10.in-addr.arpa');
  });

  it('forgets addresses that nobody speaks of any more', () => {
    scheduler.advance(14_400_000);
    expect(gateway.learnt()).toEqual([]);
  });
});

function reverse(address: string): string {
  const digits = [...ip6(address)].map((octet) => octet.toString(16).padStart(2, '0')).join('');
  return [...digits].reverse().concat('ip6.arpa').join('.');
}

import { describe, expect, it } from 'vitest';
import { LabRouting } from '../../src/lab/lab-routing.ts';
import { Stack } from '../../src/stack/stack.ts';
import { ipv4Octets } from '../../src/wire/ipv4-address.ts';
import { ip6 } from '../support/ipv6-peer.ts';
import { LabBench } from '../support/lab-bench.ts';
import { ip, octets } from '../support/stack-peer.ts';

const WORLD = ip('192.0.2.7');

describe('networks that are nat or routed', () => {
  const LAB = `
networks:
  lan: { subnet: 10.0.2.0/24 }
  dmz: { subnet: 10.0.3.0/24, gateway: routed, kind: hub }
  back: { subnet: 10.0.4.0/24, gateway: isolated }
  still: { subnet: 10.0.5.0/24, restrict: true }
nodes:
  web: { nics: [{ network: dmz, address: 10.0.3.80 }] }
  pc: { nics: [lan] }
  db: { nics: [{ network: back, address: 10.0.4.80 }] }
  vault: { nics: [{ network: still, address: 10.0.5.80 }] }
`;
  const PING = { timeout: 1000 };

  it('reach each other, by name too', async () => {
    const bench = await LabBench.start(LAB);
    const [pc, web] = [bench.station('pc:lan'), bench.station('web:dmz')];
    expect(await bench.during(pc.ping(ip('10.0.3.80')))).toMatchObject({ kind: 'reply' });
    expect(await bench.during(web.ping(pc.lease!.interface.address))).toMatchObject({ kind: 'reply' });
    expect(await bench.during(pc.ping(ip('10.0.3.2')))).toMatchObject({ kind: 'reply' });
    expect(await bench.during(pc.lookUp('web'))).toMatchObject({ addresses: [octets('10.0.3.80')] });
    expect(await bench.during(web.lookUp('pc.lab.internal'))).toMatchObject({ addresses: [octets('10.0.2.15')] });
  });

  it('carry conversations without any socket of the host', async () => {
    const bench = await LabBench.start(LAB);
    bench.station('web:dmz').serveHttp(80, () => 'hello');
    const to = { address: ipv4Octets(ip('10.0.3.80')), port: 80 };
    expect(await bench.during(bench.station('pc:lan').fetchHttp(to, 'web', '/'))).toMatchObject({
      kind: 'done',
      octets: new TextEncoder().encode('hello'),
    });
    expect(bench.environment.net.streams).toHaveLength(0);
  });

  it('are not reached from those that are isolated or restricted, nor lead there', async () => {
    const bench = await LabBench.start(LAB);
    const pc = bench.station('pc:lan');
    for (const far of ['db:back', 'vault:still']) {
      const station = bench.station(far);
      expect((await bench.during(station.ping(ip('10.0.3.80'), PING))).kind).not.toBe('reply');
      expect((await bench.during(pc.ping(station.lease!.interface.address, PING))).kind).not.toBe('reply');
    }
    expect(await bench.during(pc.lookUp('db'))).not.toHaveProperty('addresses');
  });

  it('lead to the world from where it is nat only', async () => {
    const bench = await LabBench.start(LAB);
    void bench.station('pc:lan').ping(WORLD);
    await bench.environment.scheduler.run(100);
    expect(bench.environment.net.echoes).toHaveLength(1);
    expect(await bench.during(bench.station('web:dmz').ping(WORLD))).toEqual({ kind: 'unreachable', code: 0 });
    expect(bench.environment.net.echoes).toHaveLength(1);
  });

  it('tell their routes', async () => {
    const { lab } = await LabBench.start(LAB);
    const told = lab.status().networks.map(({ name, gateway }) => [name, gateway?.routes]);
    expect(Object.fromEntries(told)).toEqual({ lan: [], dmz: [], back: undefined, still: undefined });
  });
});

it("a gateway's own addresses are closed to conversations from other networks", async () => {
  const bench = await LabBench.start(`
networks:
  lan: { subnet: 10.0.2.0/24, host-access: all }
  dmz: { subnet: 10.0.3.0/24, host-access: all }
nodes: { pc: { nics: [lan] } }
`);
  const to = { address: ipv4Octets(ip('10.0.3.2')), port: 80 };
  expect(await bench.during(bench.station('pc:lan').fetchHttp(to, 'gateway', '/'))).toMatchObject({
    kind: 'failed',
    why: 'refused',
  });
  expect(bench.environment.net.streams).toHaveLength(0);
});

describe('networks that routers join', () => {
  const CAMPUS = `
networks:
  lan: { subnet: 10.0.2.0/24, routes: [{ to: 10.3.0.0/24, via: 10.0.2.1 }, { to: 10.4.0.0/24, via: 10.0.2.1 }, { to: 10.5.0.0/24, via: 10.0.2.1 }] }
  mid: { subnet: 10.3.0.0/24, gateway: isolated }
  far: { subnet: 10.4.0.0/24, gateway: isolated, kind: hub }
  bare: { subnet: 10.5.0.0/24, gateway: none }
routers:
  r1:
    interfaces: [{ network: lan, address: 10.0.2.1 }, { network: mid, address: 10.3.0.1 }]
    routes: [{ to: 10.4.0.0/15, via: 10.3.0.9 }, { to: 0.0.0.0/0, via: 10.0.2.2 }]
  r2:
    interfaces: [{ network: mid, address: 10.3.0.9 }, { network: far, address: 10.4.0.1 }, { network: bare, address: 10.5.0.1 }]
    routes: [{ to: 0.0.0.0/0, via: 10.3.0.1 }]
nodes: { a: { nics: [lan] }, b: { nics: [mid] }, c: { nics: [far] } }
forwards: [tcp 8080 -> 10.5.0.7:80]
`;

  it('reach each other, by name too, and the world by the gateway that is nat', async () => {
    const bench = await LabBench.start(CAMPUS);
    const stations = ['a:lan', 'b:mid', 'c:far'].map((port) => bench.station(port));
    for (const one of stations) {
      for (const { name, lease } of stations) {
        const { address } = lease!.interface;
        expect(await bench.during(one.lookUp(name), 100)).toMatchObject({ addresses: [ipv4Octets(address)] });
        if (name !== one.name) expect(await bench.during(one.ping(address), 100)).toMatchObject({ kind: 'reply' });
      }
    }
    void stations[2]!.ping(WORLD);
    await bench.environment.scheduler.run(100);
    expect(bench.environment.net.echoes.map(({ sent }) => sent.map(({ ttl }) => ttl))).toEqual([[61]]);
  });

  it('know routers by name, all interfaces and each, the nearest first', async () => {
    const bench = await LabBench.start(CAMPUS);
    const ask = (port: string, name: string) => bench.during(bench.station(port).lookUp(name), 100);
    expect(await ask('c:far', 'r2')).toMatchObject({ addresses: ['10.4.0.1', '10.3.0.9', '10.5.0.1'].map(octets) });
    expect(await ask('a:lan', 'r2-far.lab.internal')).toMatchObject({ addresses: [octets('10.4.0.1')] });
  });

  it('lead forwards to machines behind them, which need no DHCP', async () => {
    const bench = await LabBench.start(CAMPUS);
    const { scheduler, random, net } = bench.environment;
    const host = new Stack({ mac: 0x525400000099, mtu: 1500, scheduler, random });
    host.configure({ interface: { address: ip('10.5.0.7'), prefixLength: 24 }, defaultRoute: ip('10.5.0.1') });
    bench.lab.network('bare')!.plugStation('host', host.mac, () => host);
    const calls: unknown[] = [];
    host.tcp.listen(80, (request) => calls.push(request.from.address));
    net.listeners[0]!.arrive();
    await scheduler.run(2000);
    expect(calls).toEqual([ipv4Octets(ip('10.0.2.2'))]);
  });

  it('have ports, addresses, drops and routes in the status', async () => {
    const { lab } = await LabBench.start(CAMPUS);
    expect(lab.status().routers[0]).toEqual({
      name: 'r1',
      interfaces: [
        { port: 'r1:lan', network: 'lan', address: '10.0.2.1/24', mac: '52:55:0a:00:02:01' },
        { port: 'r1:mid', network: 'mid', address: '10.3.0.1/24', mac: '52:55:0a:03:00:01' },
      ],
      routes: [
        { to: '10.4.0.0/15', via: '10.3.0.9' },
        { to: '0.0.0.0/0', via: '10.0.2.2' },
      ],
    });
    expect(lab.status().ports.map(({ port }) => port)).toContain('r2:bare');
  });
});

it('a router whose plan stays is left as it is, and one that is planned no longer has no ports', async () => {
  const { lab, environment, plan } = await LabBench.start(`
networks: { lan: { subnet: 10.0.2.0/24 } }
routers: { r1: { interfaces: [{ network: lan, address: 10.0.2.1 }] } }
nodes: { a: { nics: [lan] } }
`);
  const lan = lab.network('lan')!;
  const networks = new Map([['lan', lan]]);
  const routing = new LabRouting(environment);
  const r2 = { ...plan.routers![0]!, name: 'r2' };
  routing.join(networks, [r2]);
  const jack = lan.jack('r2:lan');
  routing.join(networks, [structuredClone(r2)]);
  expect([jack?.isConnected, lan.jack('r2:lan')]).toEqual([true, jack]);
  routing.join(networks, [{ ...r2, interfaces: [{ ...r2.interfaces[0]!, name: 'eth0' }] }]);
  expect([jack?.isConnected, lan.jack('r2:lan'), lan.jack('r2:eth0')?.isConnected]).toEqual([false, undefined, true]);
  routing.join(networks, []);
  expect(lan.jack('r2:eth0')).toBeUndefined();
});

describe('networks of IPv6', () => {
  const LAB = `
networks:
  lan: { ipv6: { prefix: 'fd00:1::/64' } }
  new: { ipv4: off, ipv6: { prefix: 'fd00:2::/64' }, routes: [{ to: 'fd00:3::/64', via: 'fd00:2::9' }] }
  back: { gateway: none, ipv6: { prefix: 'fd00:3::/64' } }
nodes: { pc: { nics: [lan] }, web: { nics: [new] } }
routers:
  r1:
    interfaces: [{ network: new, ipv6: 'fd00:2::9' }, { network: back, ipv6: 'fd00:3::1' }]
    routes: [{ to: '::/0', via: 'fd00:2::1' }]
`;

  it('reach each other and what lies behind routers, by the names of addresses that machines made themselves', async () => {
    const bench = await LabBench.start(LAB);
    const [pc, web] = [bench.station('pc:lan'), bench.station('web:new')];
    await bench.during(pc.autoconfigure(5000));
    const own = web.ipv6!.interface.address;
    expect(await bench.during(pc.ping(own))).toMatchObject({ kind: 'reply' });
    expect(await bench.during(pc.ping(ip6('fd00:3::1')))).toMatchObject({ kind: 'reply' });
    expect(await bench.during(pc.lookUp('web', 'AAAA'))).toMatchObject({ addresses: [own] });
    expect(await bench.during(web.lookUp('r1-back', 'AAAA'))).toMatchObject({ addresses: [ip6('fd00:3::1')] });
  });

  it('are told of in the status of the lab', async () => {
    const status = (await LabBench.start(LAB)).lab.status();
    expect(status.networks.map(({ subnet, gateway }) => [subnet, gateway?.ipv6?.prefix])).toEqual([
      ['10.0.2.0/24', 'fd00:1::/64'],
      [undefined, 'fd00:2::/64'],
      [undefined, undefined],
    ]);
    expect(status.networks[1]!.gateway!.routes).toEqual([{ to: 'fd00:3::/64', via: 'fd00:2::9' }]);
    expect(status.routers[0]).toMatchObject({
      interfaces: [{ ipv6: 'fd00:2::9/64' }, { ipv6: 'fd00:3::1/64' }],
      routes: [{ to: '::/0', via: 'fd00:2::1' }],
    });
  });
});

import { describe, expect, it } from 'vitest';
import { ipv4Octets } from '../../src/wire/ipv4-address.ts';
import { LabBench } from '../support/lab-bench.ts';
import { ip } from '../support/stack-peer.ts';

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
    expect(await bench.during(pc.lookUp('web'))).toMatchObject({ addresses: [ip('10.0.3.80')] });
    expect(await bench.during(web.lookUp('pc.lab.internal'))).toMatchObject({ addresses: [ip('10.0.2.15')] });
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

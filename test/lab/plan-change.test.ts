import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { labDoors } from '../../src/cli/sockets.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { Impairment } from '../../src/link/impairment.ts';
import { Station } from '../../src/station/station.ts';
import { formatIpv4, ipv4Octets } from '../../src/wire/ipv4-address.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, frame } from '../support/frames.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
capture: all.pcapng
networks:
  lan: { ipv6: off, subnet: 10.0.2.0/24 }
nodes:
  web: { nics: [{ network: lan, address: 10.0.2.80 }] }
  db: { nics: [lan] }
forwards: [tcp 127.0.0.1:8080 -> web:80]
`;

const BIGGER = `
name: office
capture: all.pcapng
networks:
  lan: { ipv6: off, subnet: 10.0.2.0/24, dns: { records: [{ name: www, cname: app }] } }
  wan: { subnet: 10.0.9.0/24, ipv6: off }
nodes:
  web: { nics: [{ network: lan, address: 10.0.2.80 }, wan] }
  db: { nics: [lan] }
  app: { nics: [{ network: lan, address: 10.0.2.90 }] }
forwards: [tcp 127.0.0.1:8080 -> web:lan:80, tcp 127.0.0.1:9090 -> app:80]
`;

async function office() {
  const environment = new MemoryEnvironment();
  const plan = planOf(LAB);
  const lab = await RunningLab.start(plan, labDoors(plan, 'run'), environment);
  return { environment, lab };
}

function change(lab: RunningLab, text: string): Promise<void> {
  const plan = planOf(text);
  return lab.change(plan, labDoors(plan, 'run'));
}

/** A machine at its port, with its lease. */
async function boot(lab: RunningLab, environment: MemoryEnvironment, node: string): Promise<Station> {
  const { mac } = lab.plan.nics.find((nic) => nic.node === node && nic.network === 'lan')!;
  const { scheduler, random } = environment;
  const station = new Station({ name: node, mac, mtu: 1500, scheduler, random });
  environment.arrive(`unix:run/${node}.lan.sock`, station.port);
  const booting = station.boot(5000);
  await scheduler.run(2000);
  await booting;
  return station;
}

/** What comes to the machine takes its time: 8 Mbit/s. */
function slowDown(lab: RunningLab, { scheduler }: MemoryEnvironment, port: string): void {
  const jack = lab.network('lan')!.jack(port)!;
  const impairment = new Impairment(jack.beyond['to-guest'], jack, scheduler, () => new SeededRandom(1));
  impairment.update({ rate: 8_000_000 });
  jack.impair('to-guest', impairment);
}

describe('a running lab that gets another plan', () => {
  it('has what comes, and connections of those that stay go on', async () => {
    const { environment, lab } = await office();
    const [web, db] = [await boot(lab, environment, 'web'), await boot(lab, environment, 'db')];
    slowDown(lab, environment, 'db:lan');
    const page = 'x'.repeat(1_000_000);
    web.serveHttp(80, () => page);
    const to = { address: ipv4Octets(web.lease!.interface.address), port: 80 };
    const fetching = db.fetchHttp(to, 'web', '/');
    await environment.scheduler.run(300);
    const passed = () => lab.status().ports.find(({ port }) => port === 'db:lan')!.toGuest.octets;
    expect(passed()).toBeLessThan(600_000);

    await change(lab, BIGGER);
    const app = await boot(lab, environment, 'app');
    expect(formatIpv4(app.lease!.interface.address)).toBe('10.0.2.90');
    expect(await fetching).toMatchObject({ kind: 'done', octets: { length: page.length } });
    expect(lab.status().ports.map(({ port, connected }) => `${port} ${connected}`)).toEqual([
      'web:lan true',
      'db:lan true',
      'lan:gateway true',
      'app:lan true',
      'wan:gateway true',
      'web:wan false',
    ]);
    expect(lab.forwards.list().map(({ rule }) => rule)).toEqual([
      'tcp 127.0.0.1:8080 -> web:80',
      'tcp 127.0.0.1:9090 -> app:80',
    ]);
    expect(lab.leases().map(({ address }) => address)).toEqual(['10.0.2.80', '10.0.2.15', '10.0.2.90']);
    const asking = db.lookUp('www.lab.internal');
    await environment.scheduler.run(100);
    expect(await asking).toMatchObject({ kind: 'found', addresses: [ipv4Octets(app.lease!.interface.address)] });
  });

  it('records what comes in the captures of the whole lab', async () => {
    const { environment, lab } = await office();
    await change(lab, BIGGER);
    const machine = new FakePort();
    environment.arrive('unix:run/web.wan.sock', machine);
    machine.inject(frame(BROADCAST_MAC, A));
    await lab.stop();
    const reader = new PcapngReader();
    reader.feed(environment.files.get('all.pcapng')!.bytes);
    expect(reader.interfaces.map(({ name }) => name)).toContain('web:wan');
  });

  it('gives back what goes, and changes nothing else', async () => {
    const { environment, lab } = await office();
    const before = { status: lab.status(), doors: environment.openDoors, listeners: environment.net.listeners.length };
    await change(lab, BIGGER);
    const machine = environment.arrive('unix:run/web.wan.sock', new FakePort());
    await change(lab, LAB);
    machine.leave(); // its socket tells so afterwards
    expect(lab.status()).toEqual({
      ...before.status,
      forwards: [expect.objectContaining({ listen: '127.0.0.1:8080' })],
    });
    expect(environment.openDoors).toEqual(before.doors);
    expect(environment.net.listeners).toHaveLength(before.listeners);
    expect(environment.eventNames.filter((name) => name === 'port-left')).toHaveLength(1);
  });

  it('refuses an address that now belongs to another, and forgets the lease of a reservation that moved', async () => {
    const { environment, lab } = await office();
    await boot(lab, environment, 'web');
    await change(lab, LAB.replace('10.0.2.80', '10.0.2.81'));
    expect(lab.leases()).toEqual([]);
    expect(lab.names()[0]!.names).toContainEqual({ name: 'web', address: '10.0.2.81' });
  });

  it.each([
    ['a port of the host', BIGGER.replace('9090', '7070')],
    ['a door', BIGGER.replaceAll('app:', 'taken:').replace('cname: app', 'cname: web')],
  ])('is as it was where the machine refuses %s', async (_, text) => {
    const { environment, lab } = await office();
    const blocker = await environment.net.listen(
      { kind: 'tcp', endpoint: { address: Uint8Array.of(127, 0, 0, 1), port: 7070 } },
      () => ({}) as never,
    );
    const before = lab.status();
    const doors = environment.openDoors;
    await expect(change(lab, text)).rejects.toThrow(/taken/);
    expect(lab.status()).toEqual(before);
    expect(environment.openDoors).toEqual(doors);
    await blocker.close();
    await change(lab, BIGGER);
  });

  it('refuses what cannot be, and a second change at the same time', async () => {
    const { lab } = await office();
    await expect(change(lab, LAB.replace('2.0/24', '0.0/16'))).rejects.toMatchObject({ code: 'cannot-change' });
    const [first, second] = await Promise.allSettled([change(lab, BIGGER), change(lab, BIGGER)]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
  });
});

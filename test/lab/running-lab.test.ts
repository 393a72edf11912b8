import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import type { DoorPlan } from '../../src/lab/plan.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { SERVE_NETWORK, servePlan } from '../../src/lab/serve-plan.ts';
import { Station } from '../../src/station/station.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
capture: all.pcapng
networks:
  lan: { subnet: 10.0.2.0/24, ipv6: off, capture: lan.pcap }
nodes:
  web: { nics: [{ network: lan, address: 10.0.2.80, capture: web.pcapng }] }
  db: { nics: [lan] }
`;

async function officeLab(documents?: Map<string, string>) {
  const environment = new MemoryEnvironment(documents);
  const plan = planOf(LAB);
  const doors: DoorPlan[] = plan.nics.map((nic) => ({
    mode: 'listen',
    address: { kind: 'unix', path: nic.node },
    network: nic.network,
    port: `${nic.node}:${nic.name}`,
  }));
  const lab = await RunningLab.start(plan, doors, environment);
  const station = (node: string) => {
    const { mac } = plan.nics.find((nic) => nic.node === node)!;
    return stationOf(environment, node, mac);
  };
  return { environment, lab, station };
}

function stationOf(environment: MemoryEnvironment, name: string, mac: Mac): Station {
  return new Station({ name, mac, mtu: 1500, scheduler: environment.scheduler, random: environment.random });
}

async function serveLab(doors = 1) {
  const environment = new MemoryEnvironment();
  const planned = servePlan({ name: 'serve', hub: false, gateway: true });
  if ('issues' in planned) throw new Error('the plan is wrong');
  const at = Array.from({ length: doors }, (_, i) => ({
    mode: 'listen' as const,
    address: { kind: 'unix' as const, path: `s${i}` },
    network: SERVE_NETWORK,
  }));
  return { environment, lab: await RunningLab.start(planned.plan, at, environment) };
}

/** Boots a station on the lab's clock. */
async function boot(environment: MemoryEnvironment, station: Station): Promise<string | undefined> {
  const booting = station.boot(5000);
  await environment.scheduler.run(2000);
  const lease = await booting;
  return lease && formatIpv4(lease.interface.address);
}

describe('a lab from a file', () => {
  it('gives machines their ports, leases and reachability', async () => {
    const { environment, lab, station } = await officeLab();
    const [web, db] = [station('web'), station('db')];
    environment.arrive('unix:web', web.port);
    environment.arrive('unix:db', db.port);
    expect(await boot(environment, web)).toBe('10.0.2.80');
    expect(await boot(environment, db)).toBe('10.0.2.15');
    const ping = web.ping(db.lease!.interface.address);
    await environment.scheduler.run(100);
    expect((await ping).kind).toBe('reply');
    expect(lab.leases().map(({ address, hostname }) => [address, hostname])).toEqual([
      ['10.0.2.80', 'web'],
      ['10.0.2.15', 'db'],
    ]);
    const ports = lab.status().ports.map(({ port, connected }) => [port, connected]);
    expect(ports).toEqual([
      ['web:lan', true],
      ['db:lan', true],
      ['lan:gateway', true],
    ]);
  });

  it('gives a machine that comes back its port, and everybody else is told nothing', async () => {
    const { environment, lab } = await officeLab();
    const first = environment.arrive('unix:web', new FakePort());
    first.leave();
    const machine = new FakePort();
    const second = environment.arrive('unix:web', machine);
    machine.inject(frame(BROADCAST_MAC, A));
    expect(second.isRefused).toBe(false);
    expect(lab.status().ports[0]).toMatchObject({
      port: 'web:lan',
      connected: true,
      fromGuest: { frames: 1, octets: 60 },
    });
    expect(environment.eventNames).toEqual(['port-connected', 'port-left', 'port-connected']);
  });

  it('turns away a second machine while the port is taken', async () => {
    const { environment } = await officeLab();
    const [first, second] = [new FakePort(), new FakePort()];
    environment.arrive('unix:web', first);
    expect(environment.arrive('unix:web', second).isRefused).toBe(true);
    expect(environment.eventNames).toContain('port-busy');
  });

  it('has each frame once in captures of the lab and its networks, and both directions in those of a port', async () => {
    const { environment, lab } = await officeLab();
    const [web, db] = [new FakePort(), new FakePort()];
    environment.arrive('unix:web', web);
    environment.arrive('unix:db', db);
    web.inject(frame(BROADCAST_MAC, A));
    db.inject(frame(A, B));
    await lab.stop();
    const captured = (file: string) =>
      new PcapngReader()
        .feed(environment.files.get(file)!.bytes)
        .map(({ interfaceName, direction }) => `${interfaceName} ${direction}`);
    expect(captured('all.pcapng')).toEqual(['web:lan from-guest', 'db:lan from-guest']);
    expect(captured('web.pcapng')).toEqual(['web:lan from-guest', 'web:lan to-guest']);
    expect(environment.files.get('lan.pcap')!.isClosed).toBe(true);
  });

  it('gives the same leases after it was killed and started again', async () => {
    const before = await officeLab();
    const first = before.station('db');
    before.environment.arrive('unix:db', first.port);
    await boot(before.environment, stationAt(before, 'unix:web', 'stranger', 0x525400000077));
    expect(await boot(before.environment, first)).toBe('10.0.2.16');

    const after = await officeLab(before.environment.documents);
    const second = after.station('db');
    after.environment.arrive('unix:db', second.port);
    expect(await boot(after.environment, second)).toBe('10.0.2.16');
  });

  it('has the forwards that were added before it was killed', async () => {
    const before = await officeLab();
    await before.lab.forwards.add('tcp 0 -> db:22');
    const after = await officeLab(before.environment.documents);
    expect(after.lab.status().forwards).toEqual(before.lab.status().forwards);
  });

  it('takes down what stood when a part cannot be opened', async () => {
    const environment = new MemoryEnvironment();
    const plan = planOf(LAB);
    const door = (path: string): DoorPlan => ({
      mode: 'listen',
      address: { kind: 'unix', path },
      network: 'lan',
      port: 'web:lan',
    });
    await expect(RunningLab.start(plan, [door('free'), door('taken')], environment)).rejects.toThrow(
      'unix:taken is taken',
    );
    expect(environment.openDoors).toEqual([]);
    expect([...environment.files.values()].every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('listens nowhere any more when one of its forwards cannot', async () => {
    const environment = new MemoryEnvironment();
    const user = 'hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:2222-:23';
    const planned = servePlan({ name: 'serve', hub: false, gateway: true, user });
    const { plan } = planned as Extract<typeof planned, { plan: unknown }>;
    await expect(RunningLab.start(plan, [], environment)).rejects.toThrow('taken');
    expect(environment.net.listeners).toEqual([]);
  });
});

function stationAt(
  { environment }: { environment: MemoryEnvironment },
  where: string,
  name: string,
  mac: Mac,
): Station {
  const station = stationOf(environment, name, mac);
  environment.arrive(where, station.port);
  return station;
}

describe('a network without a file', () => {
  it('numbers machines by the lowest free number', async () => {
    const { environment, lab } = await serveLab(2);
    const visits = ['unix:s0', 'unix:s1', 'unix:s0'].map((where) => environment.arrive(where, new FakePort()));
    visits[1]!.leave();
    environment.arrive('unix:s0', new FakePort());
    environment.arrive('unix:s0', new FakePort());
    const names = lab.status().ports.map(({ port }) => port);
    expect(names.toSorted()).toEqual(['lan:gateway', 'vm1', 'vm2', 'vm3', 'vm4']);
  });

  it('tells by name why a machine was cut off', async () => {
    const { environment, lab } = await serveLab();
    environment.arrive('unix:s0', new FakePort()).leave({ kind: 'oversized-length', length: 134912827 });
    expect(lab.status().networks[0]!.drops).toEqual({ 'oversized-length': 1 });
    expect(environment.entries.at(-1)).toMatchObject({ event: 'port-left', port: 'vm1', reason: 'oversized-length' });
    expect(environment.entries.at(-1)!.message).toContain("134912827 octets; that is not QEMU's framing");
  });

  it('hears machines that came after a capture began', async () => {
    const { environment, lab } = await serveLab();
    const file = await environment.createFile('live');
    const capture = lab.capture({ kind: 'network', network: SERVE_NETWORK }, 'pcapng', file, {}, 'live')!;
    const machine = new FakePort();
    environment.arrive('unix:s0', machine);
    machine.inject(frame(BROADCAST_MAC, A));
    await capture.stop();
    const packets = new PcapngReader().feed(environment.files.get('live')!.bytes);
    expect(packets.map(({ interfaceName }) => interfaceName)).toEqual(['vm1']);
    expect(lab.status().captures).toEqual([]);
  });

  it('goes on capturing a port when its machine comes back', async () => {
    const { environment, lab } = await serveLab();
    const first = new FakePort();
    const visit = environment.arrive('unix:s0', first);
    const file = await environment.createFile('vm1');
    const capture = lab.capture({ kind: 'port', port: 'vm1' }, 'pcapng', file, {}, 'vm1')!;
    first.inject(frame(BROADCAST_MAC, A));
    visit.leave();
    const second = new FakePort();
    environment.arrive('unix:s0', second);
    second.inject(frame(BROADCAST_MAC, A));
    await capture.stop();
    expect(new PcapngReader().feed(environment.files.get('vm1')!.bytes)).toHaveLength(2);
  });

  it('tells why a capture could not be written', async () => {
    const { environment, lab } = await serveLab();
    const full = { write: () => Promise.reject(new Error('no space left on device')), close: async () => undefined };
    await lab.capture({ kind: 'lab' }, 'pcapng', full, {}, 'all.pcapng')!.recorder.ended;
    await settle();
    expect(environment.entries.at(-1)).toMatchObject({
      event: 'capture-failed',
      message: expect.stringContaining('no space left on device'),
    });
  });

  it('bounds what machines can make it say', async () => {
    const { environment } = await serveLab();
    for (let i = 0; i < 1000; i++) environment.arrive('unix:s0', new FakePort()).leave();
    expect(environment.entries).toHaveLength(200);
    environment.scheduler.advance(1000);
    environment.arrive('unix:s0', new FakePort());
    expect(environment.entries.slice(200)).toMatchObject([
      { event: 'log-limited', omitted: 1800 },
      { event: 'port-connected' },
    ]);
  });

  it('knows no capture of a port that is not there', async () => {
    const { environment, lab } = await serveLab();
    const file = await environment.createFile('live');
    expect(lab.capture({ kind: 'port', port: 'vm9' }, 'pcapng', file, {}, 'live')).toBeUndefined();
  });
});

describe('a folder that a network shares', () => {
  const user = 'smb=/srv,hostfwd=tcp:127.0.0.1:2222-:22';
  const planned = servePlan({ name: 'serve', hub: false, gateway: true, user });
  const { plan } = planned as Extract<typeof planned, { plan: unknown }>;

  it('is shared while the lab runs', async () => {
    const environment = new MemoryEnvironment();
    const lab = await RunningLab.start(plan, [], environment);
    expect([...environment.shares]).toEqual(['/srv']);
    await lab.stop();
    expect([...environment.shares]).toEqual([]);
  });

  it('is given up where the network cannot start', async () => {
    const environment = new MemoryEnvironment();
    environment.net.listen = () => Promise.reject(new Error('the port is taken'));
    await expect(RunningLab.start(plan, [], environment)).rejects.toThrow('the port is taken');
    expect([...environment.shares]).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { LogEntry } from '../../src/base/log.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { Hub } from '../../src/lan/hub.ts';
import type { Lan } from '../../src/lan/lan.ts';
import { LearningSwitch } from '../../src/lan/learning-switch.ts';
import { countDrops } from '../../src/link/drops.ts';
import type { Port } from '../../src/link/port.ts';
import { Station } from '../../src/station/station.ts';
import { formatIpv4 } from '../../src/wire/ipv4-address.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { POOL, SERVER } from '../support/dhcp-peer.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, C } from '../support/frames.ts';
import { tell6 } from '../support/ipv6-peer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { MemoryState, MemoryTree } from '../support/memory-files.ts';
import { MemoryHostNet } from '../support/memory-host-net.ts';
import { packet } from '../support/packets.ts';
import { ip, pattern } from '../support/stack-peer.ts';

const IMAGE = pattern(100_000);

class Network {
  readonly scheduler = new ManualScheduler();
  readonly entries: LogEntry[] = [];
  readonly gateway: Gateway;
  readonly #lan: Lan;
  #seed = 1;

  constructor(kind: 'hub' | 'switch', { leases = new MemoryState(), leaseTime = 3600 } = {}) {
    const { scheduler } = this;
    const drops = countDrops(new Counters());
    this.#lan = kind === 'hub' ? new Hub(drops) : new LearningSwitch(scheduler, drops);
    this.gateway = new Gateway(
      {
        mac: A,
        mtu: 1500,
        interface: SERVER,
        dhcp: { ...POOL, leaseTime, boot: { bootfile: 'boot.img' } },
        tftp: new MemoryTree({ 'boot.img': IMAGE }),
        hostForwards: [],
        guestForwards: [],
      },
      {
        scheduler,
        wallClock: scheduler,
        random: new SeededRandom(1),
        net: new MemoryHostNet(),
        resolvers: { servers: () => [] },
        log: (entry) => void this.entries.push(entry),
        leases,
      },
    );
    this.#lan.plug(this.gateway.port);
  }

  /** A machine; what it is sent is lost where `loses` says so, by the number of the frame. */
  station(mac: Mac, loses: (frame: number) => boolean = () => false): Station {
    const name = `station-${mac.toString(16).slice(-1)}`;
    const random = new SeededRandom(++this.#seed);
    const station = new Station({ name, mac, mtu: 1500, scheduler: this.scheduler, random });
    this.#lan.plug(lossy(station.port, loses));
    return station;
  }

  /** Turns the clock until the promise has its value. */
  async of<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    void promise.finally(() => {
      isSettled = true;
    });
    for (let step = 0; step < 10_000 && !isSettled; step++) await this.scheduler.run(10);
    return promise;
  }

  plug(port: Port): void {
    this.#lan.plug(port);
  }

  async boot(mac: Mac, loses?: (frame: number) => boolean): Promise<Station> {
    const station = this.station(mac, loses);
    await this.of(station.boot(30_000));
    return station;
  }
}

/** The port, which does not get what is lost. */
function lossy(port: Port, loses: (frame: number) => boolean): Port {
  let frames = 0;
  return {
    queued: 0,
    attach: (receiver) => port.attach(receiver),
    detach: () => port.detach(),
    push: (batch, first, end) => {
      for (let i = first; i < end; i++) if (!loses(frames++)) port.push(batch, i, i + 1);
    },
  };
}

const addressOf = (station: Station) => station.lease && formatIpv4(station.lease.interface.address);

describe.each(['hub', 'switch'] as const)('on a %s', (kind) => {
  it('machines boot, fetch their file and ping each other', async () => {
    const network = new Network(kind);
    await network.gateway.start();
    const [web, db] = [await network.boot(B), await network.boot(C)];
    expect([addressOf(web), addressOf(db)]).toEqual(['10.0.2.15', '10.0.2.16']);

    const fetched = await network.of(web.fetch(web.lease!.bootfile!));
    expect(fetched).toMatchObject({ kind: 'done', octets: IMAGE });
    expect(await network.of(web.ping(SERVER.address))).toMatchObject({ kind: 'reply' });
    expect(await network.of(web.ping(ip('10.0.2.16')))).toMatchObject({ kind: 'reply' });
    expect(await network.of(db.ping(ip('10.0.2.99'), { timeout: 10_000 }))).toMatchObject({ kind: 'unreachable' });
  });
});

it.each([1, 4, 16])('a file arrives whole over a link that loses every 9th frame, window %i', async (windowsize) => {
  const network = new Network('switch');
  await network.gateway.start();
  const station = await network.boot(B, (frame) => frame % 9 === 8);
  const fetched = await network.of(station.fetch('boot.img', { blksize: 1024, windowsize }));
  expect(fetched).toMatchObject({ kind: 'done', octets: IMAGE });
});

it('lists its leases', async () => {
  const network = new Network('switch');
  await network.gateway.start();
  await network.boot(B);
  expect(network.gateway.leases()).toMatchObject([
    { mac: B, address: ip('10.0.2.15'), hostname: 'station-2', state: 'bound' },
  ]);
});

it('gives the same addresses after a restart, whoever asks first', async () => {
  const leases = new MemoryState();
  const before = new Network('switch', { leases });
  await before.gateway.start();
  for (const mac of [B, C]) await before.boot(mac);

  const after = new Network('switch', { leases });
  await after.gateway.start();
  expect(addressOf(await after.boot(C))).toBe('10.0.2.16');
  expect(addressOf(await after.boot(B))).toBe('10.0.2.15');
});

it('answers nothing but ARP and ping before it is started and after it stopped', async () => {
  const network = new Network('switch');
  const station = network.station(B);
  expect(await network.of(station.boot(5000))).toBeUndefined();
  await network.gateway.start();
  await network.gateway.stop();
  expect(await network.of(station.boot(5000))).toBeUndefined();
  expect(network.gateway.counters.get('udp-no-listener')).toBeGreaterThan(0);
});

it('tells a machine that solicits routers that there is none, as long as it runs', async () => {
  const network = new Network('switch');
  const machine = new FakePort();
  network.plug(machine);
  const solicit = () => machine.inject(packet('ndp-router-solicitation-ipxe'));
  solicit();
  await network.gateway.start();
  solicit();
  await network.gateway.stop();
  solicit();
  expect(machine.frames.map(tell6)).toEqual([
    'fe80::5054:ff:fe00:1 > fe80::5054:ff:fe12:3456 router-advertisement (to 52:54:00:12:34:56)',
  ]);
});

it('a machine renews its lease at T1 and keeps it for ever', async () => {
  const network = new Network('switch', { leaseTime: 120 });
  await network.gateway.start();
  const station = await network.boot(B);
  await network.scheduler.run(600_000, 1000);
  expect(addressOf(station)).toBe('10.0.2.15');
  expect(network.entries.filter(({ event }) => event === 'dhcp-ack').length).toBeGreaterThanOrEqual(10);
  expect(network.gateway.leases()).toMatchObject([{ state: 'bound' }]);
});

it('a machine loses its lease when nobody renews it, and asks again', async () => {
  const network = new Network('switch', { leaseTime: 120 });
  await network.gateway.start();
  const station = await network.boot(B);
  await network.gateway.stop();
  await network.scheduler.run(121_000, 1000);
  expect(station.lease).toBeUndefined();
  await network.gateway.start();
  await network.scheduler.run(40_000, 100);
  expect(addressOf(station)).toBe('10.0.2.15');
});

it('a machine that shuts down gives its lease back', async () => {
  const network = new Network('switch');
  await network.gateway.start();
  const station = await network.boot(B);
  station.shutDown();
  expect(network.gateway.leases()).toMatchObject([{ state: 'released' }]);
});

it('a machine whose power is cut keeps its lease', async () => {
  const network = new Network('switch');
  await network.gateway.start();
  (await network.boot(B)).cutPower();
  expect(network.gateway.leases()).toMatchObject([{ state: 'bound' }]);
});

it('a file that is not there is an error of the reader', async () => {
  const network = new Network('switch');
  await network.gateway.start();
  const station = await network.boot(B);
  expect(await network.of(station.fetch('nothing'))).toEqual({ kind: 'error', code: 1, message: 'file not found' });
});

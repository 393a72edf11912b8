import { describe, expect, it } from 'vitest';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { readUint32, writeUint32 } from '../../src/wire/octets.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, C, frame } from '../support/frames.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
networks:
  lan: { gateway: isolated, ipv6: off }
  cable: { kind: hub, gateway: none }
nodes:
  web: { nics: [lan] }
  db: { nics: [lan, cable] }
`;

/** A lab with a machine at each port, which sends from its address. */
async function lab(more = '') {
  const environment = new MemoryEnvironment();
  const plan = planOf(LAB + more);
  const doors = plan.nics.map(({ node, name, network }) => ({
    mode: 'listen' as const,
    address: { kind: 'unix' as const, path: `${node}-${name}` },
    network,
    port: `${node}:${name}`,
  }));
  const running = await RunningLab.start(plan, doors, environment);
  const [web, db] = [new FakePort(), new FakePort()];
  environment.arrive('unix:web-lan', web);
  environment.arrive('unix:db-lan', db);
  web.inject(frame(BROADCAST_MAC, A));
  db.inject(frame(BROADCAST_MAC, B));
  return { environment, links: running.links, running, web, db };
}

it('says what the lab file says', async () => {
  const { links, environment } = await lab(`
seed: 42
links:
  web: { delay: 20ms, jitter: 5ms, from-guest: { loss: 1% } }
  db:cable: { rate: 10mbit, limit: 50 }
`);
  expect(links.seed).toBe(42);
  expect(links.list()).toEqual([
    link(
      'web:lan',
      'lan',
      { delay: '20ms', jitter: '5ms', loss: '1%', waiting: 1 },
      { delay: '20ms', jitter: '5ms', waiting: 1 },
    ),
    link('db:lan', 'lan'),
    link('lan:gateway', 'lan'),
    link('db:cable', 'cable', { rate: '10mbit', limit: 50, waiting: 0 }, { rate: '10mbit', limit: 50, waiting: 0 }),
  ]);
  expect(environment.scheduler.pending).toBeGreaterThan(0);
});

it('loses and delays the same frames in every run of one seed, and others of another', async () => {
  const run = async (seed: number) => {
    const { environment, web, db } = await lab(`
seed: ${seed}
links: { web: { delay: 20ms, jitter: 10ms, from-guest: { loss: 20% } } }
`);
    environment.scheduler.advance(100);
    db.frames.length = 0;
    for (let i = 0; i < 100; i++) web.inject(numbered(i));
    environment.scheduler.advance(100);
    return db.frames.map((bytes) => readUint32(bytes, 14));
  };
  const first = await run(1);
  expect(first.length).toBeGreaterThan(60);
  expect(first.length).toBeLessThan(95);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
});

describe('a change', () => {
  it('is for what it names; the rest stays', async () => {
    const { links, environment } = await lab('links: { web: { delay: 20ms, jitter: 5ms } }');
    environment.scheduler.advance(100);
    const changed = links.change('web', { toGuest: { loss: 0.01, jitter: 0 } });
    const quiet = { delay: '20ms', jitter: '5ms', waiting: 0 };
    expect(changed).toEqual({ link: link('web:lan', 'lan', quiet, { delay: '20ms', loss: '1%', waiting: 0 }) });
    expect(environment.entries.at(-1)).toMatchObject({
      event: 'link-changed',
      port: 'web:lan',
      toGuest: { loss: '1%' },
    });
  });

  it('works at once, and a reset lets pass what waits', async () => {
    const { links, web, db } = await lab();
    db.frames.length = 0;
    links.change('web:lan', { fromGuest: { delay: 1000 } });
    web.inject(frame(B, A, 60, 1));
    expect(db.frames).toEqual([]);
    expect(links.find('web')).toMatchObject({ link: { fromGuest: { waiting: 1 } } });
    expect(links.reset('web')).toEqual({ link: link('web:lan', 'lan') });
    web.inject(frame(B, A, 60, 2));
    expect(db.frames.map((bytes) => bytes.at(-1))).toEqual([1, 2]);
  });

  it.each([
    ['wbe', {}, 'unknown-port', 'there is no port wbe', 'did you mean web?'],
    ['db', {}, 'ambiguous-port', 'db has several cards', 'take one of db:lan, db:cable'],
    [
      'web',
      { toGuest: { jitter: 5 } },
      'no-delay',
      'jitter moves a delay, and there is none',
      'add delay, or leave jitter out',
    ],
  ])('of %s to %j is refused as %s', async (port, change, code, message, hint) => {
    const { links } = await lab();
    expect(links.change(port, change)).toMatchObject({ issue: { code, message, hint } });
    expect(links.list().every(({ toGuest }) => toGuest.jitter === undefined)).toBe(true);
  });
});

describe('a link that is down', () => {
  it('loses frames both ways by name, is told by status, and carries them again when it is up', async () => {
    const { links, running, environment, web, db } = await lab();
    const [fromDb, fromWeb] = [web.frames.length, db.frames.length];
    links.change('web', { isUp: false });
    web.inject(frame(B, A));
    db.inject(frame(A, B));
    expect([web.frames.length, db.frames.length]).toEqual([fromDb, fromWeb]);
    const [status] = running.status().ports;
    expect(status).toMatchObject({ port: 'web:lan', connected: true, linkUp: false, drops: { 'link-down': 2 } });
    links.change('web', { isUp: true });
    web.inject(frame(B, A));
    expect(db.frames).toHaveLength(fromWeb + 1);
    expect(environment.entries.map(({ event }) => event).filter((event) => event.startsWith('link-'))).toEqual([
      'link-down',
      'link-up',
    ]);
  });

  it('has nobody behind it any more as far as the switch knows', async () => {
    const { links, running, db } = await lab();
    links.change('web', { isUp: false });
    expect(running.status().networks[0]!.stations.map(({ port }) => port)).toEqual(['db:lan']);
    db.inject(frame(C, B));
    expect(running.status().ports[0]!.drops).toEqual({ 'link-down': 1 });
  });
});

it('a plan that changes has its links changed, and leaves alone what was changed by hand', async () => {
  const { links, running } = await lab(`
links: { web: { delay: 20ms }, db:lan: { loss: 1% }, db:cable: { loss: 2% } }
`);
  links.change('db:lan', { toGuest: { loss: 0.5 } });
  const text = LAB.replace('web: { nics: [lan] }', 'web: { nics: [lan] }\n  app: { nics: [lan] }');
  const plan = planOf(`${text}links: { web: { delay: 30ms }, db:lan: { loss: 1% }, app: { rate: 1mbit } }`);
  await running.change(plan, []);
  const told = links.list().map(({ port, toGuest: { waiting: _, ...words } }) => [port, words]);
  expect(Object.fromEntries(told)).toEqual({
    'web:lan': { delay: '30ms' },
    'app:lan': { rate: '1mbit' },
    'db:lan': { loss: '50%' },
    'db:cable': {},
    'lan:gateway': {},
  });
});

it('a lab that stops leaves no timer behind', async () => {
  const { links, running, environment, web } = await lab();
  const before = environment.scheduler.pending;
  links.change('web', { fromGuest: { delay: 1000 } });
  links.change('lan:gateway', { fromGuest: { delay: 1000 }, toGuest: { delay: 1000 } });
  web.inject(frame(BROADCAST_MAC, A));
  expect(environment.scheduler.pending).toBeGreaterThan(before);
  await running.stop();
  expect(environment.scheduler.pending).toBeLessThanOrEqual(before);
});

type Words = Readonly<Record<string, string | number>>;

function link(port: string, network: string, fromGuest: Words = { waiting: 0 }, toGuest: Words = { waiting: 0 }) {
  return { port, network, up: true, fromGuest, toGuest };
}

function numbered(number: number): Uint8Array {
  const bytes = frame(B, A);
  writeUint32(bytes, 14, number);
  return bytes;
}

import { describe, expect, it } from 'vitest';
import { controlApi } from '../../src/control/api.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
networks: { lan: { subnet: 10.0.2.0/24, ipv6: off } }
nodes: { web: { nics: [{ network: lan, address: 10.0.2.80 }] } }
forwards: [tcp 127.0.0.1:8080 -> web:80]
`;

async function office() {
  const environment = new MemoryEnvironment();
  const door = { mode: 'listen', address: { kind: 'unix', path: 'web' }, network: 'lan', port: 'web:lan' } as const;
  const lab = await RunningLab.start(planOf(LAB), [door], environment);
  const api = controlApi({ lab, pid: 42, version: '1.2.3' });
  return { environment, lab, api };
}

/** What a reader of server-sent events was told. */
class Reader {
  readonly told: { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[] = [];
  isEnded = false;
  readonly #body: ReadableStreamDefaultReader<Uint8Array>;

  constructor(answer: Response) {
    this.#body = answer.body!.getReader();
  }

  /** Reads until the lab ends the answer. */
  async readAll(): Promise<void> {
    while (await this.readOne());
  }

  async readOne(): Promise<boolean> {
    const { value, done } = await this.#body.read();
    this.isEnded = done;
    const [, event, data] = /^event: (\S+)\ndata: (.+)\n\n$/.exec(new TextDecoder().decode(value)) ?? [];
    if (event !== undefined) this.told.push({ event, data: JSON.parse(data!) });
    return !done;
  }

  leave(): Promise<void> {
    return this.#body.cancel();
  }
}

describe('who listens to events', () => {
  it('hears of machines, conversations and drops, until the lab ends', async () => {
    const { environment, lab, api } = await office();
    const reader = new Reader(await api.request('/v1/events'));
    const reading = reader.readAll();
    const machine = new FakePort();
    const visit = environment.arrive('unix:web', machine);
    machine.inject(frame(0x0180c2000000, A), frame(BROADCAST_MAC, A));
    environment.net.listeners[0]!.arrive({ address: Uint8Array.of(127, 0, 0, 1), port: 50_000 });
    environment.scheduler.advance(1000);
    visit.leave();
    await lab.stop();
    await reading;
    expect(reader.told).toMatchObject([
      { event: 'port-connected', data: { time: '2026-01-01T00:00:00.000Z', event: 'port-connected', port: 'web:lan' } },
      { event: 'flow-began', data: { protocol: 'tcp', guest: '10.0.2.80:80', initiator: 'host', network: 'lan' } },
      {
        event: 'drops',
        data: { place: 'lan', drops: { 'reserved-address': 1 }, message: 'lan dropped reserved-address 1' },
      },
      { event: 'drops', data: { place: 'gateway of lan', drops: { 'unknown-ethertype': 1 } } },
      { event: 'port-left', data: { time: '2026-01-01T00:00:01.000Z', reason: 'hung-up' } },
      { event: 'flow-ended', data: { guest: '10.0.2.80:80' } },
    ]);
  });

  it('hears the kinds that were asked for, and what the log said before', async () => {
    const { environment, lab, api } = await office();
    environment.log({ event: 'dhcp-ack', message: 'early' });
    environment.arrive('unix:web', new FakePort()).leave();
    environment.log({ event: 'dhcp-ack', message: 'past' });
    const reader = new Reader(await api.request('/v1/events?kinds=leases&past=1'));
    environment.log({ event: 'dhcp-release', message: 'now' });
    environment.arrive('unix:web', new FakePort());
    const reading = reader.readAll();
    await lab.stop();
    await reading;
    expect(reader.told.map(({ data }) => data['message'])).toEqual(['past', 'now']);
  });

  it('and does not read loses what its queue cannot hold, and is told how much', async () => {
    const { environment, api } = await office();
    const reader = new Reader(await api.request('/v1/events?kinds=log'));
    const message = 'x'.repeat(1000);
    for (let i = 0; i < 400; i++) environment.log({ event: 'many', message });
    while (reader.told.at(-1)?.event !== 'lost') await reader.readOne();
    const heard = reader.told.length - 1;
    expect(heard).toBeLessThan(300);
    expect(reader.told.at(-1)!.data).toEqual({ lost: 400 - heard });
    environment.log({ event: 'more', message });
    await reader.readOne();
    expect(reader.told.at(-1)!.event).toBe('more');
  });

  it('costs nothing any more when it has gone', async () => {
    const { environment, lab, api } = await office();
    const timers = environment.scheduler.pending;
    const reader = new Reader(await api.request('/v1/events'));
    expect(environment.scheduler.pending).toBe(timers + 1);
    await reader.leave();
    await settle();
    environment.scheduler.advance(1000);
    expect([lab.events.hasListeners, environment.scheduler.pending]).toEqual([false, timers]);
  });
});

it('the log is told from its end, bounded', async () => {
  const { environment, api } = await office();
  for (let i = 0; i < 600; i++) environment.log({ event: 'counted', message: `${i}`, i });
  const { log } = (await (await api.request('/v1/log')).json()) as { log: { i: number; time: string }[] };
  expect([log.length, log[0]!.i, log.at(-1)!.i]).toEqual([500, 100, 599]);
});

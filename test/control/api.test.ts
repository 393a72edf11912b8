import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { controlApi } from '../../src/control/api.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { SERVE_NETWORK, servePlan } from '../../src/lab/serve-plan.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';

async function servedLab() {
  const environment = new MemoryEnvironment();
  const planned = servePlan({ name: 'serve', hub: false, gateway: true });
  if ('issues' in planned) throw new Error('the plan is wrong');
  const doors = [{ mode: 'listen' as const, address: { kind: 'unix' as const, path: 's' }, network: SERVE_NETWORK }];
  const lab = await RunningLab.start(planned.plan, doors, environment);
  const machine = new FakePort();
  environment.arrive('unix:s', machine);
  return { environment, lab, machine, api: controlApi(lab, { pid: 42 }) };
}

function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

it('tells status and leases', async () => {
  const { api, machine } = await servedLab();
  machine.inject(frame(BROADCAST_MAC, A), frame(0x0180c2000000, A));
  const status = await (await api.request('/v1/status')).json();
  expect(status).toMatchObject({
    pid: 42,
    name: 'serve',
    networks: [
      {
        name: 'lan',
        kind: 'switch',
        subnet: '10.0.2.0/24',
        drops: { 'reserved-address': 1 },
        stations: [{ mac: '52:54:00:00:00:01', port: 'vm1' }],
      },
    ],
    ports: [{ port: 'lan:gateway' }, { port: 'vm1', fromGuest: { frames: 2, octets: 120 } }],
  });
  expect(await (await api.request('/v1/leases')).json()).toEqual({ leases: [] });
});

describe('a capture', () => {
  it('comes as the body of the answer and is complete when it was ended', async () => {
    const { api, machine, environment } = await servedLab();
    const answer = await api.request('/v1/captures', post({ of: 'vm1' }));
    const reading = answer.arrayBuffer();
    machine.inject(frame(BROADCAST_MAC, A), frame(B, A));
    await environment.scheduler.run(300);
    const ended = await api.request(`/v1/captures/${answer.headers.get('vmlan-capture')}`, { method: 'DELETE' });
    expect(ended.status).toBe(204);
    const reader = new PcapngReader();
    expect(reader.feed(new Uint8Array(await reading))).toHaveLength(2);
    expect(reader.interfaces.map(({ name, heard }) => [name, heard])).toEqual([['vm1', 2]]);
  });

  it('whose reader has gone ends by itself', async () => {
    const { api, lab } = await servedLab();
    const answer = await api.request('/v1/captures', post({ of: 'all' }));
    await answer.body!.cancel();
    await settle();
    expect(lab.status().captures).toEqual([]);
  });

  it.each([
    [{ of: 'vm9' }, 404, /no port or network vm9; it has lan:gateway, vm1, lan, all/],
    [{ of: 'vm1', snapLength: 3 }, 400, /snapLength/],
    [{ of: 'vm1', colour: 'red' }, 400, /colour/],
    [undefined, 400, /expected object/],
  ])('asked for as %j is refused with a sentence', async (body, status, message) => {
    const { api } = await servedLab();
    const answer = await api.request('/v1/captures', post(body));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ message: expect.stringMatching(message) });
  });
});

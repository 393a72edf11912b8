import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { controlApi } from '../../src/control/api.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { SERVE_NETWORK, servePlan } from '../../src/lab/serve-plan.ts';
import type { LabStatus } from '../../src/lab/status-schemas.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';

async function servedLab(user = 'ipv6=off') {
  const environment = new MemoryEnvironment();
  const planned = servePlan({ name: 'serve', hub: false, gateway: true, ...(user !== undefined && { user }) });
  if ('issues' in planned) throw new Error('the plan is wrong');
  const doors = [{ mode: 'listen' as const, address: { kind: 'unix' as const, path: 's' }, network: SERVE_NETWORK }];
  const lab = await RunningLab.start(planned.plan, doors, environment);
  const machine = new FakePort();
  environment.arrive('unix:s', machine);
  return { environment, lab, machine, api: controlApi({ lab, pid: 42, version: '1.2.3' }) };
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

describe('a forward', () => {
  it('is added, listed and removed', async () => {
    const { api, environment } = await servedLab();
    const added = await api.request('/v1/forwards', post({ rule: 'tcp 0 -> 10.0.2.15:80' }));
    expect(added.status).toBe(201);
    const rule = 'tcp 127.0.0.1:49152 -> 10.0.2.15:80';
    expect(await added.json()).toMatchObject({ id: 'lan.1', network: 'lan', rule, connections: 0 });
    expect(await (await api.request('/v1/forwards')).json()).toMatchObject({ forwards: [{ id: 'lan.1', rule }] });
    expect(await (await api.request('/v1/status')).json()).toMatchObject({ forwards: [{ id: 'lan.1' }] });
    expect((await api.request('/v1/forwards/lan.1', { method: 'DELETE' })).status).toBe(204);
    expect(environment.net.listeners).toEqual([]);
    expect((await api.request('/v1/forwards/lan.1', { method: 'DELETE' })).status).toBe(404);
  });

  it('on a unix socket is removed by what it listens at', async () => {
    const { api } = await servedLab();
    await api.request('/v1/forwards', post({ rule: 'unix /run/web.sock -> 10.0.2.15:80' }));
    const which = encodeURIComponent('unix /run/web.sock');
    expect((await api.request(`/v1/forwards/${which}`, { method: 'DELETE' })).status).toBe(204);
  });

  it.each([
    [{ rule: 'tcp 8080 -> 10.9.9.9:80' }, 400, 'outside-subnet', /10\.9\.9\.9 is on no network with a gateway; /],
    [{ rule: 'tcp 0 -> vm:80', network: 'lna' }, 400, 'unknown-network', /did you mean lan\?/],
    [{ rule: 'tcp 7070 -> vm:80' }, 409, 'address-in-use', /7070 is taken/],
    [{ rules: [] }, 400, 'bad-request', /rule/],
    [undefined, 400, 'bad-request', /expected object/],
  ])('asked for as %j is refused with %i, a code and a sentence', async (body, status, error, message) => {
    const { api } = await servedLab();
    await api.request('/v1/forwards', post({ rule: 'tcp 7070 -> vm:80' }));
    const answer = await api.request('/v1/forwards', post(body));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error, message: expect.stringMatching(message) });
  });
});

it('tells conversations, and what of the host guests reach', async () => {
  const { api, environment } = await servedLab('hostfwd=tcp:127.0.0.1:8080-:80,restrict=off');
  environment.net.listeners[0]!.arrive({ address: Uint8Array.of(127, 0, 0, 1), port: 50_000 });
  expect(await (await api.request('/v1/flows')).json()).toMatchObject({
    flows: [{ network: 'lan', protocol: 'tcp', initiator: 'host', guest: '10.0.2.15:80', state: 'opening' }],
  });
  const { networks } = (await (await api.request('/v1/status')).json()) as LabStatus;
  expect(networks[0]!.gateway).toMatchObject({
    nat: { restricted: false, hostAccess: 'all', metadata: false },
    dns: { address: '10.0.2.3' },
    flows: { tcp: 1, udp: 0, echo: 0 },
  });
});

it('stops the lab, unless that is for a command to do', async () => {
  const { lab, api } = await servedLab();
  const refused = await api.request('/v1/stop', { method: 'POST' });
  expect([refused.status, await refused.json()]).toMatchObject([409, { error: 'ends-with-command' }]);
  let stops = 0;
  const stoppable = controlApi({ lab, pid: 42, version: '1.2.3', stop: () => stops++ });
  expect((await stoppable.request('/v1/stop', { method: 'POST' })).status).toBe(204);
  expect(stops).toBe(1);
});

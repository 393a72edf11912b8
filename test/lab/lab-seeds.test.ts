import { describe, expect, it } from 'vitest';
import type { DoorPlan } from '../../src/lab/plan.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import type { HttpResult } from '../../src/station/http-fetch.ts';
import { Station } from '../../src/station/station.ts';
import { ipv4Octets, parseIpv4 } from '../../src/wire/ipv4-address.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
networks: { lan: { subnet: 10.0.2.0/24, gateway: isolated } }
nodes:
  web:
    nics: [lan]
    cloud-init:
      user-data: { packages: [nginx] }
      ssh-authorized-keys: [keys.pub, ssh-ed25519 AAAA me]
  db: { nics: [lan], cloud-init: { user-data: setup.sh, hostname: data } }
  app: { nics: [lan], qemu: {}, cloud-init: {} }
`;

async function office() {
  const environment = new MemoryEnvironment();
  environment.texts.set('keys.pub', '# mine\nssh-rsa AAAB x\n');
  environment.texts.set('setup.sh', '#!/bin/sh\n');
  const plan = planOf(LAB);
  const doors: DoorPlan[] = plan.nics.map(({ node }) => ({
    mode: 'listen',
    address: { kind: 'unix', path: node },
    network: 'lan',
    port: `${node}:lan`,
  }));
  const lab = await RunningLab.start(plan, doors, environment);
  const { scheduler, random } = environment;
  const web = new Station({ name: 'web', mac: plan.nics[0]!.mac, mtu: 1500, scheduler, random });
  environment.arrive('unix:web', web.port);
  const booting = web.boot(5000);
  await scheduler.run(2000);
  await booting;
  const get = async (path: string) => {
    const to = { address: ipv4Octets(parseIpv4('10.0.2.2')!), port: 8775 };
    let result: HttpResult | undefined;
    void web.fetchHttp(to, 'seed', path).then((done) => {
      result = done;
    });
    while (result === undefined) await scheduler.run(10);
    if (result.kind !== 'done') throw new Error(result.why);
    return { status: result.status, text: new TextDecoder().decode(result.octets) };
  };
  return { environment, lab, get };
}

describe('cloud-init in a machine', () => {
  it('finds its documents at the gateway', async () => {
    const { get, lab } = await office();
    const about = await get('/web/meta-data');
    expect([about.status, JSON.parse(about.text)]).toEqual([
      200,
      {
        'instance-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'local-hostname': 'web',
        'public-keys': ['ssh-rsa AAAB x', 'ssh-ed25519 AAAA me'],
      },
    ]);
    expect(await get('/web/user-data')).toEqual({ status: 200, text: '#cloud-config\n{"packages":["nginx"]}\n' });
    expect(await get('/web/vendor-data')).toEqual({ status: 200, text: '' });
    expect(JSON.parse((await get('/web/network-config')).text)).toMatchObject({
      version: 2,
      ethernets: { lan: { match: { macaddress: expect.stringMatching(/^52:54:00/) }, dhcp4: true } },
    });
    expect((await get('/db/user-data?again')).text).toBe('#!/bin/sh\n');
    expect(JSON.parse((await get('/db/meta-data')).text)).toMatchObject({ 'local-hostname': 'data' });
    await lab.stop();
  });

  it('finds nothing else, which is counted', async () => {
    const { get, lab } = await office();
    for (const path of ['/', '/web', '/web/../db/user-data', '/yours/meta-data'])
      expect((await get(path)).status).toBe(404);
    expect(lab.network('lan')!.gateway!.counters.get('seed-not-found')).toBe(4);
    await lab.stop();
  });

  it('is led there by the words of its machine', async () => {
    const { environment, lab } = await office();
    const words = environment.machines.started[0]![1];
    expect(words[words.indexOf('-smbios') + 1]).toBe('type=1,serial=ds=nocloud-net;s=http://10.0.2.2:8775/app/');
    expect(lab.nodes()[0]).toMatchObject({ node: 'web', seed: 'http://10.0.2.2:8775/web/' });
    await lab.stop();
  });

  it('keeps the lab from starting where a file of it is missing', async () => {
    const environment = new MemoryEnvironment();
    const plan = planOf(LAB);
    await expect(RunningLab.start(plan, [], environment)).rejects.toThrow('there is no keys.pub');
  });
});

import { describe, expect, it } from 'vitest';
import type { DoorPlan } from '../../src/lab/plan.ts';
import { portName } from '../../src/lab/plan.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { settle } from '../support/manual-scheduler.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { MemoryMachines } from '../support/memory-machines.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
networks: { lan: { ipv6: off }, wan: { mtu: 9000, ipv6: off } }
nodes:
  web: { nics: [lan, wan], qemu: { args: -cpu max, stop: 10s } }
  db: { nics: [lan], qemu: { model: e1000, autostart: false } }
  yours: { nics: [lan] }
`;

async function office(machines = new MemoryMachines(), text = LAB) {
  const environment = new MemoryEnvironment(new Map(), machines);
  const plan = planOf(text);
  const doors = plan.nics.flatMap((nic) => {
    const at = { network: nic.network, port: portName(nic) };
    const address = (suffix: string) => ({ kind: 'unix' as const, path: `/run/${nic.node}.${nic.name}.${suffix}` });
    return [
      { ...at, mode: 'listen', address: address('sock') },
      { ...at, mode: 'connect', address: address('qemu') },
    ] satisfies DoorPlan[];
  });
  const lab = await RunningLab.start(plan, doors, environment);
  const told = () =>
    environment.entries.filter(({ event }) => event.startsWith('machine')).map(({ message }) => message);
  return { environment, machines, lab, web: lab.machines.get('web')!, told };
}

describe('machines of a lab', () => {
  it('start with it, but for those that wait, with the words for their cards', async () => {
    const { machines, lab, told } = await office();
    expect(machines.started.map(([node]) => node)).toEqual(['web']);
    const words = machines.started[0]![1].join(' ');
    expect(words).toContain(
      '-netdev stream,id=lan,server=on,addr.type=unix,addr.path=/run/web.lan.qemu -device virtio',
    );
    expect(words).toMatch(/netdev=wan,mac=52:54:00:\S+,host_mtu=9000 .*-name guest=office\/web -uuid \S+ .* -cpu max$/);
    expect(lab.nodes().map(({ node, state }) => `${node} ${state}`)).toEqual([
      'web running',
      'db stopped',
      'yours yours',
    ]);
    expect(told()).toEqual(['web is started']);
    await lab.machines.get('db')!.start();
    expect(machines.started[1]![1].join(' ')).toContain('-device e1000,netdev=lan,mac=');
  });

  it('reconnect themselves where their QEMU can', async () => {
    const machines = new MemoryMachines();
    machines.qemu = 'version 9.2.0';
    await office(machines);
    expect(machines.started[0]![1][1]).toMatch(/server=off,.*addr.path=\/run\/web.lan.sock,reconnect-ms=1000$/);
  });

  it('are asked to switch themselves off when the lab stops', async () => {
    const { machines, lab, told } = await office();
    await lab.stop();
    expect(machines.running.size).toBe(0);
    expect(told()).toEqual(['web is started', 'web shut down']);
  });

  it('are told to quit when they do not, and killed when even QEMU does not', async () => {
    const machines = new MemoryMachines();
    machines.deaf.add('web');
    const { environment, web } = await office(machines);
    const { scheduler } = environment;
    const stopping = web.stop();
    await scheduler.run(9990);
    expect(web.state).toBe('stopping');
    await scheduler.run(10);
    await stopping;
    expect(web.lastEnd).toEqual({ reason: 'quit', text: 'was switched off' });

    await web.start();
    machines.running.get('web')!.isStuck = true;
    const killing = web.stop();
    await scheduler.run(15_000);
    await killing;
    expect(web.lastEnd?.reason).toBe('killed');
    expect(scheduler.pending).toBe(0);
  });

  it('are not asked where it is forced', async () => {
    const { machines, web } = await office();
    machines.running.get('web')!.isDeaf = true;
    await web.stop(true);
    expect(web.lastEnd?.reason).toBe('quit');
  });

  it('start again on request, as themselves', async () => {
    const { machines, web } = await office();
    const { uuid } = machines.running.get('web')!;
    await web.restart();
    expect(machines.started).toHaveLength(2);
    expect(machines.running.get('web')!.uuid).toBe(uuid);
    expect(web.state).toBe('running');
  });

  it('end by themselves, for a reason that is told', async () => {
    const { machines, lab, told } = await office();
    const machine = machines.running.get('web')!;
    machine.say('RESET', { guest: true, reason: 'guest-reset' });
    machine.say('NIC_RX_FILTER_CHANGED', { name: 'x' });
    machine.end({ signal: 'SIGSEGV' });
    await settle();
    expect(told()).toEqual(['web is started', 'web restarts itself', 'web ended: QEMU failed with SIGSEGV']);
    expect(lab.nodes()[0]).toMatchObject({ state: 'stopped', ended: { reason: 'crash' } });
  });

  it('are adopted by the next vmlan, with what they say from then on', async () => {
    const { machines } = await office();
    const { pid } = machines.running.get('web')!;
    machines.abandon();
    const { lab, told } = await office(machines);
    expect(machines.started).toHaveLength(1);
    expect(lab.nodes()[0]).toMatchObject({ node: 'web', state: 'running', pid, adopted: true });
    machines.running.get('web')!.shutDown();
    await settle();
    expect(told()).toEqual(['web runs already, and is in this lab again', 'web shut down']);
  });

  it('are not confused with another machine at their place', async () => {
    const { machines } = await office();
    machines.abandon();
    const renamed = LAB.replace('name: office', 'name: other');
    await expect(office(machines, renamed)).rejects.toMatchObject({ code: 'no-machine-started' });
    expect(machines.running.size).toBe(1);
  });

  it('that cannot be started are told of, and keep the others from nothing', async () => {
    const machines = new MemoryMachines();
    machines.broken.set('web', "Could not open 'web.img'");
    const both = LAB.replace(', autostart: false', '');
    const { lab, told } = await office(machines, both);
    expect(told().sort()).toEqual([
      'db is started',
      "web cannot be started: it ended: QEMU failed with status 1: Could not open 'web.img'",
    ]);
    machines.broken.clear();
    await lab.machines.get('web')!.start();
    expect(machines.running.size).toBe(2);
  });

  it('that all cannot be started keep the lab from starting', async () => {
    const machines = new MemoryMachines();
    machines.broken.set('web', 'no');
    await expect(office(machines)).rejects.toMatchObject({ code: 'no-machine-started' });
  });

  it('are not started once the lab stops, by whatever order', async () => {
    const { machines, lab, web } = await office();
    const [waits] = planOf(LAB).machines!.filter(({ node }) => node === 'db');
    const stopping = lab.stop();
    const refused = [
      web.start(),
      lab.machines.get('db')!.start(),
      lab.machines.add({ ...waits!, isAutostarted: true }),
    ];
    for (const order of refused) await expect(order).rejects.toMatchObject({ code: 'machine-retired' });
    await stopping;
    expect(machines.running.size).toBe(0);
    expect(machines.started).toHaveLength(1);
  });

  it('see the link of their port go down', async () => {
    const { machines, lab } = await office();
    lab.links.change('web:lan', { isUp: false });
    expect([...machines.running.get('web')!.links]).toEqual([['lan', false]]);
    lab.links.change('web:lan', { isUp: true });
    expect([...machines.running.get('web')!.links]).toEqual([['lan', true]]);
  });

  it('see a link go down, and still down when they start again', async () => {
    const { machines, web } = await office();
    expect(await web.setLink('wan', false)).toBe(true);
    expect([...machines.running.get('web')!.links]).toEqual([['wan', false]]);
    await web.restart();
    expect([...machines.running.get('web')!.links]).toEqual([['wan', false]]);
    expect(await web.setLink('wan', true)).toBe(true);
    await web.restart();
    expect([...machines.running.get('web')!.links]).toEqual([]);
    await web.stop();
    expect(await web.setLink('wan', true)).toBe(false);
  });

  it('see links that a vmlan which was killed took down, and that are up in the next', async () => {
    const { machines, lab } = await office();
    lab.links.change('web:lan', { isUp: false });
    machines.abandon();
    await office(machines);
    expect(machines.running.get('web')!.links.get('lan')).toBe(true);
  });

  it('have one user at their console, or none', async () => {
    const { machines, web } = await office();
    expect(await web.hasConsoleUser()).toBe(false);
    machines.running.get('web')!.hasConsoleUser = true;
    expect(await web.hasConsoleUser()).toBe(true);
  });
});

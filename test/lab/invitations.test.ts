import { expect, it } from 'vitest';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { formatMac } from '../../src/wire/mac.ts';
import { FakePort } from '../support/fake-port.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
networks: { lan: {}, cable: { gateway: none } }
nodes: { web: { nics: [lan] } }
`;

async function office() {
  const environment = new MemoryEnvironment();
  const lab = await RunningLab.start(planOf(LAB), [], environment);
  const invite = (port: string, network = 'lan') => lab.invitations.invite(lab.network(network)!, port);
  const portsOf = () => lab.status().ports.map(({ port, mac }) => `${port} ${mac}`);
  return { environment, lab, invite, portsOf };
}

it('a station takes the port that was made for it, and the port goes with it', async () => {
  const { environment, invite, portsOf } = await office();
  const invited = (await invite('exec-1'))!;
  const visit = environment.arrive(`unix:${invited.socket}`, new FakePort());
  expect(portsOf()).toContain(`exec-1 ${formatMac(invited.mac)}`);
  visit.leave();
  expect(portsOf().join()).not.toContain('exec-1');
  expect(environment.openDoors).toEqual([]);
});

it('one station takes the port, a second is turned away', async () => {
  const { environment, invite } = await office();
  const { socket } = (await invite('exec-1'))!;
  environment.arrive(`unix:${socket}`, new FakePort());
  expect(environment.arrive(`unix:${socket}`, new FakePort()).isRefused).toBe(true);
});

it('a port whose station does not come within thirty seconds is gone; one whose station came stays', async () => {
  const { environment, invite } = await office();
  const { socket } = (await invite('exec-1'))!;
  await invite('exec-2', 'cable');
  environment.arrive(`unix:${socket}`, new FakePort());
  await environment.scheduler.run(31_000, 1000);
  expect(environment.openDoors).toEqual([`unix:${socket}`]);
});

it('names are unique in the lab, free ones the lowest, and addresses follow from them', async () => {
  const { lab, invite } = await office();
  const [first, other] = [(await invite('exec-1'))!, (await invite('exec-3', 'cable'))!];
  expect(await invite('exec-1', 'cable')).toBeUndefined();
  expect(await invite('lan:gateway')).toBeUndefined();
  expect(lab.invitations.freeName('exec')).toBe('exec-2');
  expect(first.mac).not.toBe(other.mac);
  expect((await (await office()).invite('exec-1'))!.mac).toBe(first.mac);
});

it('a lab that stops closes the sockets of those who came and of those who did not', async () => {
  const { environment, lab, invite } = await office();
  environment.arrive(`unix:${(await invite('exec-1'))!.socket}`, new FakePort());
  await invite('exec-2');
  await lab.stop();
  expect(environment.openDoors).toEqual([]);
});

it('the name is free again where no socket could be opened', async () => {
  const { lab, invite } = await office();
  await expect(invite('taken')).rejects.toThrow('is taken');
  expect(lab.invitations.has('taken')).toBe(false);
});

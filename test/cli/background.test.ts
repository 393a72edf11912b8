import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { callControl, getControl } from '../../src/control/client.ts';
import type { StatusAnswer } from '../../src/control/statuses.ts';
import { runVmlan, spawnVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

function labFile(bench: Workbench, name: string, rest = ''): string {
  const file = bench.path(`${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}\nnetworks: { lan: { subnet: 10.0.2.0/24 } }\nnodes: { web: { nics: [lan] } }\n${rest}`,
  );
  return file;
}

/** Starts a lab in the background; it does not outlive the test. */
async function upInBackground(bench: Workbench, file: string): Promise<number> {
  const up = await runVmlan(bench, ['up', '-d', '--json', file]);
  const { event, pid } = JSON.parse(up.stdout) as { event: string; pid: number };
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  expect([up.status, event]).toEqual([0, 'ready']);
  return pid;
}

function controlOf(bench: Workbench): string {
  return bench.path('run/vmlan/office/control.sock');
}

function statusOf(bench: Workbench): Promise<StatusAnswer> {
  return getControl<StatusAnswer>(controlOf(bench), '/v1/status');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('a lab in the background is ready when up returns, is listed with others, and is gone when down returns', async () => {
  const bench = new Workbench();
  const file = labFile(bench, 'office');
  const [pid] = await Promise.all([upInBackground(bench, file), startVmlan(bench, ['serve'])]);
  expect(await statusOf(bench)).toMatchObject({ name: 'office', pid, file });
  const following = spawnVmlan(bench, ['logs', '-f', '--json', '--lab', 'office']);
  await following.until('the log', () => following.stdout.includes('"event":"ready"') || undefined);
  const [second, all] = await Promise.all([runVmlan(bench, ['up', '-d', file]), runVmlan(bench, ['status'])]);
  expect([second.status, second.stderr]).toEqual([1, expect.stringContaining('a lab named office is running')]);
  expect(all.stdout.split('\n').map((line) => line.split(/ {2,}/).filter((_, i) => i !== 1))).toEqual([
    ['LAB', 'NETWORKS', 'CONNECTED', 'FILE'],
    ['office', 'lan', '1 of 2', file],
    ['serve', 'lan', '1 of 1', '-'],
    [''],
  ]);
  expect((await runVmlan(bench, ['down', 'office'])).stdout).toBe('lab office is down\n');
  expect((await following.exited).status).toBe(0);
  expect(following.stdout).toContain('"event":"stopping"');
  expect([isRunning(pid), existsSync(bench.path('run/vmlan/office'))]).toEqual([false, false]);
  expect(existsSync(bench.path('state/vmlan/office/lab.log'))).toBe(true);
});

it('a lab that cannot start in the background says why, with its status', async () => {
  const bench = new Workbench();
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const up = await runVmlan(bench, ['up', '-d', labFile(bench, 'office', `forwards: [tcp ${port} -> web:80]\n`)]);
  expect([up.status, up.stdout]).toEqual([1, '']);
  expect(up.stderr).toContain(`127.0.0.1:${port}`);
  const wrong = await runVmlan(bench, ['up', '-d', labFile(bench, 'office', 'node: {}\n')]);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean nodes?')]);
});

it('down --force ends a lab at once, and what it left is cleaned away', async () => {
  const bench = new Workbench();
  const pid = await upInBackground(bench, labFile(bench, 'office'));
  expect((await runVmlan(bench, ['down', '--force'])).status).toBe(0);
  expect(isRunning(pid)).toBe(false);
  expect(existsSync(bench.path('run/vmlan/office/control.sock'))).toBe(false);
});

it('a lab takes over its edited file, or tells all that is wrong with it', async () => {
  const bench = new Workbench();
  const file = labFile(bench, 'office');
  await upInBackground(bench, file);
  const edit = (from: string, to: string) => writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  edit('nodes: {', 'nodes: { app: { nics: [lan] },');
  const trial = await json(await callControl(controlOf(bench), 'POST', '/v1/reload', { check: true }));
  expect(trial).toEqual({ changes: ['network lan answers otherwise', 'card app:lan comes'] });
  expect((await statusOf(bench)).ports).toHaveLength(2);
  expect((await runVmlan(bench, ['reload'])).stdout).toBe('network lan answers otherwise\ncard app:lan comes\n');
  expect((await statusOf(bench)).ports.map(({ port }) => port)).toEqual(['web:lan', 'lan:gateway', 'app:lan']);
  expect((await runVmlan(bench, ['logs'])).stdout.match(/reload: .*/g)).toEqual([
    'reload: network lan answers otherwise',
    'reload: card app:lan comes',
  ]);
  expect(existsSync(bench.path('run/vmlan/office/app.lan.sock'))).toBe(true);
  edit('10.0.2.0/24', '10.1.2.0/24');
  const refused = await runVmlan(bench, ['reload']);
  expect([refused.status, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/office\.yaml:2:\d+ networks\.lan\.subnet: the subnet .* cannot change while the lab runs; /),
  ]);
});

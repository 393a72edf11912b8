import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NodeStatus } from '../../src/lab/node-status-schema.ts';
import { fakeQemu } from '../support/fake-qemu.ts';
import { runVmlan, spawnVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

const LAB = `name: office
networks: { lan: {} }
nodes:
  web: { nics: [lan], qemu: { command: ./qemu-system-x86_64 } }
  db: { nics: [lan], qemu: { command: ./qemu-system-x86_64, args: deaf, stop: 100ms } }
  app: { nics: [lan], qemu: { command: ./qemu-system-x86_64, args: broken } }
  yours: { nics: [lan] }
`;

function office() {
  const bench = new Workbench();
  fakeQemu(bench);
  const file = bench.path('office.yaml');
  writeFileSync(file, LAB);
  return { bench, file };
}

async function nodes(bench: Workbench): Promise<readonly NodeStatus[]> {
  return JSON.parse((await runVmlan(bench, ['node', 'ls', '--json'])).stdout).nodes;
}

/** A process that is gone and that its parent has not asked about has no words. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
}

describe('machines that vmlan starts', { timeout: 90_000 }, () => {
  it('outlive a vmlan that is killed, are adopted by the next, and end with it', async () => {
    const { bench, file } = office();
    const first = await startVmlan(bench, ['up', file]);
    expect(await first.event('machine-failed')).toMatchObject({
      message: 'app cannot be started: it ended: QEMU failed with status 1: broken is no option',
    });
    await first.event('port-connected', ({ port }) => port === 'web:lan');
    const [web, db] = await nodes(bench);
    expect([web?.state, db?.state]).toEqual(['running', 'running']);
    await first.kill();
    expect([web, db].map((each) => isRunning(each!.pid!))).toEqual([true, true]);

    const second = await startVmlan(bench, ['up', file]);
    await second.event('machine-adopted', ({ node }) => node === 'web');
    expect((await nodes(bench)).map(({ node, state, pid }) => [node, state, pid])).toEqual([
      ['web', 'running', web!.pid],
      ['db', 'running', db!.pid],
      ['app', 'stopped', undefined],
      ['yours', 'yours', undefined],
    ]);
    expect((await second.stop()).status).toBe(0);
    const ends = second.events.filter(({ event }) => event === 'machine-ended').map(({ message }) => message);
    expect(ends.sort()).toEqual(['db was switched off', 'web shut down']);
    expect([web, db].map((each) => isRunning(each!.pid!))).toEqual([false, false]);
    expect(readdirSync(bench.path('run/vmlan'))).toEqual([]);
    expect(readFileSync(bench.path('state/vmlan/office/web.console.log'), 'utf8')).toBe('booted\n');
  });

  it('are killed by a second Ctrl-C, and the lab ends in order', async () => {
    const { bench, file } = office();
    writeFileSync(file, LAB.replace('100ms', '10m'));
    const vmlan = await startVmlan(bench, ['up', file]);
    const [, db] = await nodes(bench);
    const ended = vmlan.stop();
    await vmlan.event('machine-ended', ({ node }) => node === 'web');
    process.kill(vmlan.pid, 'SIGINT');
    expect((await ended).status).toBe(0);
    expect(vmlan.events.at(-1)!.event).toBe('stopped');
    expect(isRunning(db!.pid!)).toBe(false);
    expect(readdirSync(bench.path('run/vmlan'))).toEqual([]);
  });

  it('are stopped and started by name, and have a console', async () => {
    const { bench, file } = office();
    const vmlan = await startVmlan(bench, ['up', file]);
    const shell = spawnVmlan(bench, ['console', 'web']);
    await shell.until('the log', () => (shell.stdout === 'booted\n' ? true : undefined));
    const following = spawnVmlan(bench, ['logs', '-f', 'web']);
    await following.until('the log', () => (following.stdout === 'booted\n' ? true : undefined));
    shell.write('hello');
    await shell.until('an answer', () => (shell.stdout.endsWith('you typed hello') ? true : undefined));
    const second = await runVmlan(bench, ['console', 'web']);
    expect(second.stderr).toMatch(/^vmlan: somebody is at the console of web already, .*web\.console\.log/);

    const stopped = await runVmlan(bench, ['node', 'stop', 'web', 'yours', 'wbe']);
    expect([stopped.status, stopped.stdout]).toEqual([1, 'web is stopped\n']);
    expect(stopped.stderr).toBe(
      'vmlan: yours is yours to start and stop; give it qemu: in the lab file to let vmlan do it\n' +
        'vmlan: office has no node wbe; it has web, db, app, yours\n',
    );
    await shell.exited;
    expect(shell.stderr).toBe('vmlan: web has ended\r\n');
    expect((await runVmlan(bench, ['console', 'web'])).stderr).toBe(
      'vmlan: web is stopped; start it with vmlan node start web\n',
    );
    expect((await runVmlan(bench, ['node', 'start', 'web'])).stdout).toBe('web runs\n');
    expect((await runVmlan(bench, ['node', 'ls'])).stdout).toMatch(/^web +running +\d+ +\d+ s +lan/m);

    const [{ pid }] = (await nodes(bench)) as [NodeStatus];
    process.kill(pid!, 'SIGKILL');
    expect(await vmlan.event('machine-ended', ({ reason }) => reason === 'killed')).toMatchObject({
      message: 'web ended: QEMU was killed',
    });
    await vmlan.stop();
    expect((await following.exited).status).toBe(0);
    expect(following.stdout).toBe('booted\nbooted\n');
    expect(readdirSync(bench.path('run/vmlan'))).toEqual([]);
  });
});

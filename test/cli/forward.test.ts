import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { FlowStatus, ForwardEntry } from '../../src/lab/status-schemas.ts';
import { runVmlan, spawnVmlan, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';

const LAB = `networks:
  lan: { host-access: [tcp 8000, udp 5000-5010] }
nodes:
  web: { nics: [lan] }
forwards:
  - tcp 0 -> web:80
`;

describe('a lab with forwards', () => {
  it('says at its start which ports it got and what of the host guests reach', async () => {
    const { vmlan } = await startedLab();
    expect(await vmlan.event('host-access')).toMatchObject({ hostAccess: ['tcp 8000', 'udp 5000-5010'] });
    const { rule } = (await vmlan.event('forward')) as unknown as ForwardEntry;
    expect(rule).toMatch(/^tcp 127\.0\.0\.1:[1-9]\d* -> web:80$/);
  });

  it('takes more, lists and ends them', async () => {
    const { bench } = await startedLab();
    const added = await runVmlan(bench, ['forward', 'add', 'udp 0 -> web:53', '--json']);
    const { id, rule } = JSON.parse(added.stdout) as ForwardEntry;
    expect(await listed(bench)).toHaveLength(2);
    expect((await runVmlan(bench, ['forward', 'ls'])).stdout).toContain(`${id}  lan      ${rule}`);
    expect((await runVmlan(bench, ['forward', 'rm', id])).status).toBe(0);
    const [first, ...others] = await listed(bench);
    expect(others).toEqual([]);
    expect((await runVmlan(bench, ['forward', 'rm', first!.rule])).status).toBe(0);
    expect(await listed(bench)).toEqual([]);
  });

  it('refuses what is wrong with status 2, what the host refuses with 1', async () => {
    const { bench } = await startedLab();
    const wrong = await runVmlan(bench, ['forward', 'add', 'tcp 0 -> wbe:80']);
    expect([wrong.status, wrong.stderr]).toEqual([2, 'vmlan: there is no node wbe; did you mean web?\n']);
    const [{ listen }] = (await listed(bench)) as [ForwardEntry];
    const taken = await runVmlan(bench, ['forward', 'add', `tcp ${listen} -> web:81`]);
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining(`${listen} is taken`)]);
    const unknown = await runVmlan(bench, ['forward', 'rm', 'lan.9']);
    expect([unknown.status, unknown.stderr]).toEqual([2, 'vmlan: lab has no forward lan.9\n']);
  });

  it('tells status and flows to people and programs', async () => {
    const { bench } = await startedLab();
    const { stdout } = await runVmlan(bench, ['status']);
    expect(stdout).toContain('NAT to the world');
    expect(stdout).toContain("Guests of lan reach tcp 8000, udp 5000-5010 of this host's loopback at 10.0.2.2");
    expect(stdout).toMatch(/forward lan\.1: tcp 127\.0\.0\.1:\d+ -> web:80/);
    const { flows } = JSON.parse((await runVmlan(bench, ['flows', '--json'])).stdout) as { flows: FlowStatus[] };
    expect(flows).toEqual([]);
    expect((await runVmlan(bench, ['flows'])).stdout).toMatch(/^NETWORK +PROTOCOL/);
  });

  it('cuts off a client whose machine is not there', async () => {
    const { bench } = await startedLab();
    const [{ listen }] = (await listed(bench)) as [ForwardEntry];
    const client = connect(Number(listen.split(':')[1]), '127.0.0.1');
    client.on('error', () => undefined); // a reset is as good an end
    await new Promise((resolve) => client.once('close', resolve));
    expect(client.bytesRead).toBe(0);
  });
});

it('vmlan serve takes forwards, and refuses a wrong one', async () => {
  const bench = new Workbench();
  const serve = spawnVmlan(bench, ['serve', '--name', 'lab', '--forward', 'tcp 0 -> 10.0.2.15:22']);
  await serve.until(
    'forward',
    () => /Forward lan\.1: tcp 127\.0\.0\.1:\d+ -> 10\.0\.2\.15:22/.exec(serve.stdout) ?? undefined,
  );
  const wrong = await runVmlan(bench, ['serve', '--forward', 'tcp 22']);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringMatching(/^vmlan serve: --forward: .+; .+\n$/)]);
});

async function startedLab() {
  const bench = new Workbench();
  const file = bench.path('lab.yaml');
  writeFileSync(file, LAB);
  return { bench, vmlan: await startVmlan(bench, ['up', file]) };
}

async function listed(bench: Workbench): Promise<readonly ForwardEntry[]> {
  const { stdout } = await runVmlan(bench, ['forward', 'ls', '--json']);
  return (JSON.parse(stdout) as { forwards: readonly ForwardEntry[] }).forwards;
}

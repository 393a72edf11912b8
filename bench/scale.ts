/**
 * A lab of many machines in one process: how long `vmlan up` takes and until every machine has its lease, what it uses while nobody
 * speaks, what a broadcast and a question about everything cost.
 *
 *     npm run bench:scale -- [--nodes 200] [--networks 20] [--idle 20]
 *
 * The machines are built in and live in this process; each is plugged into the socket of its card, as a QEMU is.
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getControl } from '../src/control/client.ts';
import { formatMac } from '../src/wire/mac.ts';
import { machine, median } from './measure.ts';
import { cpuMillis, mib, resident, sleeps } from './process.ts';
import { plugInMachine, type ScaleMachine } from './scale/machine.ts';
import { startLab } from './scale/start-lab.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

const NAME = 'scale';
const MAC = 0x5254_0050_0000;
const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '200' },
    networks: { type: 'string', default: '20' },
    idle: { type: 'string', default: '20' },
  },
});
const [nodes, networks, idle] = [Number(options.nodes), Number(options.networks), Number(options.idle)];
const folder = makeWorkshop();
const file = join(folder, 'scale.yaml');
writeFileSync(file, labOf(nodes, networks));
const sockets = join(folder, 'run', 'vmlan', NAME);
mkdirSync(join(folder, 'run'));
const program = await buildVmlan(folder);
console.log(`${machine()}\n${nodes} nodes on ${networks} networks`);

const began = performance.now();
const vmlan = await startLab(program, file, folder);
const pid = vmlan.pid!;
console.log(`up after ${since(began)}, ${cpuMillis(pid).toFixed(0)} ms of CPU; ${mib(resident(pid))}`);
await rest(2000); // what is loaded late is there
await measureIdle('nobody plugged in');
const machines = await bootAll();
await rest(2000);
await measureIdle('all plugged in, nobody speaks');
for (const burst of [1, 32]) await measureBroadcast(burst);
for (const path of ['/v1/status', '/v1/nodes', '/v1/leases', '/v1/names']) await measureQuestion(path);
console.log(`in the end ${mib(resident(pid))}`);
const stopping = performance.now();
vmlan.kill('SIGINT');
await once(vmlan, 'exit');
console.log(`down after ${since(stopping)}`);
process.exit(0);

async function bootAll(): Promise<readonly ScaleMachine[]> {
  const [start, cpu] = [performance.now(), cpuMillis(pid)];
  const all = await Promise.all(
    Array.from({ length: nodes }, (_, i) =>
      plugInMachine(join(sockets, `m${i}.net${i % networks}.sock`), `m${i}`, MAC + i),
    ),
  );
  const leases = await Promise.all(all.map(({ station }) => station.boot(60_000)));
  if (leases.includes(undefined)) throw new Error('a machine got no lease');
  const used = cpuMillis(pid) - cpu;
  console.log(`all plugged in with leases after ${since(start)}, ${(used / nodes).toFixed(2)} ms of CPU each`);
  return all;
}

async function measureIdle(when: string): Promise<void> {
  const [cpu, slept] = [cpuMillis(pid), sleeps(pid)];
  await rest(idle * 1000);
  const share = (cpuMillis(pid) - cpu) / (idle * 10);
  const wakeUps = (sleeps(pid) - slept) / idle;
  console.log(
    `idle, ${when}: ${share.toFixed(2)} % of a core, ${wakeUps.toFixed(1)} wake-ups a second, ${mib(resident(pid))}`,
  );
}

/** One machine asks for an address that nobody has, `burst` times at once, and again when everybody heard it. */
async function measureBroadcast(burst: number): Promise<void> {
  const [speaker, ...others] = machines.filter((_, i) => i % networks === 0) as [ScaleMachine, ...ScaleMachine[]];
  const ports = others.length + 1; // and the gateway
  const taken: number[] = [];
  for (let round = 0; round < 6; round++) {
    const [end, cpu] = [performance.now() + 1000, cpuMillis(pid)];
    let frames = 0;
    for (; performance.now() < end; frames += burst) {
      const heard = Promise.all(others.map((other) => other.hear(burst)));
      speaker.ask(burst);
      await heard;
    }
    if (round > 0) taken.push(((cpuMillis(pid) - cpu) * 1000) / frames / ports); // the first round warms up
  }
  console.log(
    `broadcast to ${ports} ports, ${burst} at a time: ${median(taken).toFixed(2)} µs of CPU per frame and port (best ${Math.min(...taken).toFixed(2)})`,
  );
}

async function measureQuestion(path: string): Promise<void> {
  const control = join(sockets, 'control.sock');
  const taken: number[] = [];
  const cpu = cpuMillis(pid);
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await getControl(control, path);
    taken.push(performance.now() - start);
  }
  console.log(
    `GET ${path}: ${median(taken).toFixed(1)} ms (first ${taken[0]!.toFixed(1)}), ${((cpuMillis(pid) - cpu) / 20).toFixed(1)} ms of CPU`,
  );
}

function since(start: number): string {
  return `${(performance.now() - start).toFixed(0)} ms`;
}

function labOf(count: number, on: number): string {
  const lines = [`name: ${NAME}`, 'networks:'];
  for (let i = 0; i < on; i++) lines.push(`  net${i}: { subnet: 10.1.${i}.0/24 }`);
  lines.push('nodes:');
  for (let i = 0; i < count; i++)
    lines.push(`  m${i}: { nics: [{ network: net${i % on}, mac: ${formatMac(MAC + i)} }] }`);
  return `${lines.join('\n')}\n`;
}

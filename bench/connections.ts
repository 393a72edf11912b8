/**
 * Many connections through one gateway: how many it holds and what an idle one costs, how many new ones a second it takes, and whether it
 * lets go of all of them.
 *
 *     npx tsx bench/connections.ts [--hold 10000] [--rate 1000] [--seconds 60]
 *
 * The guest is our own TCP/IP in this process, vmlan and the server are processes of their own, and all of them are in a network namespace
 * of their own, in which the server has eight addresses. Wants Linux, `unshare`, and as many open files per process as connections.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Endpoint } from '../src/base/endpoint.ts';
import { CallingMachine } from '../test/support/calling-machine.ts';
import { machine, median } from './measure.ts';
import { accepting, startVmlan } from './switches.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

const PORT = 7000;
const ADDRESSES = Array.from({ length: 8 }, (_, i) => `10.9.0.${i + 1}`);
/** Connections that are opening at most, where they are opened as fast as they go. */
const OPENING = 256;
const INSIDE = 'VMLAN_BENCH_NAMESPACE';

const { values: options } = parseArgs({
  options: {
    hold: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
  },
});
if (process.env[INSIDE] === undefined) process.exit(repeatInNamespace());

const [hold, rate, seconds] = [Number(options.hold), Number(options.rate), Number(options.seconds)];
const folder = makeWorkshop();
const server = spawn(process.execPath, [pathOf('server.mjs'), ...ADDRESSES], { stdio: ['pipe', 'pipe', 'inherit'] });
process.once('exit', () => server.kill());
const answers = createInterface(server.stdout);
await once(answers, 'line');
const bare = perBareSocket();
const path = join(folder, 'vmlan.sock');
const vmlan = startVmlan(await buildVmlan(folder), path, folder, ['--user', 'net=10.0.2.0/24']);
await accepting(path, vmlan);
const guest = await CallingMachine.plugIn(path);
console.log(machine());
console.log(`\nbare net.Socket: ${kib(bare)} of memory per connection`);

await round(64); // what the first connections bring along is not theirs
const filesBefore = openFiles();
await holdMany();
await openSteadily();
guest.unplug();
process.exit(0);

async function holdMany(): Promise<void> {
  const before = resident();
  const began = performance.now();
  await open(hold);
  const took = (performance.now() - began) / 1000;
  const full = resident();
  guest.sendOnAll();
  await guest.until('a second echo on each', () => [...guest.calls].every(({ echoes }) => echoes === 2));
  const clients = await serverClients();
  console.log(`${hold} connections held: opened in ${took.toFixed(1)} s (${Math.round(hold / took)} per second)`);
  console.log(`  alive at the guest ${guest.calls.size}, at the server ${clients}`);
  console.log(`  vmlan: ${mib(before)} before, ${mib(full)} with them`);
  console.log(
    `  ${kib((full - before) / hold)} per idle connection, ${kib((full - before) / hold - bare)} beyond a bare net.Socket`,
  );
  guest.finishAll();
  await released();
  console.log(
    `  all finished: server has ${await serverClients()}, vmlan ${openFiles() - filesBefore} files more than before, ${mib(resident())}`,
  );
}

async function openSteadily(): Promise<void> {
  guest.latencies.length = 0;
  guest.ends.clear();
  const began = performance.now();
  let opened = 0;
  let most = 0;
  while (opened < rate * seconds) {
    const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) / 1000) * rate));
    for (; opened < due; opened++) guest.call(endpointOf(opened), false);
    most = Math.max(most, guest.calls.size);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const took = (performance.now() - began) / 1000;
  await released();
  const sorted = guest.latencies.toSorted((a, b) => a - b);
  const lost = opened - sorted.length;
  console.log(
    `\n${rate} new connections per second for ${took.toFixed(0)} s: ${opened} opened, ${lost} without an echo`,
  );
  console.log(
    `  ended: ${[...guest.ends].map(([how, count]) => `${count} ${how}`).join(', ')}; at most ${most} at a time`,
  );
  console.log(
    `  until the echo: ${median(sorted).toFixed(1)} ms, 99 % within ${sorted[Math.floor(sorted.length * 0.99)]!.toFixed(1)} ms`,
  );
  console.log(
    `  afterwards: server has ${await serverClients()}, vmlan ${openFiles() - filesBefore} files more than before, ${mib(resident())}`,
  );
}

/** Connections come, are used and go. */
async function round(count: number): Promise<void> {
  await open(count);
  guest.finishAll();
  await released();
}

async function open(count: number): Promise<void> {
  const goal = guest.latencies.length + count;
  const first = guest.latencies.length;
  for (let opened = 0; opened < count; opened++) {
    await guest.until('room for one more', () => opened - (guest.latencies.length - first) < OPENING);
    guest.call(endpointOf(opened), true);
  }
  await guest.until('an echo on each', () => guest.latencies.length >= goal);
}

/** TIME-WAIT is over, and vmlan has let go. */
async function released(): Promise<void> {
  await guest.until('the end of each', () => guest.calls.size === 0, 180);
}

function endpointOf(index: number): Endpoint {
  return { address: Uint8Array.from(ADDRESSES[index % ADDRESSES.length]!.split('.').map(Number)), port: PORT };
}

async function serverClients(): Promise<number> {
  server.stdin.write('\n');
  return Number((await once(answers, 'line'))[0]);
}

/** Octets of memory that a connection takes in a program that only has it. */
function perBareSocket(): number {
  const words = ['--expose-gc', pathOf('bare-clients.mjs'), String(hold), ...ADDRESSES];
  return Number(spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
}

function resident(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${vmlan.pid}/status`, 'utf8'))![1]) * 1024;
}

function openFiles(): number {
  return readdirSync(`/proc/${vmlan.pid}/fd`).length;
}

function kib(octets: number): string {
  return `${(octets / 1024).toFixed(1)} KiB`;
}

function mib(octets: number): string {
  return `${(octets / 2 ** 20).toFixed(0)} MiB`;
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`connections/${name}`, import.meta.url));
}

/** This bench again, where it may have addresses of its own. */
function repeatInNamespace(): number {
  const prepare = ['ip link set lo up', ...ADDRESSES.map((address) => `ip addr add ${address}/32 dev lo`)].join(' && ');
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const words = ['--user', '--map-root-user', '--net', 'sh', '-ec', `${prepare} && exec "$@"`, 'sh', ...again];
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  return status ?? 1;
}

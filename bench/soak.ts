/**
 * Mixed traffic through one vmlan for a long time, and whether it holds on to anything: octets both ways on a connection, connections of one
 * question, datagrams, machines that come and go with leases and names, captures that begin and end. Built-in machines are the guests.
 *
 *     npm run bench:soak -- [--minutes 30]
 *
 * Traffic comes in rounds. After each the machines rest until no connection is left, and vmlan, its garbage collected, tells what it uses: a
 * sample. The first round warms up. Exit status 1: a connection or a machine was left over, and more than 4 descriptors; the heap grew
 * from the first half of the samples to the second by more than 1 MiB; or (from 10 minutes on) resident memory by more than 10 %.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Endpoint } from '../src/base/endpoint.ts';
import { callControl, getControl } from '../src/control/client.ts';
import { machine, median, row } from './measure.ts';
import type { Guest } from './soak/guests.ts';
import { joinAndLeave, makeCalls, moveOctets, plugInGuest, sendDatagrams } from './soak/guests.ts';
import { accepting } from './switches.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

const HOST = Uint8Array.of(10, 0, 2, 2);
const MIB = 2 ** 20;
/** Seconds that the ends of connections may take. */
const REST_LIMIT = 60;
const HEAP_GROWTH = 1 * MIB;
const RESIDENT_GROWTH = 1.1;
/** Descriptors that are in use at one sample and not at another: of the answers to the bench, of names that are asked for. */
const FEW_FILES = 4;

interface Sample {
  readonly resident: number;
  readonly heap: number;
  /** Outside of the heap: buffers. */
  readonly external: number;
  readonly files: number;
  readonly connections: number;
  readonly ports: number;
}

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(options.minutes);
const roundSeconds = Math.min(60, minutes * 10);
const folder = makeWorkshop();
const door = join(folder, 'vmlan.sock');
const control = join(folder, 'run', 'vmlan', 'soak', 'control.sock');
const [tcp, udp] = [await listenTcp(), await listenUdp()];
const vmlan = await start();
process.once('exit', () => vmlan.kill());
const guests = await Promise.all([1, 2, 3].map((number) => plugInGuest(door, number)));

console.log(machine());
const widths = [8, 8, 8, 10, 6, 12, 6, 10, 8, 10, 8, 9];
const head = ['seconds', 'RSS MiB', 'heap', 'external', 'files', 'connections', 'ports'];
console.log(row([...head, 'MiB moved', 'calls', 'datagrams', 'joined', 'captures'], widths));
const began = performance.now();
const samples: Sample[] = [];
while (performance.now() - began < minutes * 60_000) {
  const done = await traffic(guests, performance.now() + roundSeconds * 1000);
  const sample = await takeSample();
  samples.push(sample);
  const { resident, heap, external, files, connections, ports } = sample;
  const mib = [resident, heap, external].map((octets) => (octets / MIB).toFixed(1));
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(row([seconds, ...mib, files, connections, ports, ...done.map(Math.round)], widths));
  if (done.includes(0)) throw new Error('some of the traffic stood still');
}
const faults = faultsOf(samples.slice(1));
console.log(faults.length === 0 ? 'flat' : faults.join('\n'));
process.exit(faults.length === 0 ? 0 : 1);

/** One round of everything; how much of each was done. */
function traffic([bulk, caller, sender]: readonly Guest[], end: number): Promise<number[]> {
  return Promise.all([
    moveOctets(bulk!, tcp, end),
    makeCalls(caller!, tcp, end),
    sendDatagrams(sender!, udp, end),
    joinAndLeave(door, end),
    recordCaptures(end),
  ]);
}

/** Captures of everything, a second each. */
async function recordCaptures(end: number): Promise<number> {
  let captures = 0;
  for (; performance.now() < end; captures++) {
    const answer = await callControl(control, 'POST', '/v1/captures', { of: 'all', format: 'pcapng', label: 'soak' });
    const complete = once(answer.resume(), 'end');
    await rest(1000);
    await callControl(control, 'DELETE', `/v1/captures/${answer.headers['vmlan-capture']}`);
    await complete;
  }
  return captures;
}

async function takeSample(): Promise<Sample> {
  const limit = performance.now() + REST_LIMIT * 1000;
  while ((await connections()) > 0 && performance.now() < limit) await rest(200);
  const left = await connections();
  const { ports } = await getControl<{ readonly ports: readonly unknown[] }>(control, '/v1/status');
  await rest(500); // the answers' own connections are closed
  vmlan.send('tell');
  const [{ rss, heapUsed, external }] = (await once(vmlan, 'message')) as [NodeJS.MemoryUsage];
  const files = readdirSync(`/proc/${vmlan.pid}/fd`).length;
  return { resident: rss, heap: heapUsed, external, files, connections: left, ports: ports.length };
}

/** Flows of UDP stay for minutes; the machines use the same ones again and again. */
async function connections(): Promise<number> {
  const { flows } = await getControl<{ readonly flows: readonly { readonly protocol: string }[] }>(
    control,
    '/v1/flows',
  );
  return flows.filter(({ protocol }) => protocol === 'tcp').length;
}

function faultsOf(taken: readonly Sample[]): string[] {
  const half = taken.length >> 1;
  const growth = (of: (sample: Sample) => number) => {
    const [early, late] = [taken.slice(0, half), taken.slice(half)].map((part) => median(part.map(of)));
    return { early: early!, late: late! };
  };
  const faults: string[] = [];
  const last = taken.at(-1)!;
  if (last.connections > 0) faults.push(`${last.connections} connections never ended`);
  const opened = last.files - taken[0]!.files;
  if (opened > FEW_FILES) faults.push(`${opened} descriptors were left open`);
  if (last.ports > taken[0]!.ports) faults.push(`${last.ports - taken[0]!.ports} machines never left`);
  const heap = growth((sample) => sample.heap + sample.external);
  if (heap.late > heap.early + HEAP_GROWTH)
    faults.push(`heap and buffers grew from ${(heap.early / MIB).toFixed(1)} to ${(heap.late / MIB).toFixed(1)} MiB`);
  const resident = growth((sample) => sample.resident);
  if (minutes >= 10 && resident.late > resident.early * RESIDENT_GROWTH)
    faults.push(
      `resident memory grew from ${(resident.early / MIB).toFixed(0)} to ${(resident.late / MIB).toFixed(0)} MiB`,
    );
  return faults;
}

async function start(): Promise<ChildProcess> {
  const program = await buildVmlan(folder);
  const reporter = fileURLToPath(new URL('soak/memory-reporter.mjs', import.meta.url));
  const words = ['serve', '--name', 'soak', '--json', '--listen', `unix:${door}`, '--user', 'net=10.0.2.0/24'];
  const child = spawn(process.execPath, ['--expose-gc', '--import', reporter, program, ...words], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, XDG_RUNTIME_DIR: join(folder, 'run'), XDG_STATE_HOME: join(folder, 'state') },
  });
  await accepting(door, child);
  return child;
}

/** An echo server of the host, as guests see it. */
async function listenTcp(): Promise<Endpoint> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { address: HOST, port: (server.address() as AddressInfo).port };
}

async function listenUdp(): Promise<Endpoint> {
  const socket = createSocket('udp4', (payload, { port, address }) => socket.send(payload, port, address));
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return { address: HOST, port: socket.address().port };
}

/**
 * A machine that never reads, while another floods it: vmlan's memory must stay flat, and every frame must be accounted for.
 *
 *     npx tsx bench/stalled.ts [SECONDS]
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { batchOf } from '../src/link/frame-batch.ts';
import { emitEthernet } from '../src/wire/ethernet.ts';
import { BROADCAST_MAC } from '../src/wire/mac.ts';
import { machine } from './measure.ts';
import { accepting, startVmlan } from './switches.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

/** What vmlan prints when a machine leaves. */
interface Departure {
  readonly event: string;
  readonly toGuest: { readonly frames: number };
  readonly drops: Readonly<Record<string, number>>;
}

const SENDER = 0x525400be0c00;
const STALLED = SENDER + 1;
const FRAMES_PER_WRITE = 64;
const FRAME_LENGTH = 1514;

const seconds = Number(process.argv[2] ?? 5);
const folder = makeWorkshop();
const path = join(folder, 'vmlan.sock');
const vmlan = startVmlan(await buildVmlan(folder), path, folder);
await accepting(path, vmlan);

const sender = connect(path);
const stalled = connect(path).pause();
// Plugged in when it hears the other; from then on the stalled machine reads nothing.
stalled.write(batchOf([frame(BROADCAST_MAC, STALLED)]).bytes);
await new Promise((resolve) => sender.once('data', resolve));
sender.resume();

const left = new Promise<Departure>((resolve) => {
  createInterface(vmlan.stdout).on('line', (line) => {
    const event = JSON.parse(line) as Departure;
    if (event.event === 'port-left' && event.toGuest.frames > 0 && Object.keys(event.drops).length > 0) resolve(event);
  });
});

const before = resident('VmRSS');
const burst = batchOf(Array.from({ length: FRAMES_PER_WRITE }, () => frame(STALLED, SENDER))).bytes;
const end = performance.now() + 1000 * seconds;
let sent = 0;
while (performance.now() < end) {
  if (!sender.write(burst)) await new Promise((resolve) => sender.once('drain', resolve));
  sent += FRAMES_PER_WRITE;
}
const most = resident('VmHWM');
stalled.destroy();
const { toGuest, drops } = await left;
console.log(machine());
console.log(
  `${sent} frames (${((sent * FRAME_LENGTH) / 1e9).toFixed(1)} GB) in ${seconds} s to a machine that does not read`,
);
console.log(`resident: ${before} MiB before, ${resident('VmRSS')} MiB after, ${most} MiB at most`);
console.log(`towards it: ${toGuest.frames} frames passed on, dropped ${JSON.stringify(drops)}`);
process.exit(0);

function frame(to: number, from: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_LENGTH);
  emitEthernet(bytes, 0, to, from, 0x88b5);
  return bytes;
}

/** Memory of vmlan's process in MiB: VmRSS now, VmHWM at most. */
function resident(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${vmlan.pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1024);
}

/**
 * What a capture costs the network: nanoseconds per frame in `Probe.hear`, the flushes of the same thread included.
 *
 *     npx tsx bench/capture.ts [FOLDER]      captures go there and are removed; default: the system's temporary folder
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteSink } from '../src/base/files.ts';
import type { CaptureFormat } from '../src/capture/recorder.ts';
import { Recorder } from '../src/capture/recorder.ts';
import { openFileSink } from '../src/host/file-sink.ts';
import type { FrameBatch, FrameSink } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { Jack } from '../src/link/jack.ts';
import type { Port } from '../src/link/port.ts';

const MEASURE_OCTETS = 1024 * 1024 * 1024;
const MAX_FRAMES = 2_000_000;
const CHUNK_OCTETS = 64 * 1024;
/** One chunk per so long: 8 Gbit/s, what the switch moves on one core. */
const CHUNK_NANOSECONDS = 65_000n;

const scheduler = { now: () => performance.now(), timer: () => ({ arm: () => undefined, cancel: () => undefined }) };
const epoch = BigInt(Date.now()) * 1_000_000n;
const wallClock = { nanoseconds: () => epoch + process.hrtime.bigint() };
const nowhere: ByteSink = { write: () => Promise.resolve(), close: () => Promise.resolve() };

class Source implements Port {
  readonly queued = 0;
  #receiver: FrameSink | undefined;

  push(): void {}

  attach(receiver: FrameSink): void {
    this.#receiver = receiver;
  }

  detach(): void {}

  send(batch: FrameBatch): void {
    this.#receiver?.push(batch, 0, batch.count);
  }
}

/** Feeds chunks of frames, one per turn of the event loop; a port that nobody listens to is the base line. */
async function measure(
  length: number,
  sink: ByteSink | undefined,
  format: CaptureFormat,
  snapLength?: number,
): Promise<string> {
  const jack = new Jack('vm1', 0x525400000001);
  const machine = new Source();
  jack.connect(machine);
  const recorder = sink && new Recorder(format, sink, scheduler, wallClock, { snapLength });
  recorder?.listen(jack, 'from-guest');

  const perChunk = Math.max(1, Math.floor(CHUNK_OCTETS / (length + 4)));
  const batch = batchOf(Array.from({ length: perChunk }, () => new Uint8Array(length).fill(0x5a)));
  const chunks = Math.ceil(Math.min(MAX_FRAMES, MEASURE_OCTETS / length) / perChunk);
  const before = process.cpuUsage();
  let inHear = 0n;
  for (let i = 0; i < chunks; i++) {
    const start = process.hrtime.bigint();
    machine.send(batch);
    inHear += process.hrtime.bigint() - start;
    do await new Promise((resolve) => setImmediate(resolve));
    while (process.hrtime.bigint() - start < CHUNK_NANOSECONDS);
  }
  const cpu = process.cpuUsage(before);
  await recorder?.stop();
  const frames = chunks * perChunk;
  const lost = recorder?.statistics.lost ?? 0;
  const nanoseconds = Number(inHear) / frames;
  const processor = ((cpu.user + cpu.system) * 1000) / frames;
  return `${nanoseconds.toFixed(0).padStart(6)} ns in hear  ${processor.toFixed(0).padStart(6)} ns CPU, all threads  ${lost} of ${frames} lost`;
}

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'vmlan-bench-'));
console.log(`Node ${process.version}`);
for (const length of [64, 128, 256, 1514, 9000]) {
  console.log(`${length} octets`);
  await measure(length, nowhere, 'pcapng');
  console.log(`  no capture          ${await measure(length, undefined, 'pcapng')}`);
  console.log(`  pcapng, no file     ${await measure(length, nowhere, 'pcapng')}`);
  console.log(`  pcap, no file       ${await measure(length, nowhere, 'pcap')}`);
  console.log(`  pcapng              ${await measure(length, await openFileSink(join(folder, 'a.pcapng')), 'pcapng')}`);
  console.log(
    `  pcapng, 128 octets  ${await measure(length, await openFileSink(join(folder, 'b.pcapng')), 'pcapng', 128)}`,
  );
}
await rm(folder, { recursive: true });

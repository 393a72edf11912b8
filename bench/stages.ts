/**
 * What each stage of a frame's way costs, in memory and alone: nanoseconds of the processor per unit, so that a regression is found where it is.
 *
 *     npm run bench:stages -- [ROUNDS]
 *
 * `switch.ts`, `tcp.ts`, `udp-nat.ts`, `dns.ts` and `capture.ts` ask more of one stage.
 */
import { sumWords } from '../src/base/checksum.ts';
import { Counters } from '../src/base/counters.ts';
import { Recorder } from '../src/capture/recorder.ts';
import { nodeScheduler, nodeWallClock } from '../src/host/clock.ts';
import { LearningSwitch } from '../src/lan/learning-switch.ts';
import { countDrops } from '../src/link/drops.ts';
import type { FrameSink } from '../src/link/frame-batch.ts';
import { batchOf } from '../src/link/frame-batch.ts';
import { Jack } from '../src/link/jack.ts';
import type { Port } from '../src/link/port.ts';
import { StreamFraming } from '../src/link/stream-framing.ts';
import { emitEthernet } from '../src/wire/ethernet.ts';
import { datagramFrame } from '../test/support/nat-wire.ts';
import { machine, median, row } from './measure.ts';
import { TcpPair } from './tcp-pair.ts';
import { UdpGateway } from './udp-gateway.ts';

const MEASURE_MILLIS = 150;
const FRAMES = 64;
const [A, B, C] = [0x525400be0c01, 0x525400be0c02, 0x525400be0c03];
const drops = countDrops(new Counters());

/** `run` does the work a few times, and returns how many units that were. */
interface Stage {
  readonly name: string;
  readonly unit: string;
  readonly run: () => number;
}

function framing(length: number): Stage {
  let seen = 0;
  const sink: FrameSink = {
    push: (_batch, first, end) => {
      seen += end - first;
    },
  };
  const parser = new StreamFraming(sink, drops, () => {
    throw new Error('the bench breaks the framing');
  });
  const chunk = batchOf(Array.from({ length: FRAMES }, () => frame(B, A, length)));
  parser.space().set(chunk.bytes);
  const run = () => {
    const before = seen;
    for (let i = 0; i < 32; i++) parser.received(chunk.bytes.length);
    return seen - before;
  };
  return { name: `framing, ${length} octets`, unit: 'frame', run };
}

class Machine implements Port {
  readonly queued = 0;
  frames = 0;
  #receiver: FrameSink | undefined;

  push(_batch: Parameters<FrameSink['push']>[0], first: number, end: number): void {
    this.frames += end - first;
  }

  attach(receiver: FrameSink): void {
    this.#receiver = receiver;
  }

  detach(): void {}

  send(frames: readonly Uint8Array[]): () => number {
    const batch = batchOf(frames);
    return () => {
      for (let i = 0; i < 32; i++) this.#receiver!.push(batch, 0, batch.count);
      return 32 * batch.count;
    };
  }
}

function switching(name: string, to: (frame: number) => number): Stage {
  const lan = new LearningSwitch(nodeScheduler, drops);
  const machines = [A, B, C].map((mac) => {
    const machine = new Machine();
    const jack = new Jack(`vm${mac}`);
    jack.connect(machine);
    lan.plug(jack);
    machine.send([frame(A, mac, 64)])();
    return machine;
  });
  const frames = Array.from({ length: FRAMES }, (_, i) => frame(to(i), A, 64));
  return { name: `switch, ${name}`, unit: 'frame', run: machines[0]!.send(frames) };
}

function capture(length: number): Stage {
  const jack = new Jack('vm1');
  const machine = new Machine();
  jack.connect(machine);
  const nowhere = { write: () => Promise.resolve(), close: () => Promise.resolve() };
  const recorder = new Recorder('pcapng', nowhere, nodeScheduler, nodeWallClock, {});
  recorder.listen(jack, 'from-guest');
  return {
    name: `capture, ${length} octets`,
    unit: 'frame',
    run: machine.send(Array.from({ length: FRAMES }, () => frame(B, A, length))),
  };
}

function checksum(length: number): Stage {
  const bytes = new Uint8Array(length).fill(0xa5);
  const run = () => {
    let sum = 0;
    for (let i = 0; i < 256; i++) sum += sumWords(bytes, 0, length);
    if (sum === 0) throw new Error('the sums were optimised away');
    return 256;
  };
  return { name: `checksum, ${length} octets`, unit: 'sum', run };
}

function frame(to: number, from: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  emitEthernet(bytes, 0, to, from, 0x88b5);
  return bytes;
}

/** Datagrams of as many flows in turn. */
function flowLookup(flows: number): Stage {
  const { stack } = new UdpGateway();
  const batches = Array.from({ length: flows / FRAMES }, (_, i) =>
    batchOf(
      Array.from({ length: FRAMES }, (_, j) => datagramFrame('192.0.2.7', 53, { sourcePort: 1024 + i * FRAMES + j })),
    ),
  );
  const run = () => {
    for (const batch of batches) stack.push(batch, 0, FRAMES);
    return flows;
  };
  return { name: `UDP from a guest, ${flows} flows`, unit: 'datagram', run };
}

/** CPU time of the process: others share the machine. */
async function measure({ run }: Stage): Promise<number> {
  const before = process.cpuUsage();
  const end = performance.now() + MEASURE_MILLIS;
  let units = 0;
  while (performance.now() < end) units += run();
  const { user, system } = process.cpuUsage(before);
  await new Promise((resolve) => setImmediate(resolve)); // a capture writes what it holds
  return ((user + system) * 1000) / units;
}

const stages: readonly Stage[] = [
  framing(64),
  framing(1514),
  switching('one destination', () => B),
  switching('two, alternating', (i) => (i % 2 === 0 ? B : C)),
  checksum(64),
  checksum(1460),
  flowLookup(64),
  flowLookup(4096),
  capture(64),
  capture(1514),
];
const rounds = Number(process.argv[2] ?? 5);
const pair = new TcpPair(1500);
const taken = stages.map((): number[] => []);
const sides: { readonly sending: number; readonly receiving: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  for (const [i, stage] of stages.entries()) taken[i]!.push(await measure(stage));
  sides.push(pair.sides(MEASURE_MILLIS));
}

console.log(machine());
console.log(`${rounds} rounds\n`);
const widths = [34, 10, 10, 10];
console.log(row(['', 'unit', 'ns, median', 'best'], widths));
const tell = (name: string, unit: string, all: readonly number[]) => {
  const warm = all.slice(1); // the first round warms up
  console.log(row([name, unit, median(warm).toFixed(0), Math.min(...warm).toFixed(0)], widths));
};
for (const [i, { name, unit }] of stages.entries()) tell(name, unit, taken[i]!);
tell(
  'TCP: ACK taken, segments cut',
  'segment',
  sides.map(({ sending }) => sending),
);
tell(
  'TCP: segments taken, ACK sent',
  'segment',
  sides.map(({ receiving }) => receiving),
);
process.exit(0);

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
import { nodeRandom, nodeScheduler, nodeWallClock } from '../src/host/clock.ts';
import { LearningSwitch } from '../src/lan/learning-switch.ts';
import { countDrops } from '../src/link/drops.ts';
import type { FrameSink } from '../src/link/frame-batch.ts';
import { batchOf, LENGTH_PREFIX } from '../src/link/frame-batch.ts';
import { Jack } from '../src/link/jack.ts';
import type { Port } from '../src/link/port.ts';
import { StreamFraming } from '../src/link/stream-framing.ts';
import { Router } from '../src/router/router.ts';
import { Stack } from '../src/stack/stack.ts';
import { emitEthernet } from '../src/wire/ethernet.ts';
import { parseIpv4Interface } from '../src/wire/ipv4-address.ts';
import { parseIpv6, parseIpv6Interface } from '../src/wire/ipv6-text.ts';
import { ipv6Frame, ndpFrame } from '../test/support/ipv6-peer.ts';
import { datagramFrame } from '../test/support/nat-wire.ts';
import { arpFrame, ip, ipv4Frame, requestFrom } from '../test/support/stack-peer.ts';
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
  const count = Math.min(FRAMES, Math.floor(parser.space().length / (LENGTH_PREFIX + length)));
  const chunk = batchOf(Array.from({ length: count }, () => frame(B, A, length)));
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

/** Packets of 1500 octets from one link of a router to another, of either family. */
function routing(family: 'IPv4' | 'IPv6'): Stage {
  const [near, far] = [A, B].map((mac) => new Stack({ mac, mtu: 1500, scheduler: nodeScheduler, random: nodeRandom }));
  const links = [near!, far!].map((stack, i) => {
    const place = {
      interface: parseIpv4Interface(`10.${i}.0.1/24`)!,
      ipv6: { interface: parseIpv6Interface(`fd00:${i}::1/64`)! },
    };
    stack.configure(place);
    return { stack, ...place };
  });
  new Router().configure(links, []);
  let left = 0;
  const count: FrameSink = {
    push: (_batch, first, end) => {
      left += end - first;
    },
  };
  for (const { stack } of links) stack.attach(count);
  const [source, destination] = [parseIpv6('fd00::5')!, parseIpv6('fd00:1::5')!];
  const known = { source: destination, destination: parseIpv6('fd00:1::1')!, toMac: B, fromMac: C };
  const introduction =
    family === 'IPv6'
      ? ndpFrame({ kind: 'neighbour-solicitation', target: known.destination, sourceMac: C }, known)
      : arpFrame(requestFrom(C, ip('10.1.0.5'), ip('10.1.0.1')), B);
  const introductions = batchOf([introduction]);
  const packet =
    family === 'IPv6'
      ? ipv6Frame(new Uint8Array(1460), { source, destination, toMac: A, nextHeader: 17 })
      : ipv4Frame(new Uint8Array(1480), { source: ip('10.0.0.5'), destination: ip('10.1.0.5'), toMac: A });
  const batch = batchOf(new Array(FRAMES).fill(packet));
  const run = () => {
    far!.push(introductions, 0, 1); // or it would be forgotten
    const before = left;
    for (let i = 0; i < 32; i++) near!.push(batch, 0, FRAMES);
    if (left - before < FRAMES) throw new Error('the router keeps packets');
    return 32 * FRAMES;
  };
  return { name: `router, ${family}, 1500 octets`, unit: 'packet', run };
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
  routing('IPv4'),
  routing('IPv6'),
  capture(64),
  capture(1514),
];
const rounds = Number(process.argv[2] ?? 5);
const pairs = (['IPv4', 'IPv6'] as const).map((family) => ({ family, path: new TcpPair(1500, family) }));
const taken = stages.map((): number[] => []);
const sides = pairs.map((): { readonly sending: number; readonly receiving: number }[] => []);
for (let round = 0; round <= rounds; round++) {
  for (const [i, stage] of stages.entries()) taken[i]!.push(await measure(stage));
  for (const [i, { path }] of pairs.entries()) sides[i]!.push(path.sides(MEASURE_MILLIS));
}

console.log(machine());
console.log(`${rounds} rounds\n`);
const widths = [40, 10, 10, 10];
console.log(row(['', 'unit', 'ns, median', 'best'], widths));
const tell = (name: string, unit: string, all: readonly number[]) => {
  const warm = all.slice(1); // the first round warms up
  console.log(row([name, unit, median(warm).toFixed(0), Math.min(...warm).toFixed(0)], widths));
};
for (const [i, { name, unit }] of stages.entries()) tell(name, unit, taken[i]!);
for (const [i, { family }] of pairs.entries()) {
  tell(
    `TCP/${family}: ACK taken, segments cut`,
    'segment',
    sides[i]!.map(({ sending }) => sending),
  );
  tell(
    `TCP/${family}: segments taken, ACK sent`,
    'segment',
    sides[i]!.map(({ receiving }) => receiving),
  );
}
process.exit(0);

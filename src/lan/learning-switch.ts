/**
 * A learning switch, IEEE 802.1Q clause 8 without spanning tree: learns (VLAN, MAC), forwards known unicast to one port, floods the
 * rest, and passes 802.1Q tags untouched on every port.
 *
 * Frames of a chunk travel in two steps. First each gets a verdict. When all share one (the usual case) the chunk leaves as it
 * came. Otherwise each port gets its frames with as few pushes as is cheap, because a push is a write on a socket: long runs leave
 * in place, short runs that alternate with other ports' are gathered into one batch, a copy being cheaper than a write.
 */
import type { Scheduler } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import type { FrameBatch, FrameSink } from '../link/frame-batch.ts';
import { octetsOf } from '../link/frame-batch.ts';
import { Gatherer } from '../link/gatherer.ts';
import type { Port } from '../link/port.ts';
import { ETHERNET_SOURCE, ETHERNET_TYPE, ETHERTYPE_VLAN, VLAN_TAG_LENGTH, VLAN_TCI } from '../wire/ethernet.ts';
import { isGroupMac, readMac } from '../wire/mac.ts';
import { readUint16, readUint32 } from '../wire/octets.ts';
import type { Lan } from './lan.ts';
import { Turnstile, tellOfRoom } from './lan.ts';
import type { Station } from './station-table.ts';
import { StationTable } from './station-table.ts';

/** Where a frame goes: a port, all others, or nowhere for a reason. */
type Verdict = Port | 'flood' | DropReason;

/** Runs whose mean length is below this are gathered: copying them costs less than a write each. */
const GATHER_BELOW_OCTETS = 16 * 1024;

const HIGH = 0x1_0000_0000;
/** 01:80:C2:00:00:00 to :0F, which a bridge does not forward (IEEE 802.1Q, 8.6.3). */
const RESERVED_HIGH = 0x0180;
const RESERVED_LOW = 0xc2000000;

export class LearningSwitch implements Lan {
  readonly kind = 'switch';
  readonly #scheduler: Scheduler;
  readonly #drops: DropSink;
  readonly #stations: StationTable;
  readonly #turnstile: Turnstile;
  readonly #gatherer = new Gatherer();
  readonly #verdicts: Verdict[] = [];
  #ports: readonly Port[] = [];

  constructor(scheduler: Scheduler, drops: DropSink) {
    this.#scheduler = scheduler;
    this.#drops = drops;
    this.#stations = new StationTable(scheduler);
    this.#turnstile = new Turnstile(
      (from, batch, first, end) => this.#forward(from, batch, first, end),
      drops,
      () => tellOfRoom(this.#ports),
    );
  }

  get stations(): Iterable<Station> {
    return this.#stations;
  }

  plug(port: Port): void {
    this.#ports = [...this.#ports, port];
    port.attach({
      push: (batch, first, end) => this.#turnstile.enter(port, batch, first, end),
      drained: () => tellOfRoom(this.#ports),
      egress: {
        queuedTowards: (mac) =>
          this.#turnstile.waiting + (this.#stations.find(0, mac, this.#scheduler.now())?.queued ?? 0),
      },
    });
  }

  unplug(port: Port): void {
    port.detach();
    this.#ports = this.#ports.filter((other) => other !== port);
    this.#stations.forget(port);
  }

  #forward(from: Port, batch: FrameBatch, first: number, end: number): void {
    if (this.#judge(from, batch, first, end)) this.#emitRun(from, this.#verdicts[first]!, batch, first, end);
    else this.#emitMixed(from, batch, first, end);
  }

  /** Gives each frame its verdict; true where all have the same. A frame with the addresses of its predecessor shares its verdict. */
  #judge(from: Port, batch: FrameBatch, first: number, end: number): boolean {
    const { bytes, starts, ends } = batch;
    const verdicts = this.#verdicts;
    const now = this.#scheduler.now();
    let uniform = true;
    let previousTo = -1;
    let previousSource = -1;
    let previousVlan = -1;
    for (let i = first; i < end; i++) {
      const at = starts[i]!;
      const to = readUint16(bytes, at) * HIGH + readUint32(bytes, at + 2);
      const source = readUint16(bytes, at + ETHERNET_SOURCE) * HIGH + readUint32(bytes, at + ETHERNET_SOURCE + 2);
      const vlan = vlanOf(bytes, at, ends[i]!);
      if (to === previousTo && source === previousSource && vlan === previousVlan) {
        verdicts[i] = verdicts[i - 1]!;
        continue;
      }
      const verdict = this.#verdict(from, bytes, at, vlan, now);
      verdicts[i] = verdict;
      if (i > first && verdict !== verdicts[i - 1]) uniform = false;
      previousTo = to;
      previousSource = source;
      previousVlan = vlan;
    }
    return uniform;
  }

  #verdict(from: Port, bytes: Uint8Array, at: number, vlan: number, now: number): Verdict {
    const source = readMac(bytes, at + ETHERNET_SOURCE);
    if (source === 0 || isGroupMac(source)) return 'invalid-source';
    this.#stations.learn(vlan, source, from, now);
    const to = readMac(bytes, at);
    if (isGroupMac(to)) return isReserved(bytes, at) ? 'reserved-address' : 'flood';
    const port = this.#stations.find(vlan, to, now);
    if (port === undefined) return 'flood';
    return port === from ? 'same-port' : port;
  }

  #emitRun(from: Port, verdict: Verdict, batch: FrameBatch, first: number, end: number): void {
    if (verdict === 'flood') {
      const ports = this.#ports;
      for (let i = 0; i < ports.length; i++) if (ports[i] !== from) ports[i]!.push(batch, first, end);
    } else if (typeof verdict === 'string') {
      this.#drops.dropped(verdict, batch, first, end);
    } else {
      verdict.push(batch, first, end);
    }
  }

  /** Ports that are nobody's destination here get what is flooded, all of them the same batch. */
  #emitMixed(from: Port, batch: FrameBatch, first: number, end: number): void {
    const verdicts = this.#verdicts;
    const targets = new Set<Verdict>(verdicts.slice(first, end));
    const ports = this.#ports;
    for (let i = 0; i < ports.length; i++)
      if (targets.has(ports[i]!)) this.#emitTo(ports[i]!, ports[i]!, batch, first, end);
    if (targets.has('flood')) this.#emitTo('flood', new Others(ports, from, targets), batch, first, end);
    for (let i = first; i < end; i++) {
      const verdict = verdicts[i]!;
      if (typeof verdict === 'string' && verdict !== 'flood') this.#drops.dropped(verdict, batch, i, i + 1);
    }
  }

  /** What of the chunk is for `target` goes to `sink`, flooded frames in their place among its own. */
  #emitTo(target: Verdict, sink: FrameSink, batch: FrameBatch, first: number, end: number): void {
    let runs = 0;
    let octets = 0;
    for (let i = this.#next(target, first, end); i < end; ) {
      const runEnd = this.#runEnd(target, i, end);
      octets += octetsOf(batch, i, runEnd);
      runs++;
      i = this.#next(target, runEnd, end);
    }
    const gathers = runs > 1 && octets < runs * GATHER_BELOW_OCTETS;
    for (let i = this.#next(target, first, end); i < end; ) {
      const runEnd = this.#runEnd(target, i, end);
      if (gathers) this.#gatherer.add(batch, i, runEnd);
      else sink.push(batch, i, runEnd);
      i = this.#next(target, runEnd, end);
    }
    if (gathers) this.#gatherer.release(sink);
  }

  #isFor(target: Verdict, index: number): boolean {
    const verdict = this.#verdicts[index];
    return verdict === target || verdict === 'flood';
  }

  #next(target: Verdict, from: number, end: number): number {
    let i = from;
    while (i < end && !this.#isFor(target, i)) i++;
    return i;
  }

  #runEnd(target: Verdict, from: number, end: number): number {
    let i = from;
    while (i < end && this.#isFor(target, i)) i++;
    return i;
  }
}

/** All ports but the one that the frames came from and those that get theirs another way. */
class Others implements FrameSink {
  readonly #ports: readonly Port[];
  readonly #from: Port;
  readonly #targets: ReadonlySet<Verdict>;

  constructor(ports: readonly Port[], from: Port, targets: ReadonlySet<Verdict>) {
    this.#ports = ports;
    this.#from = from;
    this.#targets = targets;
  }

  push(batch: FrameBatch, first: number, end: number): void {
    for (const port of this.#ports) if (port !== this.#from && !this.#targets.has(port)) port.push(batch, first, end);
  }
}

/** The VLAN identifier of the frame's tag; 0 for untagged and priority-tagged frames. */
function vlanOf(bytes: Uint8Array, start: number, end: number): number {
  if (readUint16(bytes, start + ETHERNET_TYPE) !== ETHERTYPE_VLAN || end - start < VLAN_TCI + VLAN_TAG_LENGTH) return 0;
  return readUint16(bytes, start + VLAN_TCI) & 0xfff;
}

function isReserved(bytes: Uint8Array, start: number): boolean {
  return (
    readUint16(bytes, start) === RESERVED_HIGH && (readUint32(bytes, start + 2) & 0xfffffff0) >>> 0 === RESERVED_LOW
  );
}

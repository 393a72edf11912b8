import { SeededRandom } from '../../src/base/chance.ts';
import { finishChecksum, sumWords } from '../../src/base/checksum.ts';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { LogEntry } from '../../src/base/log.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { LearningSwitch } from '../../src/lan/learning-switch.ts';
import { countDrops } from '../../src/link/drops.ts';
import type { FrameBatch, FrameSink } from '../../src/link/frame-batch.ts';
import { sliceOf } from '../../src/link/frame-batch.ts';
import type { Port } from '../../src/link/port.ts';
import { StreamFraming } from '../../src/link/stream-framing.ts';
import type { EgressConfig } from '../../src/policy/egress.ts';
import { Stack } from '../../src/stack/stack.ts';
import { PROTOCOL_TCP, pseudoHeaderSum } from '../../src/wire/ipv4.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { readUint16, writeUint16, writeUint32 } from '../../src/wire/octets.ts';
import { emitTcpHeader, TCP_CHECKSUM, TCP_HEADER_LENGTH } from '../../src/wire/tcp.ts';
import { POOL, SERVER } from './dhcp-peer.ts';
import { A, B } from './frames.ts';
import { ManualScheduler, settle } from './manual-scheduler.ts';
import { MemoryState, MemoryTree } from './memory-files.ts';
import { MemoryHostNet } from './memory-host-net.ts';
import { arpFrame, ip, ipv4Frame, octets, pattern, requestFrom } from './stack-peer.ts';

export const GATEWAY = SERVER.address;
export const GUEST = ip('10.0.2.15');
export const NAMES = ip('10.0.2.3');
/** Where a `guestfwd` stands. */
export const SHARE = ip('10.0.2.4');
export const WORLD = ip('192.0.2.7');
export const IMAGE = pattern(20_000);
export const RESOLVER: Endpoint = { address: octets('192.0.2.53'), port: 53 };

export const CONFIG = {
  mac: A,
  mtu: 1500,
  interface: SERVER,
  dhcp: { ...POOL, first: ip('10.0.2.15'), last: ip('10.0.2.60'), dns: [NAMES], boot: { bootfile: 'boot.img' } },
  dns: { address: NAMES, domain: 'lab.internal', records: [], routes: [] },
  hostForwards: (['tcp', 'udp'] as const).map((protocol) => ({
    protocol,
    listen: { kind: 'ip' as const, address: octets('127.0.0.1'), first: 2222, last: 2222 },
    guest: GUEST,
    guestPort: 22,
    showsClient: false,
  })),
  guestForwards: [
    { address: SHARE, port: 445, to: { kind: 'tcp' as const, endpoint: { address: octets('127.0.0.1'), port: 9 } } },
    { address: SHARE, port: 446, to: { kind: 'command' as const, command: 'cat' } },
  ],
};

/** A whole gateway, 10.0.2.2 of 10.0.2.0/24, on a switch in memory, and a machine on it whose every frame the test writes. */
export class GatewayWire {
  readonly scheduler = new ManualScheduler();
  readonly net = new MemoryHostNet();
  readonly files = new MemoryTree({ 'boot.img': IMAGE });
  /** What the port and the switch dropped. */
  readonly drops = new Counters();
  readonly entries: LogEntry[] = [];
  readonly machine: OctetPort;
  readonly gateway: Gateway;
  readonly #lan: LearningSwitch;
  #seed = 100;

  constructor(nat: Partial<EgressConfig> = {}) {
    const { scheduler } = this;
    this.#lan = new LearningSwitch(scheduler, countDrops(this.drops));
    this.gateway = new Gateway(
      { ...CONFIG, tftp: this.files, nat: { isRestricted: false, hostAccess: [], allowsMetadata: false, ...nat } },
      {
        scheduler,
        wallClock: scheduler,
        random: new SeededRandom(1),
        net: this.net,
        resolvers: { servers: () => [RESOLVER] },
        log: (entry) => void this.entries.push(entry),
        leases: new MemoryState(),
      },
    );
    this.#lan.plug(this.gateway.port);
    this.machine = new OctetPort(countDrops(this.drops));
    this.#lan.plug(this.machine);
  }

  /** Starts the gateway; the machine has told it its address. */
  async start(): Promise<this> {
    await this.gateway.start();
    this.send(arpFrame(requestFrom(B, GUEST, GATEWAY)));
    this.machine.take();
    return this;
  }

  plug(port: Port): void {
    this.#lan.plug(port);
  }

  /** Frames of the machine, each as a piece of its own. */
  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.machine.inject(frame);
    this.net.turn();
  }

  /** A machine with a stack of its own and a fixed address, at the end of a cable. */
  station(mac: Mac, address: number, cable: (port: Port) => Port = (port) => port): Stack {
    const { scheduler } = this;
    const stack = new Stack({ mac, mtu: 1500, scheduler, random: new SeededRandom(this.#seed++) });
    stack.configure({ interface: { address, prefixLength: 24 }, defaultRoute: GATEWAY });
    this.#lan.plug(cable(stack));
    return stack;
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(by: number, step = 20): Promise<void> {
    for (let passed = 0; passed < by; passed += step) {
      this.net.turn();
      await settle();
      this.scheduler.advance(step);
    }
    this.net.turn();
  }

  /** All that was counted, whoever counted it. */
  get counted(): number {
    let sum = 0;
    for (const counters of [this.drops, this.gateway.counters])
      for (const count of Object.values(counters.toRecord())) sum += count;
    return sum;
  }

  /** Things that the host's network was asked for. */
  get asked(): number {
    const { streams, sockets, echoes } = this.net;
    const sent = [...sockets, ...echoes].reduce((sum, { sent }) => sum + sent.length, 0);
    return streams.length + sent + streams.reduce((sum, stream) => sum + stream.written.length, 0);
  }
}

/** A machine behind QEMU's framing: its buffer is used again for each frame, and filled with nonsense in between. */
export class OctetPort implements Port {
  readonly queued = 0;
  #receiver: FrameSink | undefined;
  #heard: Uint8Array[] = [];
  readonly #framing: StreamFraming;

  constructor(drops: ConstructorParameters<typeof StreamFraming>[1]) {
    const sink: FrameSink = { push: (batch, first, end) => this.#receiver?.push(batch, first, end) };
    this.#framing = new StreamFraming(sink, drops, (fault) => {
      throw new Error(`the test wrote a frame of ${fault}`);
    });
  }

  inject(frame: Uint8Array): void {
    const space = this.#framing.space();
    space.fill(0xee, 0, 4 + frame.length + 2048);
    writeUint32(space, 0, frame.length);
    space.set(frame, 4);
    this.#framing.received(4 + frame.length);
  }

  push(batch: FrameBatch, first: number, end: number): void {
    for (let i = first; i < end; i++) this.#heard.push(sliceOf(batch, i));
  }

  attach(receiver: FrameSink): void {
    this.#receiver = receiver;
  }

  detach(): void {
    this.#receiver = undefined;
  }

  /** Frames that came since the last call. */
  take(): Uint8Array[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }
}

export interface SegmentFields {
  readonly source?: number;
  readonly sourcePort?: number;
  readonly to?: number;
  readonly port?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
  readonly mac?: Mac;
}

/** A segment of the machine, 10.0.2.15 port 40000, to port 80 of the world. */
export function segmentFrame(fields: SegmentFields): Uint8Array {
  const { source = GUEST, to = WORLD, payload = new Uint8Array(0), options = new Uint8Array(0) } = fields;
  const { sequence = 1000, acknowledgment = 0, flags = 2, window = 65_535, urgent = 0 } = fields;
  const bytes = new Uint8Array(TCP_HEADER_LENGTH + options.length + payload.length);
  const { sourcePort = 40_000, port = 80 } = fields;
  const at = emitTcpHeader(bytes, 0, sourcePort, port, sequence, acknowledgment, flags, window, options.length);
  writeUint16(bytes, TCP_CHECKSUM + 2, urgent);
  bytes.set(options, at);
  bytes.set(payload, at + options.length);
  const sum = pseudoHeaderSum(source, to, PROTOCOL_TCP, bytes.length);
  writeUint16(bytes, TCP_CHECKSUM, finishChecksum(sumWords(bytes, 0, bytes.length, sum)));
  return ipv4Frame(bytes, { protocol: PROTOCOL_TCP, source, destination: to, mac: fields.mac ?? B });
}

const IP = 14;

/** Puts lengths and checksums of an IPv4 frame right for the octets that it has. Too short for its headers, it stays as it is. */
export function refit(frame: Uint8Array): Uint8Array {
  const bytes = frame.slice();
  if (bytes.length < IP + 20 || readUint16(bytes, 12) !== 0x0800) return bytes;
  const header = Math.min(bytes.length - IP, (bytes[IP]! & 15) * 4);
  const at = IP + header;
  writeUint16(bytes, IP + 2, bytes.length - IP);
  writeUint16(bytes, IP + 10, 0);
  writeUint16(bytes, IP + 10, finishChecksum(sumWords(bytes, IP, at, 0)));
  const length = bytes.length - at;
  const protocol = bytes[IP + 9]!;
  if (protocol === 1 && length >= 4) seal(bytes, at, at + 2, 0);
  if (protocol === 17 && length >= 8) {
    writeUint16(bytes, at + 4, length);
    seal(bytes, at, at + 6, addressSum(bytes, protocol, length));
  }
  if (protocol === 6 && length >= 18) seal(bytes, at, at + 16, addressSum(bytes, protocol, length));
  return bytes;
}

function addressSum(bytes: Uint8Array, protocol: number, length: number): number {
  return sumWords(bytes, IP + 12, IP + 20, protocol + length);
}

function seal(bytes: Uint8Array, from: number, checksum: number, sum: number): void {
  writeUint16(bytes, checksum, 0);
  writeUint16(bytes, checksum, finishChecksum(sumWords(bytes, from, bytes.length, sum)));
}

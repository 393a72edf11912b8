/**
 * Captures: frames that pass through jacks, written to a file as they pass.
 *
 *     jack ──hear──> ear ──> Recorder ──blocks──> DoubleBuffer ──> ByteSink
 *
 * A capture of a LAN listens `from-guest` at every jack, so each frame is there once, where it came in; a capture of one port
 * listens to both directions. The network never waits: what the sink does not take in time is counted as lost, in the next packet
 * of the same interface and in its statistics at the end. A frame is with the sink 200 ms after it was heard, unless the sink is
 * slow. A capture ends when it is stopped, reaches its size or its time, or when the sink fails; then everything is written, the
 * sink is closed and no jack knows the recorder any more.
 */
import type { ByteSink } from '../base/files.ts';
import type { Millis, Scheduler, Timer, WallClock } from '../base/time.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import type { Jack } from '../link/jack.ts';
import type { Direction, Probe } from '../link/probe.ts';
import { ETHERNET_SOURCE } from '../wire/ethernet.ts';
import type { Mac } from '../wire/mac.ts';
import { isGroupMac, readMac } from '../wire/mac.ts';
import { CaptureBuffer } from './capture-buffer.ts';
import type { CaptureWriter } from './capture-writer.ts';
import { WHOLE_FRAMES } from './capture-writer.ts';
import { DoubleBuffer } from './double-buffer.ts';
import { PcapWriter } from './pcap.ts';
import { PcapngWriter } from './pcapng.ts';

export type CaptureFormat = 'pcap' | 'pcapng';

export interface RecorderOptions {
  /** Octets kept of each frame. */
  readonly snapLength?: number | undefined;
  /** The capture ends before it is longer than this. */
  readonly maxOctets?: number | undefined;
  readonly maxDuration?: Millis | undefined;
}

export type RecordingEnd =
  | { readonly reason: 'stopped' | 'size' | 'duration' }
  | { readonly reason: 'write-error'; readonly error: unknown };

export interface RecorderStatistics {
  /** Frames recorded. */
  readonly frames: number;
  /** Octets of these frames as they passed, whatever was kept. */
  readonly octets: number;
  /** Frames heard that could not be written. */
  readonly lost: number;
}

/** A port as the file knows it. Jacks of the same name are the same port. */
interface Interface {
  readonly name: string;
  readonly description: string | undefined;
  mac: Mac | undefined;
  /** Undefined until it is in the file. */
  number: number | undefined;
  heard: number;
  lost: number;
  /** Lost since the last packet that was written. */
  lostSince: number;
}

export class Recorder {
  /** Resolves when the capture is complete and the sink is closed. */
  readonly ended: Promise<RecordingEnd>;
  readonly #sink: ByteSink;
  readonly #wallClock: WallClock;
  readonly #writer: CaptureWriter;
  readonly #buffer: DoubleBuffer;
  readonly #snapLength: number;
  readonly #maxOctets: number;
  readonly #durationTimer: Timer;
  readonly #ears = new Map<Jack, Probe>();
  readonly #interfaces = new Map<string, Interface>();
  #writtenInterfaces = 0;
  #frames = 0;
  #octets = 0;
  #lost = 0;
  /** The file's length if it ended now, statistics included. */
  #fileLength: number;
  #isRecording = true;
  #resolveEnded: (end: RecordingEnd) => void = () => undefined;
  #failure: { readonly error: unknown } | undefined;

  /** The file's header is written at once. */
  constructor(
    format: CaptureFormat,
    sink: ByteSink,
    scheduler: Scheduler,
    wallClock: WallClock,
    options: RecorderOptions = {},
  ) {
    this.#sink = sink;
    this.#wallClock = wallClock;
    this.#snapLength = options.snapLength ?? WHOLE_FRAMES;
    this.#maxOctets = options.maxOctets ?? Number.POSITIVE_INFINITY;
    this.#writer = format === 'pcap' ? new PcapWriter(this.#snapLength) : new PcapngWriter(this.#snapLength);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const header = this.#writer.header();
    this.#fileLength = header.length;
    this.#buffer = new DoubleBuffer(header, sink, scheduler, (error) => {
      this.#failure = { error };
      this.#end('stopped');
    });
    this.#durationTimer = scheduler.timer(() => this.#end('duration'));
    if (options.maxDuration !== undefined) this.#durationTimer.arm(scheduler.now() + options.maxDuration);
  }

  get statistics(): RecorderStatistics {
    return { frames: this.#frames, octets: this.#octets, lost: this.#lost };
  }

  /** Records what passes through the jack from now on; `description` is what the file says about it besides its name. */
  listen(jack: Jack, which: 'both' | 'from-guest', description?: string): void {
    if (!this.#isRecording) return;
    this.silence(jack);
    const port = this.#interfaceOf(jack, description);
    const ear: Probe = {
      hear: (direction, batch, first, end) => {
        if (which === 'both' || direction === 'from-guest') this.#record(port, direction, batch, first, end);
      },
    };
    this.#ears.set(jack, ear);
    jack.listen(ear);
  }

  silence(jack: Jack): void {
    const ear = this.#ears.get(jack);
    if (ear === undefined) return;
    jack.silence(ear);
    this.#ears.delete(jack);
  }

  /** Ends the capture; resolves when it is complete and the sink is closed. */
  async stop(): Promise<void> {
    this.#end('stopped');
    await this.ended;
  }

  #interfaceOf(jack: Jack, description: string | undefined): Interface {
    const known = this.#interfaces.get(jack.name);
    if (known !== undefined) return known;
    const { name, mac } = jack;
    const added = { name, description, mac, number: undefined, heard: 0, lost: 0, lostSince: 0 };
    this.#interfaces.set(name, added);
    return added;
  }

  #record(port: Interface, direction: Direction, batch: FrameBatch, first: number, end: number): void {
    if (!this.#isRecording) return;
    this.#writer.setTime(this.#wallClock.nanoseconds());
    for (let i = first; i < end; i++) {
      const start = batch.starts[i]!;
      const length = batch.ends[i]! - start;
      const captured = length < this.#snapLength ? length : this.#snapLength;
      const out = this.#roomFor(port, direction, batch.bytes, start, captured);
      if (!this.#isRecording) break;
      port.heard++;
      if (out === undefined) {
        port.lost++;
        port.lostSince++;
        this.#lost++;
        continue;
      }
      const before = out.length;
      this.#writer.emitPacket(out, port.number!, direction, batch.bytes, start, length, captured, port.lostSince);
      port.lostSince = 0;
      this.#fileLength += out.length - before;
      this.#frames++;
      this.#octets += length;
    }
    this.#buffer.committed();
  }

  /** A buffer with room for a packet, its interface already in the file; undefined where there is none or the capture ended. */
  #roomFor(
    port: Interface,
    direction: Direction,
    bytes: Uint8Array,
    start: number,
    captured: number,
  ): CaptureBuffer | undefined {
    const packetLength = this.#writer.packetLength(captured);
    if (port.number !== undefined) {
      if (this.#fileLength + packetLength > this.#maxOctets) return this.#endBySize();
      return this.#buffer.room(packetLength);
    }
    if (direction === 'from-guest') port.mac ??= stationAt(bytes, start + ETHERNET_SOURCE);
    const interfaceLength = this.#writer.interfaceLength(port);
    const growth = interfaceLength + this.#writer.statisticsLength;
    if (this.#fileLength + growth + packetLength > this.#maxOctets) return this.#endBySize();
    const out = this.#buffer.room(interfaceLength + packetLength);
    if (out === undefined) return undefined;
    this.#fileLength += growth;
    this.#emitInterface(out, port);
    return out;
  }

  #endBySize(): undefined {
    this.#end('size');
  }

  #emitInterface(out: CaptureBuffer, port: Interface): void {
    port.number = this.#writtenInterfaces++;
    this.#writer.emitInterface(out, port);
  }

  #end(reason: 'stopped' | 'size' | 'duration'): void {
    if (!this.#isRecording) return;
    this.#isRecording = false;
    this.#durationTimer.cancel();
    for (const jack of [...this.#ears.keys()]) this.silence(jack);
    void this.#complete(reason);
  }

  async #complete(reason: 'stopped' | 'size' | 'duration'): Promise<void> {
    await this.#buffer.finish(this.#trailer());
    try {
      await this.#sink.close();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#resolveEnded(
      this.#failure === undefined ? { reason } : { reason: 'write-error', error: this.#failure.error },
    );
  }

  /** The statistics of every port that was heard, also of those that lost all they heard. */
  #trailer(): Uint8Array {
    const ports = [...this.#interfaces.values()].filter(({ heard }) => heard > 0);
    const unwritten = ports.filter(({ number }) => number === undefined);
    const length = unwritten.reduce((sum, port) => sum + this.#writer.interfaceLength(port), 0);
    const out = new CaptureBuffer(length + ports.length * this.#writer.statisticsLength);
    this.#writer.setTime(this.#wallClock.nanoseconds());
    for (const port of unwritten) this.#emitInterface(out, port);
    for (const port of ports) this.#writer.emitStatistics(out, port.number!, port.heard, port.lost);
    return out.used;
  }
}

/** An address that a station can have; undefined for a group address or none. */
function stationAt(bytes: Uint8Array, at: number): Mac | undefined {
  const mac = readMac(bytes, at);
  return mac === 0 || isGroupMac(mac) ? undefined : mac;
}

/** The kernel as a station: what it sends from a card comes in as frames, what is pushed the card receives. */
import type { DropSink } from '../../link/drops.ts';
import { FrameAssembler } from '../../link/frame-assembler.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';
import type { Port, PortReceiver } from '../../link/port.ts';
import { ETHERNET_HEADER_LENGTH } from '../../wire/ethernet.ts';
import type { SystemCalls, Watch } from '../system-calls.ts';
import type { Card } from './card.ts';

/** Frames that are read before the other side has its turn. */
const BURST = 64;
/** Ethernet's header and a VLAN tag. */
const OVERHEAD = 18;

export class KernelPort implements Port {
  readonly #system: SystemCalls;
  readonly #card: Card;
  readonly #room: number;
  readonly #drops: DropSink;
  readonly #assembler = new FrameAssembler({ push: (batch, first, end) => this.#receiver?.push(batch, first, end) });
  #receiver: PortReceiver | undefined;
  #watch: Watch | undefined;

  constructor(system: SystemCalls, card: Card, mtu: number, drops: DropSink) {
    this.#system = system;
    this.#card = card;
    this.#room = mtu + OVERHEAD;
    this.#drops = drops;
  }

  /** What the kernel does not take at once is lost. */
  get queued(): number {
    return 0;
  }

  attach(receiver: PortReceiver): void {
    this.#receiver = receiver;
    this.resume();
  }

  detach(): void {
    this.#receiver = undefined;
    this.pause();
  }

  push(batch: FrameBatch, first: number, end: number): void {
    for (let i = first; i < end; i++) {
      const frame = batch.bytes.subarray(batch.starts[i]!, batch.ends[i]!);
      if (!this.#card.write(frame)) this.#drops.dropped('kernel-full', batch, i, i + 1);
    }
  }

  /** Leaves frames with the kernel, whose queue fills until it drops them. */
  pause(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  resume(): void {
    this.#watch ??= this.#system.watch(this.#card.fd, () => this.#read());
  }

  #read(): void {
    const assembler = this.#assembler;
    for (let i = 0; i < BURST; i++) {
      const start = assembler.reserve(this.#room);
      const length = this.#card.read(assembler.bytes, start, this.#room);
      if (length < ETHERNET_HEADER_LENGTH) break;
      assembler.commit(start, length);
    }
    assembler.flush();
  }
}

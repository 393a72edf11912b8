import { SeededRandom } from '../../src/base/chance.ts';
import type { FrameBatch } from '../../src/link/frame-batch.ts';
import { batchOf } from '../../src/link/frame-batch.ts';
import type { ImpairmentSpec } from '../../src/link/impairment.ts';
import { Impairment } from '../../src/link/impairment.ts';
import { readUint32, writeUint32 } from '../../src/wire/octets.ts';
import { FakeDrops } from './fake-port.ts';
import { A, B, frame } from './frames.ts';
import { ManualScheduler } from './manual-scheduler.ts';

/** One direction of a link on a clock that the test turns; frames are numbered from 0 as they are sent. */
export class ImpairedPath {
  readonly scheduler = new ManualScheduler();
  readonly drops = new FakeDrops();
  readonly impairment: Impairment;
  /** Numbers of the frames that came out, and when each did. */
  readonly arrived: number[] = [];
  readonly times: number[] = [];
  /** Frames per push. */
  readonly pushes: number[] = [];
  sent = 0;

  constructor(spec: ImpairmentSpec, seed = 1) {
    const far = { push: (batch: FrameBatch, first: number, end: number) => this.#arrive(batch, first, end) };
    const chance = (purpose: string) => new SeededRandom(seed + purpose.length);
    this.impairment = new Impairment(far, this.drops, this.scheduler, chance);
    this.impairment.update(spec);
  }

  /** Sends `count` frames together. */
  send(count: number, octets = 60): void {
    const frames = Array.from({ length: count }, () => numbered(this.sent++, octets));
    this.impairment.push(batchOf(frames), 0, count);
  }

  #arrive(batch: FrameBatch, first: number, end: number): void {
    this.pushes.push(end - first);
    for (let i = first; i < end; i++) {
      this.arrived.push(readUint32(batch.bytes, batch.starts[i]! + PAYLOAD));
      this.times.push(this.scheduler.now());
    }
  }
}

const PAYLOAD = 14;

function numbered(number: number, octets: number): Uint8Array {
  const bytes = frame(B, A, octets);
  writeUint32(bytes, PAYLOAD, number);
  return bytes;
}

/**
 * What nobody off the path may guess: initial sequence numbers (RFC 6528) and the zero of timestamps (RFC 7323, 7.1).
 *
 * Both are a clock plus a keyed hash of the connection's addresses and ports: HalfSipHash-2-4 (Aumasson, Bernstein), 32 bits.
 */
import type { Random } from '../../base/chance.ts';
import { randomUint32 } from '../../base/chance.ts';
import type { Millis } from '../../base/time.ts';
import { readUint32 } from '../../wire/octets.ts';
import type { FlowKey } from '../flow-table.ts';

/** RFC 6528, 3: the clock of sequence numbers ticks every 4 microseconds. */
const TICKS_PER_MILLI = 250;

export class Secret {
  readonly #low: number;
  readonly #high: number;

  constructor(random: Random) {
    this.#low = randomUint32(random);
    this.#high = randomUint32(random);
  }

  initialSequence(flow: FlowKey, now: Millis): number {
    return (Math.floor(now * TICKS_PER_MILLI) + this.#hash(flow, 0)) >>> 0;
  }

  timestampOffset(flow: FlowKey): number {
    return this.#hash(flow, 1);
  }

  #hash({ ends, localPort, remotePort }: FlowKey, purpose: number): number {
    const words: number[] = [];
    for (let at = 0; at < ends.length; at += 4) words.push(readUint32(ends, at));
    words.push((localPort << 16) | remotePort, purpose);
    words.push((4 * words.length) << 24);
    let v0 = this.#low;
    let v1 = this.#high;
    let v2 = 0x6c796765 ^ this.#low;
    let v3 = 0x74656462 ^ this.#high;
    const round = (): void => {
      v0 = (v0 + v1) | 0;
      v1 = rotate(v1, 5) ^ v0;
      v0 = rotate(v0, 16);
      v2 = (v2 + v3) | 0;
      v3 = rotate(v3, 8) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = rotate(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotate(v1, 13) ^ v2;
      v2 = rotate(v2, 16);
    };
    for (const word of words) {
      v3 ^= word;
      round();
      round();
      v0 ^= word;
    }
    v2 ^= 0xff;
    for (let i = 0; i < 4; i++) round();
    return (v1 ^ v3) >>> 0;
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

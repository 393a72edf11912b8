/** A source of chance. */
export interface Random {
  /** The next number, uniform in [0, 1). */
  next(): number;
}

/** An unsigned integer below 2^32. */
export function randomUint32(random: Random): number {
  return Math.floor(random.next() * 0x1_0000_0000) >>> 0;
}

/** Repeatable chance: the same seed gives the same sequence (mulberry32). Not for secrets. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }
}

/** What was given to a connection to send and is not acknowledged yet, in blocks that all connections share. */

const BLOCK_LENGTH = 16 * 1024;
/** Blocks that are kept for the next who needs one. */
const MAX_SPARES = 256;

export class BlockPool {
  readonly #spares: Uint8Array[] = [];
  /** Octets of the blocks that are in use. */
  taken = 0;

  take(): Uint8Array {
    this.taken += BLOCK_LENGTH;
    return this.#spares.pop() ?? new Uint8Array(BLOCK_LENGTH);
  }

  give(block: Uint8Array): void {
    this.taken -= BLOCK_LENGTH;
    if (this.#spares.length < MAX_SPARES) this.#spares.push(block);
  }
}

/** A queue of octets that is read at any place. Empty, it owns no block. */
export class SendBuffer {
  readonly #pool: BlockPool;
  #blocks: Uint8Array[] | undefined;
  /** Where the first octet lies in the first block. */
  #head = 0;
  #length = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    this.#blocks ??= [];
    for (let from = 0; from < bytes.length; ) {
      const at = (this.#head + this.#length) % BLOCK_LENGTH;
      if (this.#head + this.#length === this.#blocks.length * BLOCK_LENGTH) this.#blocks.push(this.#pool.take());
      const taken = Math.min(bytes.length - from, BLOCK_LENGTH - at);
      this.#blocks[this.#blocks.length - 1]!.set(bytes.subarray(from, from + taken), at);
      this.#length += taken;
      from += taken;
    }
  }

  /** The first `octets` are needed no more. */
  drop(octets: number): void {
    if (this.#blocks === undefined) return;
    this.#length -= octets;
    this.#head += octets;
    if (this.#length === 0) {
      this.clear();
      return;
    }
    for (; this.#head >= BLOCK_LENGTH; this.#head -= BLOCK_LENGTH) this.#pool.give(this.#blocks.shift()!);
  }

  clear(): void {
    for (const block of this.#blocks ?? []) this.#pool.give(block);
    this.#blocks = undefined;
    this.#head = 0;
    this.#length = 0;
  }

  /** Copies octets [offset, offset + length) to `out`. */
  copy(offset: number, length: number, out: Uint8Array, at: number): void {
    let from = this.#head + offset;
    for (let copied = 0; copied < length; ) {
      const block = this.#blocks![Math.floor(from / BLOCK_LENGTH)]!;
      const start = from % BLOCK_LENGTH;
      const taken = Math.min(length - copied, BLOCK_LENGTH - start);
      out.set(block.subarray(start, start + taken), at + copied);
      copied += taken;
      from += taken;
    }
  }
}

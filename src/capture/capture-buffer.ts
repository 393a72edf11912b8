/** Octets on their way into a capture file: a buffer that fills from its start. */

/** From this length on the engine's block copy beats a loop over words (`bench/capture.ts`). */
const BLOCK_COPY_LENGTH = 192;

export class CaptureBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Octets in use; the next block begins here. */
  length = 0;
  #source: Uint8Array = new Uint8Array(0);
  #sourceView = new DataView(this.#source.buffer);

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  get room(): number {
    return this.bytes.length - this.length;
  }

  /** What was put so far, not copied. */
  get used(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Copies `length` octets of `source` to `at`. */
  copy(at: number, source: Uint8Array, from: number, length: number): void {
    if (length >= BLOCK_COPY_LENGTH) {
      this.bytes.set(source.subarray(from, from + length), at);
      return;
    }
    if (source !== this.#source) this.#lookAt(source);
    const words = length & ~3;
    for (let i = 0; i < words; i += 4) this.view.setUint32(at + i, this.#sourceView.getUint32(from + i));
    for (let i = words; i < length; i++) this.bytes[at + i] = source[from + i]!;
  }

  /** Forgets what was put, and the buffer that frames were copied from. */
  reset(): void {
    this.length = 0;
    this.#lookAt(new Uint8Array(0));
  }

  #lookAt(source: Uint8Array): void {
    this.#source = source;
    this.#sourceView = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }
}

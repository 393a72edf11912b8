import type { ReadableFile } from '../../base/files.ts';

/** Octets per read of the file: a read costs far more than its octets. */
const READ_LENGTH = 256 * 1024;
/** With less than this at hand the next read begins. */
const LOW_WATER = 128 * 1024;

export type TftpMode = 'octet' | 'netascii';

/** Gives a file's octets in order, as its transfer mode has them, and reads ahead. */
export class FileSource {
  readonly #file: ReadableFile;
  readonly #mode: TftpMode;
  readonly #onReady: () => void;
  readonly #onError: () => void;
  #chunks: Uint8Array[] = [];
  /** Octets of the first chunk that are given out. */
  #taken = 0;
  #atHand = 0;
  #readAt = 0;
  #isReading = false;
  #isAtEnd = false;
  #isClosed = false;

  /** `onReady` follows each `take` that gave nothing, or `onError` does. */
  constructor(file: ReadableFile, mode: TftpMode, onReady: () => void, onError: () => void) {
    this.#file = file;
    this.#mode = mode;
    this.#onReady = onReady;
    this.#onError = onError;
  }

  /** The next `length` octets, fewer only at the end of the file; undefined while they are being read. */
  take(length: number): Uint8Array | undefined {
    if (!this.#isAtEnd && this.#atHand < Math.max(length, LOW_WATER)) this.#readAhead();
    if (!this.#isAtEnd && this.#atHand < length) return undefined;
    const octets = new Uint8Array(Math.min(length, this.#atHand));
    let filled = 0;
    while (filled < octets.length) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(this.#taken, this.#taken + octets.length - filled);
      octets.set(part, filled);
      filled += part.length;
      this.#taken += part.length;
      if (this.#taken < chunk.length) continue;
      this.#chunks.shift();
      this.#taken = 0;
    }
    this.#atHand -= octets.length;
    return octets;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#chunks = [];
    this.#atHand = 0;
    this.#isAtEnd = true;
    // What was read is sent or given up; that the file cannot be closed changes neither.
    this.#file.close().catch(() => undefined);
  }

  #readAhead(): void {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    // One octet more than the file promises shows its end without another read.
    const length = Math.min(READ_LENGTH, Math.max(0, this.#file.size - this.#readAt) + 1);
    let octets: Uint8Array | undefined;
    try {
      octets = await this.#file.read(this.#readAt, length);
    } catch {
      octets = undefined;
    }
    this.#isReading = false;
    if (this.#isClosed) return;
    if (octets === undefined) {
      this.#onError();
      return;
    }
    this.#readAt += octets.length;
    this.#isAtEnd = octets.length < length;
    const chunk = this.#mode === 'octet' ? octets : toNetascii(octets);
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#atHand += chunk.length;
    this.#onReady();
  }
}

const LF = 10;
const CR = 13;

/** RFC 764: a line ends with CR LF, and a CR of the text is CR NUL. */
function toNetascii(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * octets.length);
  let end = 0;
  for (const octet of octets) {
    if (octet === LF) out[end++] = CR;
    out[end++] = octet;
    if (octet === CR) out[end++] = 0;
  }
  return out.subarray(0, end);
}

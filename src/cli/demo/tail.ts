import { open } from 'node:fs/promises';
import type { CapturedPacket } from '../../capture/pcapng-reader.ts';
import { PcapngReader } from '../../capture/pcapng-reader.ts';

/** Reads a capture while it is being written. */
export class CaptureTail {
  readonly #path: string;
  readonly #reader = new PcapngReader();
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The packets that have come since the last call. Rejects where the file cannot be read or is no capture. */
  async packets(): Promise<readonly CapturedPacket[]> {
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const fresh = Buffer.alloc(size - this.#at);
      const { bytesRead } = await file.read(fresh, 0, fresh.length, this.#at);
      this.#at += bytesRead;
      const packets = this.#reader.feed(fresh.subarray(0, bytesRead));
      if (this.#reader.defect !== undefined) throw new Error(`${this.#path} is damaged (${this.#reader.defect})`);
      return packets;
    } finally {
      await file.close();
    }
  }
}

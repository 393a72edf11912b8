import type { FileTree, ReadableFile, StateFile } from '../../src/base/files.ts';

/** Files by path. */
export class MemoryTree implements FileTree {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  /** Files that are open now. */
  openFiles = 0;
  /** Every further read fails. */
  isBroken = false;

  constructor(files: Readonly<Record<string, Uint8Array | string>>) {
    this.#files = new Map(
      Object.entries(files).map(([path, content]) => [
        path,
        typeof content === 'string' ? new TextEncoder().encode(content) : content,
      ]),
    );
  }

  async open(path: string): Promise<ReadableFile | undefined> {
    const octets = this.#files.get(path.replace(/^\//, ''));
    if (octets === undefined) return undefined;
    this.openFiles++;
    return {
      size: octets.length,
      read: async (at, length) => {
        if (this.isBroken) throw new Error('the disk is gone');
        return octets.slice(at, at + length);
      },
      close: async () => void this.openFiles--,
    };
  }
}

/** A document whose saving a test can hold back or let fail. */
export class MemoryState implements StateFile {
  text: string | undefined;
  saves = 0;
  asides = 0;
  isFailing = false;
  #held: (() => void)[] | undefined;

  constructor(text?: string) {
    this.text = text;
  }

  async load(): Promise<string | undefined> {
    return this.text;
  }

  async save(text: string): Promise<void> {
    this.saves++;
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    if (this.isFailing) throw new Error('the disk is full');
    this.text = text;
  }

  async setAside(): Promise<void> {
    this.asides++;
    this.text = undefined;
  }

  /** From now on saves wait for `letGo`. */
  hold(): void {
    this.#held = [];
  }

  letGo(): void {
    for (const resolve of this.#held ?? []) resolve();
    this.#held = undefined;
  }
}

/** Which conversation a packet belongs to: a hash table over addresses of either family and ports that makes no key objects. */
import type { Random } from '../base/chance.ts';
import { randomUint32 } from '../base/chance.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { readUint32 } from '../wire/octets.ts';

/** The two ends of a conversation; `local` is ours, or that of the host in whose name we speak. */
export interface FlowKey {
  /** The remote address and behind it the local one, as a packet that comes in has them. */
  readonly ends: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
}

/** Throws where the two are not of one family. */
export function flowKeyOf(local: Endpoint, remote: Endpoint): FlowKey {
  const { length } = remote.address;
  if (local.address.length !== length) throw new RangeError('the ends of a conversation are of one family');
  const ends = new Uint8Array(2 * length);
  ends.set(remote.address);
  ends.set(local.address, length);
  return { ends, localPort: local.port, remotePort: remote.port };
}

export function localOf({ ends, localPort }: FlowKey): Endpoint {
  return { address: ends.slice(ends.length / 2), port: localPort };
}

export function remoteOf({ ends, remotePort }: FlowKey): Endpoint {
  return { address: ends.slice(0, ends.length / 2), port: remotePort };
}

/** What the table holds; the link is the table's. */
export interface FlowEntry extends FlowKey {
  nextInBucket: FlowEntry | undefined;
}

const FIRST_BUCKETS = 64;

/** The hash is keyed by chance, so that nobody can choose ports that all meet in one bucket. */
export class FlowTable<Entry extends FlowEntry> {
  readonly #key: number;
  #buckets: (FlowEntry | undefined)[] = new Array<FlowEntry | undefined>(FIRST_BUCKETS).fill(undefined);
  #size = 0;
  /** Packets come in trains of one conversation. */
  #last: FlowEntry | undefined;

  constructor(random: Random) {
    this.#key = randomUint32(random);
  }

  get size(): number {
    return this.#size;
  }

  /** Of a packet that comes in: its two addresses, together `length` octets, lie at `at`. */
  find(bytes: Uint8Array, at: number, length: number, localPort: number, remotePort: number): Entry | undefined {
    let entry = this.#last;
    if (entry !== undefined && isOf(entry, bytes, at, length, localPort, remotePort)) return entry as Entry;
    entry = this.#buckets[this.#bucketOf(bytes, at, length, localPort, remotePort)];
    while (entry !== undefined && !isOf(entry, bytes, at, length, localPort, remotePort)) entry = entry.nextInBucket;
    if (entry !== undefined) this.#last = entry;
    return entry as Entry | undefined;
  }

  findKey({ ends, localPort, remotePort }: FlowKey): Entry | undefined {
    return this.find(ends, 0, ends.length, localPort, remotePort);
  }

  /** Adds an entry whose ends no other has. */
  add(entry: Entry): void {
    if (this.#size >= this.#buckets.length) this.#grow();
    this.#link(entry);
    this.#size++;
  }

  delete(entry: Entry): void {
    if (this.#last === entry) this.#last = undefined;
    const index = this.#bucketFor(entry);
    let before = this.#buckets[index];
    if (before === entry) {
      this.#buckets[index] = entry.nextInBucket;
    } else {
      while (before !== undefined && before.nextInBucket !== entry) before = before.nextInBucket;
      if (before === undefined) return;
      before.nextInBucket = entry.nextInBucket;
    }
    entry.nextInBucket = undefined;
    this.#size--;
  }

  /** All entries at this moment. */
  entries(): Entry[] {
    const all: Entry[] = [];
    for (const first of this.#buckets)
      for (let entry = first; entry !== undefined; entry = entry.nextInBucket) all.push(entry as Entry);
    return all;
  }

  #link(entry: FlowEntry): void {
    const index = this.#bucketFor(entry);
    entry.nextInBucket = this.#buckets[index];
    this.#buckets[index] = entry;
  }

  #grow(): void {
    const all = this.entries();
    this.#buckets = new Array<FlowEntry | undefined>(4 * this.#buckets.length).fill(undefined);
    for (const entry of all) this.#link(entry);
  }

  #bucketFor({ ends, localPort, remotePort }: FlowKey): number {
    return this.#bucketOf(ends, 0, ends.length, localPort, remotePort);
  }

  #bucketOf(bytes: Uint8Array, at: number, length: number, localPort: number, remotePort: number): number {
    let hash = this.#key;
    for (let i = 0; i < length; i += 4) {
      hash = Math.imul(hash ^ readUint32(bytes, at + i), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ ((localPort << 16) | remotePort), 0x85ebca6b);
    return (hash ^ (hash >>> 16)) & (this.#buckets.length - 1);
  }
}

function isOf(
  entry: FlowKey,
  bytes: Uint8Array,
  at: number,
  length: number,
  localPort: number,
  remotePort: number,
): boolean {
  const { ends } = entry;
  if (entry.remotePort !== remotePort || entry.localPort !== localPort || ends.length !== length) return false;
  for (let i = 0; i < length; i++) if (ends[i] !== bytes[at + i]) return false;
  return true;
}

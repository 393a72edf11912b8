/** Which connection a segment belongs to: a hash table over addresses and ports that makes no key objects. */
import type { Random } from '../../base/chance.ts';
import { randomUint32 } from '../../base/chance.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';

/** The two ends of a connection; `local` is ours, or that of the host in whose name we speak. */
export interface FlowKey {
  readonly localAddress: Ipv4;
  readonly localPort: number;
  readonly remoteAddress: Ipv4;
  readonly remotePort: number;
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
  /** Segments come in trains of one connection. */
  #last: FlowEntry | undefined;

  constructor(random: Random) {
    this.#key = randomUint32(random);
  }

  get size(): number {
    return this.#size;
  }

  find(localAddress: Ipv4, localPort: number, remoteAddress: Ipv4, remotePort: number): Entry | undefined {
    let entry = this.#last;
    if (entry !== undefined && isOf(entry, localAddress, localPort, remoteAddress, remotePort)) return entry as Entry;
    entry = this.#buckets[this.#bucketOf(localAddress, localPort, remoteAddress, remotePort)];
    while (entry !== undefined && !isOf(entry, localAddress, localPort, remoteAddress, remotePort))
      entry = entry.nextInBucket;
    if (entry !== undefined) this.#last = entry;
    return entry as Entry | undefined;
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

  #bucketFor({ localAddress, localPort, remoteAddress, remotePort }: FlowKey): number {
    return this.#bucketOf(localAddress, localPort, remoteAddress, remotePort);
  }

  #bucketOf(localAddress: Ipv4, localPort: number, remoteAddress: Ipv4, remotePort: number): number {
    let hash = Math.imul(localAddress ^ this.#key, 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15)) + remoteAddress, 0x85ebca6b);
    hash = Math.imul((hash ^ (hash >>> 13)) + ((localPort << 16) | remotePort), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & (this.#buckets.length - 1);
  }
}

function isOf(entry: FlowKey, localAddress: Ipv4, localPort: number, remoteAddress: Ipv4, remotePort: number): boolean {
  return (
    entry.remotePort === remotePort &&
    entry.localPort === localPort &&
    entry.remoteAddress === remoteAddress &&
    entry.localAddress === localAddress
  );
}

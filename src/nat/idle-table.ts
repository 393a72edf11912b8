/**
 * Flows without an end of their own: they are over when nobody has used them for a while, or when others need the room.
 *
 * One timer serves all of them. To use a flow costs a look at the clock; that is why the order of use is kept only to the second.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';

/** How exactly the order of use is known, and how often the table is searched at most. */
const GRAIN: Millis = 1000;

export interface IdleEntry {
  /** For whom it exists, as a key; a limit holds for each owner. */
  readonly owner: number | string;
  /** How long it may be unused; it may grow. */
  readonly timeout: Millis;
  /** Ends it; it leaves the table by `remove`. */
  close(): void;
}

export interface IdleLimits {
  readonly perOwner: number;
  readonly total: number;
}

interface Place<Entry> {
  readonly entry: Entry;
  usedAt: Millis;
  /** When it was put at the end of the order. */
  listedAt: Millis;
}

export class IdleTable<Key, Entry extends IdleEntry> {
  readonly #scheduler: Scheduler;
  readonly #limits: IdleLimits;
  readonly #onEvict: () => void;
  readonly #timer: Timer;
  #firesAt = Number.POSITIVE_INFINITY;
  /** In the order of use. */
  readonly #places = new Map<Key, Place<Entry>>();
  /** The keys of each owner, in the order of use as well. */
  readonly #perOwner = new Map<number | string, Set<Key>>();

  /** `onEvict` hears that an entry was closed because another one needed its room. */
  constructor(scheduler: Scheduler, limits: IdleLimits, onEvict: () => void) {
    this.#scheduler = scheduler;
    this.#limits = limits;
    this.#onEvict = onEvict;
    this.#timer = scheduler.timer(() => this.#expire());
  }

  get size(): number {
    return this.#places.size;
  }

  /** Looks without using it. */
  get(key: Key): Entry | undefined {
    return this.#places.get(key)?.entry;
  }

  /** The entry, which is used now. */
  use(key: Key): Entry | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const now = this.#scheduler.now();
    place.usedAt = now;
    if (now - place.listedAt >= GRAIN) {
      place.listedAt = now;
      this.#places.delete(key);
      this.#places.set(key, place);
      const own = this.#perOwner.get(place.entry.owner)!;
      own.delete(key);
      own.add(key);
    }
    return place.entry;
  }

  /** Adds an entry under a key that is free; where there are too many, the ones that are unused for longest are closed. */
  add(key: Key, entry: Entry): void {
    const { owner } = entry;
    if ((this.#perOwner.get(owner)?.size ?? 0) >= this.#limits.perOwner) this.#evict(this.#perOwner.get(owner)!);
    else if (this.#places.size >= this.#limits.total) this.#evict(this.#places);
    const now = this.#scheduler.now();
    this.#places.set(key, { entry, usedAt: now, listedAt: now });
    const own = this.#perOwner.get(owner) ?? new Set();
    this.#perOwner.set(owner, own.add(key));
    this.#armBy(now + entry.timeout);
  }

  /** Forgets the entry, where it is the one under this key. */
  remove(key: Key, entry: Entry): void {
    if (this.get(key) !== entry) return;
    this.#places.delete(key);
    const own = this.#perOwner.get(entry.owner)!;
    own.delete(key);
    if (own.size === 0) this.#perOwner.delete(entry.owner);
    if (this.#places.size > 0) return;
    this.#timer.cancel();
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  closeAll(): void {
    for (const { entry } of [...this.#places.values()]) entry.close();
  }

  /** Closes the one that is unused for longest of the entries under these keys. */
  #evict(keys: { keys(): Iterable<Key> }): void {
    for (const key of keys.keys()) {
      this.get(key)?.close();
      this.#onEvict();
      return;
    }
  }

  #armBy(at: Millis): void {
    if (at >= this.#firesAt) return;
    this.#firesAt = at;
    this.#timer.arm(at);
  }

  #expire(): void {
    const now = this.#scheduler.now();
    this.#firesAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const { entry, usedAt } of [...this.#places.values()]) {
      const end = usedAt + entry.timeout;
      if (end <= now) entry.close();
      else next = Math.min(next, end);
    }
    if (this.#places.size > 0) this.#armBy(Math.max(next, now + GRAIN));
  }
}

/**
 * Answers that are still good, RFC 1035, 7.4 and RFC 2308: for the least time to live among their records; "there is none" for what its
 * SOA says. Those that are over are kept for an hour more, for times when no name server answers (RFC 8767).
 */
import type { Millis } from '../../base/time.ts';
import type { DnsAnswer } from '../../wire/dns-message.ts';
import type { Age } from '../../wire/dns-response.ts';

/** Entries; each costs its octets and about `ENTRY_OVERHEAD`. */
export const CACHE_ENTRIES = 10_000;
/** Octets of all entries. */
export const CACHE_OCTETS = 4 * 1024 * 1024;
const ENTRY_OVERHEAD = 300;

/** RFC 8767, 4: seconds. */
const MAX_LIFETIME = 86_400;
/** RFC 2308, 7.1: a failure may be kept for 5 minutes; here for as long as clients repeat a question. */
const FAILURE_LIFETIME = 5;
/** RFC 8767, 5: for how long an answer that is over serves without asking again, and its time to live. */
const STALE_TTL = 30;
const MAX_STALE: Millis = 3_600_000;

export interface CachedAnswer {
  readonly answer: DnsAnswer;
  /** When it was heard. */
  readonly since: Millis;
  /** When it is over. */
  expires: Millis;
}

export class DnsCache {
  readonly #entries = new Map<string, CachedAnswer>();
  #octets = 0;

  get size(): number {
    return this.#entries.size;
  }

  get octets(): number {
    return this.#octets;
  }

  /** An answer that is still good, or that may be given again for now although it is over. */
  find(key: string, now: Millis): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && now < entry.expires ? entry : undefined;
  }

  /** An answer that is over but better than none; it serves for the next seconds without asking again. */
  findStale(key: string, now: Millis): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    const lifetime = entry?.answer.lifetime;
    if (entry === undefined || lifetime === undefined) return undefined;
    if (now >= entry.since + Math.min(lifetime, MAX_LIFETIME) * 1000 + MAX_STALE) return undefined;
    entry.expires = Math.max(entry.expires, now + STALE_TTL * 1000);
    return entry;
  }

  /** Keeps the answer for as long as it says; the oldest go where there is no room. */
  keep(key: string, answer: DnsAnswer, now: Millis): void {
    if (answer.lifetime === undefined || answer.lifetime === 0) return;
    this.#put(key, answer, now, Math.min(answer.lifetime, MAX_LIFETIME));
  }

  /** Keeps an answer that says that the name server failed, for a few seconds. */
  keepFailure(key: string, answer: DnsAnswer, now: Millis): void {
    this.#put(key, answer, now, FAILURE_LIFETIME);
  }

  #put(key: string, answer: DnsAnswer, now: Millis, seconds: number): void {
    this.#delete(key);
    const octets = octetsOf(key, answer);
    if (octets > CACHE_OCTETS) return;
    this.#entries.set(key, { answer, since: now, expires: now + seconds * 1000 });
    this.#octets += octets;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= CACHE_ENTRIES && this.#octets <= CACHE_OCTETS) return;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#octets -= octetsOf(key, entry.answer);
  }

  clear(): void {
    this.#entries.clear();
    this.#octets = 0;
  }
}

/** How old the answer is, for its times to live. */
export function ageOf({ answer, since }: CachedAnswer, now: Millis): Age {
  const elapsed = Math.floor((now - since) / 1000);
  const isOver = answer.lifetime !== undefined && elapsed > 0 && elapsed >= answer.lifetime;
  return { elapsed, least: isOver ? STALE_TTL : 0 };
}

function octetsOf(key: string, answer: DnsAnswer): number {
  return key.length + answer.bytes.length + answer.ttls.length * 8 + ENTRY_OVERHEAD;
}

import type { LogEntry } from '../base/log.ts';
import type { WallClock } from '../base/time.ts';

/** What happened in a lab, and when: nanoseconds since 1970. */
export interface LabEvent {
  readonly at: bigint;
  readonly entry: LogEntry;
}

export interface EventListener {
  heard(event: LabEvent): void;
  /** The lab has stopped; nothing follows. */
  ended(): void;
}

/** What the lab remembers of its log. */
const MEMORY = 500;

/** Passes on what happens in a lab to whoever listens at the moment, and remembers the end of its log. */
export class EventFeed {
  readonly #wallClock: WallClock;
  readonly #past: LabEvent[] = [];
  readonly #listeners = new Set<EventListener>();

  constructor(wallClock: WallClock) {
    this.#wallClock = wallClock;
  }

  /** The end of the log, oldest first. */
  get past(): readonly LabEvent[] {
    return this.#past;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** What the log says. */
  log(entry: LogEntry): void {
    const event = { at: this.#wallClock.nanoseconds(), entry };
    this.#past.push(event);
    if (this.#past.length > MEMORY) this.#past.shift();
    this.#pass(event);
  }

  /** What is too much for a log; it is put into words only if somebody listens. */
  tell(words: () => LogEntry): void {
    if (this.hasListeners) this.#pass({ at: this.#wallClock.nanoseconds(), entry: words() });
  }

  /** The listener hears what happens from now on; the result ends that. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  end(): void {
    for (const listener of this.#listeners) listener.ended();
    this.#listeners.clear();
  }

  #pass(event: LabEvent): void {
    for (const listener of this.#listeners) listener.heard(event);
  }
}

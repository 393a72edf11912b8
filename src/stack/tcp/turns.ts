/** Whose turn it is to send, and how much may wait for a machine that reads slowly. */
import type { Mac } from '../../wire/mac.ts';

/** Octets that one connection sends before the next one does. */
const TURN = 64 * 1024;
/** Octets that may wait for one machine: below what its port takes before it drops. */
const EGRESS_LIMIT = 192 * 1024;

export interface Sending {
  isDirty: boolean;
  output(): void;
}

export class Turns {
  readonly #queuedTowards: (mac: Mac) => number;
  /** In the order of their turns; those before `#at` had theirs. */
  readonly #due: Sending[] = [];
  readonly #heldBack = new Set<Sending>();
  /** What was written for each machine and has not left yet. */
  readonly #unsent = new Map<Mac, number>();
  #hasSent = false;

  constructor(queuedTowards: (mac: Mac) => number) {
    this.#queuedTowards = queuedTowards;
  }

  get hasHeldBack(): boolean {
    return this.#heldBack.size > 0;
  }

  add(sending: Sending): void {
    if (sending.isDirty) return;
    sending.isDirty = true;
    this.#due.push(sending);
  }

  /** Octets that may be written for `mac` in this turn. */
  allowance(mac: Mac): number {
    const waiting = this.#queuedTowards(mac) + (this.#unsent.get(mac) ?? 0);
    return Math.min(TURN, Math.max(0, EGRESS_LIMIT - waiting));
  }

  /** The connection whose turn it is wrote so many octets for `mac`. */
  spent(mac: Mac, octets: number): void {
    this.#hasSent = true;
    this.#unsent.set(mac, (this.#unsent.get(mac) ?? 0) + octets);
  }

  /** More waits than its turn allowed: another turn, or another time. */
  holdBack(sending: Sending, mac: Mac): void {
    if (this.allowance(mac) > 0) this.add(sending);
    else this.#heldBack.add(sending);
  }

  /** Everybody who was touched has a turn. True: some were held back, and what was written may make room by leaving. */
  run(): boolean {
    const due = this.#due;
    for (let i = 0; i < due.length; i++) {
      due[i]!.isDirty = false;
      due[i]!.output();
    }
    due.length = 0;
    // Emptying a map, even an empty one, makes a new table.
    if (this.#hasSent) this.#unsent.clear();
    const again = this.#hasSent && this.#heldBack.size > 0;
    this.#hasSent = false;
    if (again) this.resume();
    return again;
  }

  /** There may be room again. */
  resume(): void {
    for (const sending of this.#heldBack) this.add(sending);
    this.#heldBack.clear();
  }
}

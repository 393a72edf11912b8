/** The receiving half of a connection: what comes next, how much may come (RFC 9293, 3.8.6.2.2), and when it is acknowledged. */
import type { Millis } from '../../base/time.ts';
import type { OutOfOrderBudget } from './receive-queue.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { advance, distance, isBefore, later } from './sequence.ts';

/** Octets that an application may leave unused before the window closes: at first, and while it keeps up. */
const FIRST_CAPACITY = 64 * 1024;
const MAX_CAPACITY = 1024 * 1024;
/** What a connection gets when the others have taken the budget. */
const SMALLEST_CAPACITY = 16 * 1024;
/** Octets that all connections of a layer may promise. */
const SHARED_CAPACITY = 64 * 1024 * 1024;

/** Our shift count: 65 535 << 5 is above `MAX_CAPACITY`. */
export const OWN_WINDOW_SCALE = 5;

/** RFC 9293, 3.8.6.3: less than half a second. */
const DELAYED_ACK: Millis = 40;
/** Octets that are acknowledged at once though they came in one segment: its sender's window may hold few that are so long. */
const LONG_SEGMENT = 16 * 1024;
/** Segments that are acknowledged at once when a connection is young: its sender counts acknowledgments (RFC 5681, 3.1). */
const QUICK_ACKS = 16;

/** How much the connections of a layer promise to take, together. */
export class WindowBudget {
  #used = 0;

  /** Grants up to `octets`, of what is left an eighth. */
  take(octets: number): number {
    const granted = Math.min(octets, Math.max(0, Math.floor((SHARED_CAPACITY - this.#used) / 8)));
    this.#used += granted;
    return granted;
  }

  give(octets: number): void {
    this.#used -= octets;
  }
}

export class Receiver {
  readonly #budget: WindowBudget;
  readonly #outOfOrder: OutOfOrderBudget;
  /** RCV.NXT. */
  next = 0;
  /** Behind the last octet that the other side may send. */
  #edge = 0;
  /** Our shift count: 0 where the other side does not scale. */
  scale = 0;
  /** Octets of the segments that come. */
  segment = 536;
  #capacity: number;
  #granted: number;
  #unconsumed = 0;
  #queue: ReceiveQueue | undefined;
  /** Where the other side's FIN is, if it came. */
  finAt: number | undefined;
  #permitsSack = false;
  #unacknowledged = 0;
  #quickAcks = QUICK_ACKS;
  /** An acknowledgment leaves with this batch. */
  owesAck = false;
  /** One leaves then, if nothing else has carried it before. */
  ackAt: Millis = Number.POSITIVE_INFINITY;

  constructor(budget: WindowBudget, outOfOrder: OutOfOrderBudget) {
    this.#budget = budget;
    this.#outOfOrder = outOfOrder;
    this.#granted = budget.take(FIRST_CAPACITY);
    this.#capacity = Math.max(SMALLEST_CAPACITY, this.#granted);
  }

  /** The other side's SYN: the first octet is expected, and what an unscaled window field can say is allowed (RFC 7323, 2.2). */
  begin(next: number, segment: number, scale: number, permitsSack: boolean): void {
    this.next = next;
    this.#edge = advance(next, this.synWindow);
    this.segment = segment;
    this.scale = scale;
    this.#permitsSack = permitsSack;
  }

  /** What the window field of our SYN says. */
  get synWindow(): number {
    return Math.min(0xffff, this.#capacity);
  }

  /** RFC 9293, 3.10.7.4, the four cases of the first check. */
  accepts(sequence: number, length: number): boolean {
    const { window } = this;
    const offset = distance(this.next, sequence);
    if (length === 0) return window === 0 ? offset === 0 : offset >= 0 && offset < window;
    if (window === 0) return false;
    return offset < window && offset + length > 0;
  }

  /** Writes the ranges of a SACK option; returns how many. */
  sackRanges(out: Float64Array, limit: number): number {
    return this.#permitsSack && this.#queue !== undefined ? this.#queue.ranges(out, limit) : 0;
  }

  /** Octets that may come. */
  get window(): number {
    return distance(this.next, this.#edge);
  }

  /** Octets wait for others that are missing. */
  get hasGap(): boolean {
    return this.#queue !== undefined;
  }

  /** What waited and comes next now; undefined where it is missing. */
  shift(now: Millis): Uint8Array | undefined {
    const bytes = this.#queue?.shift(this.next);
    if (this.#queue?.isEmpty === true) this.#queue = undefined;
    if (bytes === undefined) return undefined;
    this.took(bytes.length, now);
    // RFC 5681, 4.2: the sender hears at once that a gap is filled.
    this.owesAck = true;
    return bytes;
  }

  /** Octets that came in order, and are for the application now. */
  took(octets: number, now: Millis): void {
    this.next = advance(this.next, octets);
    this.#unconsumed += octets;
    this.#unacknowledged += octets;
    if (this.#quickAcks > 0) {
      this.#quickAcks--;
      this.owesAck = true;
    } else if (this.#unacknowledged >= Math.min(2 * this.segment, LONG_SEGMENT)) {
      // RFC 9293, 3.8.6.3: at least every second segment; what comes in one batch shares one.
      this.owesAck = true;
    } else if (this.ackAt === Number.POSITIVE_INFINITY) {
      this.ackAt = now + DELAYED_ACK;
    }
  }

  /** Keeps octets that came too early; false where there is no room. The acknowledgment that follows tells the sender (RFC 5681, 4.2). */
  keep(sequence: number, bytes: Uint8Array, from: number, to: number): boolean {
    this.#queue ??= new ReceiveQueue(this.#outOfOrder);
    this.owesAck = true;
    return this.#queue.add(sequence, bytes, from, to);
  }

  /** The application is done with so many octets. True where the window should be told to have opened. */
  consumed(octets: number): boolean {
    this.#unconsumed = Math.max(0, this.#unconsumed - octets);
    const gain = this.#gain;
    return gain >= Math.min(this.#capacity / 2, Math.max(2 * this.segment, this.#capacity / 4));
  }

  /** An acknowledgment is being sent: what its window field says. What was allowed once stays allowed. */
  announce(): number {
    this.owesAck = false;
    this.#unacknowledged = 0;
    this.ackAt = Number.POSITIVE_INFINITY;
    if (this.window < this.#capacity / 2) this.#grow();
    // RFC 9293, 3.8.6.2.2: no small steps.
    if (this.#gain >= Math.min(this.#capacity / 2, this.segment)) this.#edge = advance(this.#edge, this.#gain);
    const unit = 1 << this.scale;
    const field = Math.min(0xffff, Math.ceil(this.window / unit));
    this.#edge = later(this.#edge, advance(this.next, field * unit));
    return field;
  }

  /** The connection is over. */
  release(): void {
    this.#queue?.clear();
    this.#queue = undefined;
    this.#budget.give(this.#granted);
    this.#granted = 0;
  }

  get #gain(): number {
    const limit = this.scale === 0 ? Math.min(this.#capacity, 0xffff) : this.#capacity;
    const wanted = advance(this.next, Math.max(0, limit - this.#unconsumed));
    return isBefore(this.#edge, wanted) ? distance(this.#edge, wanted) : 0;
  }

  /** The sender fills the window and the application keeps up: both could do more. */
  #grow(): void {
    if (this.scale === 0 || this.#capacity >= MAX_CAPACITY || this.#unconsumed > this.#capacity / 2) return;
    const granted = this.#budget.take(Math.min(this.#capacity, MAX_CAPACITY - this.#capacity));
    this.#granted += granted;
    this.#capacity += granted;
  }
}

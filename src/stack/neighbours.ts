/**
 * Who has which address on the link: the neighbour table of ARP (RFC 1122, 2.3.2) and, with addresses of 16 octets, of neighbour
 * discovery (RFC 4861, 7.3). `Address` is whatever the protocol uses as a map key.
 *
 * States of an address, from what is known and what is being asked:
 *
 *     unknown      nothing.
 *     incomplete   asked, not known: packets wait. Ends with an answer, or after the last request, when they are dropped.
 *     reachable    known and confirmed lately: packets go out. Ends after `REACHABLE_TIME`.
 *     stale        known, confirmed long ago or never: packets go out, and the first of them starts the delay.
 *     delayed      known, used and soon asked again: packets go out. Ends after `probeDelay`, which ARP does without.
 *     probing      known and asked again, by unicast: packets go out. Without an answer the address becomes unknown.
 *
 * Limits: what is known (the one confirmed longest ago is forgotten first), what is asked at a time, and octets that wait per address.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_DESTINATION } from '../wire/ethernet.ts';
import type { Mac } from '../wire/mac.ts';
import { writeMac } from '../wire/mac.ts';
import type { Transmitter } from './transmitter.ts';

/** RFC 4861, 10: REACHABLE_TIME. */
const REACHABLE_TIME: Millis = 30_000;
/** RFC 4861, 10: RETRANS_TIMER and MAX_MULTICAST_SOLICIT; RFC 1122, 2.3.2.1 allows one request per second and address. */
const REQUEST_INTERVAL: Millis = 1000;
const MAX_REQUESTS = 3;

const MAX_KNOWN = 1024;
const MAX_ASKED = 64;
/** One datagram of 65 535 octets in fragments of 1500 and some more. */
const MAX_WAITING_OCTETS = 80 * 1024;

/** What differs between ARP and neighbour discovery. */
export interface NeighbourProtocol<Address> {
  /** From the first use of a stale address to the first question: in this time another word may confirm it. */
  readonly probeDelay: Millis;
  /** Asks who has `address`: everybody, or only `lastKnown`. */
  solicit(address: Address, lastKnown: Mac | undefined): void;
  /** Nobody answered; these frames waited for it and are dropped. */
  unreachable(address: Address, frames: readonly Uint8Array[]): void;
}

const NEVER: Millis = Number.NEGATIVE_INFINITY;

interface Known {
  readonly mac: Mac;
  confirmedAt: Millis;
}

interface Question {
  requests: number;
  nextAt: Millis;
  /** Frames without a destination MAC. */
  readonly waiting: Uint8Array[];
  waitingOctets: number;
}

export class Neighbours<Address> {
  readonly #scheduler: Scheduler;
  readonly #transmitter: Transmitter;
  readonly #drops: DropSink;
  readonly #protocol: NeighbourProtocol<Address>;
  readonly #timer: Timer;
  /** In the order of confirmation. */
  readonly #known = new Map<Address, Known>();
  readonly #asked = new Map<Address, Question>();

  constructor(scheduler: Scheduler, transmitter: Transmitter, drops: DropSink, protocol: NeighbourProtocol<Address>) {
    this.#scheduler = scheduler;
    this.#transmitter = transmitter;
    this.#drops = drops;
    this.#protocol = protocol;
    this.#timer = scheduler.timer(() => transmitter.during(() => this.#tick()));
  }

  /** What is known, without asking anybody. */
  find(address: Address): Mac | undefined {
    return this.#known.get(address)?.mac;
  }

  get size(): number {
    return this.#known.size + this.#asked.size;
  }

  /** The MAC for a packet that leaves now; undefined where it has to `wait`. */
  resolve(address: Address): Mac | undefined {
    const known = this.#known.get(address);
    if (known === undefined) return undefined;
    if (this.#isStale(known) && !this.#asked.has(address) && this.#asked.size < MAX_ASKED)
      this.#ask(address, [], this.#protocol.probeDelay);
    return known.mac;
  }

  /** Keeps a frame (the table owns it now) until `address` is known; its destination MAC is filled in then. */
  wait(address: Address, frame: Uint8Array): void {
    const question = this.#asked.get(address);
    if (question !== undefined) {
      question.waiting.push(frame);
      question.waitingOctets += frame.length;
      this.#trim(question);
    } else if (this.#asked.size < MAX_ASKED) {
      this.#ask(address, [frame], 0);
    } else {
      this.#drop('neighbour-queue-full', [frame]);
    }
  }

  /** `address` is at `mac`, on good authority: remembers it, and what waited for it leaves. */
  confirm(address: Address, mac: Mac): void {
    this.#remember(address, mac, this.#scheduler.now());
  }

  /** `address` may be at `mac`, as somebody says in passing: the same, but where it is news the address is stale (RFC 4861, 7.2.3). */
  suppose(address: Address, mac: Mac): void {
    if (this.find(address) !== mac) this.#remember(address, mac, NEVER);
  }

  /** What is known of `address` is contradicted: it is stale (RFC 4861, 7.2.5). */
  doubt(address: Address): void {
    const known = this.#known.get(address);
    if (known !== undefined) known.confirmedAt = NEVER;
  }

  /** Known and confirmed lately. */
  isReachable(address: Address): boolean {
    const known = this.#known.get(address);
    return known !== undefined && !this.#isStale(known);
  }

  /** Asked, and not known. */
  isIncomplete(address: Address): boolean {
    return this.#asked.has(address) && !this.#known.has(address);
  }

  #isStale({ confirmedAt }: Known): boolean {
    return this.#scheduler.now() - confirmedAt > REACHABLE_TIME;
  }

  #remember(address: Address, mac: Mac, confirmedAt: Millis): void {
    this.#known.delete(address);
    this.#known.set(address, { mac, confirmedAt });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(oldest);
    }
    const question = this.#asked.get(address);
    if (question === undefined) return;
    this.#asked.delete(address);
    for (const frame of question.waiting) {
      writeMac(frame, ETHERNET_DESTINATION, mac);
      this.#transmitter.send(frame);
    }
  }

  /** `address` says that it is at `mac`: remembered only where somebody here is interested (RFC 826, merge flag). */
  merge(address: Address, mac: Mac): boolean {
    const isOfInterest = this.#known.has(address) || this.#asked.has(address);
    if (isOfInterest) this.confirm(address, mac);
    return isOfInterest;
  }

  /** Forgets everybody; what waits is dropped. */
  clear(): void {
    const waiting = [...this.#asked.values()].flatMap((question) => question.waiting);
    this.#known.clear();
    this.#asked.clear();
    this.#timer.cancel();
    this.#drop('neighbour-unresolved', waiting);
  }

  #ask(address: Address, waiting: Uint8Array[], delay: Millis): void {
    const isDelayed = delay > 0;
    const nextAt = this.#scheduler.now() + (isDelayed ? delay : REQUEST_INTERVAL);
    const waitingOctets = waiting.reduce((sum, frame) => sum + frame.length, 0);
    this.#asked.set(address, { requests: isDelayed ? 0 : 1, nextAt, waiting, waitingOctets });
    this.#rearm();
    if (!isDelayed) this.#protocol.solicit(address, this.find(address));
  }

  /** RFC 1122, 2.3.2.2: the latest packets are the ones to keep. */
  #trim(question: Question): void {
    while (question.waitingOctets > MAX_WAITING_OCTETS && question.waiting.length > 1) {
      const oldest = question.waiting.shift()!;
      question.waitingOctets -= oldest.length;
      this.#drop('neighbour-queue-full', [oldest]);
    }
  }

  #tick(): void {
    const now = this.#scheduler.now();
    for (const [address, question] of [...this.#asked]) {
      if (question.nextAt > now || this.#asked.get(address) !== question) continue;
      if (question.requests >= MAX_REQUESTS) {
        this.#giveUp(address, question);
      } else {
        question.requests++;
        question.nextAt = now + REQUEST_INTERVAL;
        this.#protocol.solicit(address, this.find(address));
      }
    }
    this.#rearm();
  }

  #giveUp(address: Address, question: Question): void {
    this.#asked.delete(address);
    this.#known.delete(address);
    this.#drop('neighbour-unresolved', question.waiting);
    this.#protocol.unreachable(address, question.waiting);
  }

  #drop(reason: DropReason, frames: readonly Uint8Array[]): void {
    if (frames.length > 0) this.#drops.dropped(reason, batchOf(frames), 0, frames.length);
  }

  #rearm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { nextAt } of this.#asked.values()) next = Math.min(next, nextAt);
    if (next < Number.POSITIVE_INFINITY) this.#timer.arm(next);
  }
}

/**
 * Reassembly of datagrams, RFC 791, 3.2 and RFC 815, RFC 8200, 4.5.
 *
 * Fragments are kept as copies of their frames, in the order of their offsets. An exact duplicate changes nothing. Any other
 * overlap, an end that moves, a length that is no multiple of 8 or a total beyond 65 535 octets refuses the whole datagram, and what
 * still comes of it (teardrop and its kin; RFC 5722 decides so for IPv6, and it is right for IPv4 too). Everything is given up some time
 * after the first fragment.
 *
 * Limits: fragments per datagram and octets in all, bookkeeping included; the oldest datagram makes room.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf, sliceOf } from '../link/frame-batch.ts';

const MAX_OCTETS = 4 * 1024 * 1024;
/** 65 535 octets in fragments of 576. */
const MAX_FRAGMENTS = 128;
/** What a fragment or a datagram costs beside the octets of its frames. */
const OVERHEAD = 256;
/** Fragments are cut at multiples of this many octets. */
const FRAGMENT_UNIT = 8;

/** A packet that is a fragment. */
export interface FragmentView {
  /** Of the whole datagram's payload: where this piece belongs, and whether there is more behind it. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** What differs between the families. */
export interface FragmentFamily<View extends FragmentView> {
  /** From the first fragment that arrives until the datagram is given up. */
  readonly lifetime: Millis;
  /** What the fragments of one datagram have in common. */
  keyOf(ip: View): string;
  /** Octets of a fragment's payload and of all before it that no datagram exceeds. */
  maxPayload(ip: View): number;
  /** The frame of a datagram with `length` octets of payload still to be filled in, from the frame of its first fragment. `ip` is bound to any of its fragments. */
  open(first: Uint8Array, ip: View, length: number): { readonly frame: Uint8Array; readonly payloadStart: number };
}

interface Fragment {
  /** Octets [from, to) of the datagram's payload. */
  readonly from: number;
  readonly to: number;
  /** The frame, and where its IP payload starts. */
  readonly frame: Uint8Array;
  readonly payloadStart: number;
}

interface Datagram {
  readonly deadline: Millis;
  /** Sorted, without overlap. */
  readonly fragments: Fragment[];
  received: number;
  /** Where the payload ends, once the last fragment is here. */
  total: number | undefined;
  /** Contradicts itself: what still comes of it is dropped until the deadline. */
  isRefused: boolean;
}

export class Reassembly<View extends FragmentView> {
  readonly #family: FragmentFamily<View>;
  readonly #scheduler: Scheduler;
  readonly #drops: DropSink;
  readonly #onTimeout: (first: FrameBatch) => void;
  readonly #timer: Timer;
  /** In the order of their deadlines. */
  readonly #datagrams = new Map<string, Datagram>();
  #octets = 0;

  /** `onTimeout` hears of a datagram that was given up and whose first fragment is here. */
  constructor(
    family: FragmentFamily<View>,
    scheduler: Scheduler,
    drops: DropSink,
    onTimeout: (first: FrameBatch) => void,
  ) {
    this.#family = family;
    this.#scheduler = scheduler;
    this.#drops = drops;
    this.#onTimeout = onTimeout;
    this.#timer = scheduler.timer(() => this.#expire());
  }

  /** Octets that wait, bookkeeping included. */
  get octets(): number {
    return this.#octets;
  }

  /** Takes a copy of frame `index`, a fragment that `ip` is bound to; returns the frame of the whole datagram when it was the last piece. */
  add(batch: FrameBatch, index: number, ip: View): FrameBatch | undefined {
    const key = this.#family.keyOf(ip);
    const datagram = this.#datagrams.get(key) ?? this.#open(key);
    const fault = faultOf(datagram, batch.bytes, ip, this.#family.maxPayload(ip));
    if (fault !== undefined) {
      this.#drops.dropped(fault, batch, index, index + 1);
      if (fault !== 'fragment-duplicate') this.#refuse(datagram, fault);
      this.#makeRoom(); // the memory of a refusal takes room too
      return undefined;
    }
    this.#insert(datagram, batch, index, ip);
    if (datagram.received !== datagram.total) {
      this.#makeRoom();
      return undefined;
    }
    this.#forget(key, datagram);
    return this.#wholeOf(datagram, ip);
  }

  #wholeOf({ fragments, received }: Datagram, ip: View): FrameBatch {
    const whole = this.#family.open(fragments[0]!.frame, ip, received);
    for (const { from, to, frame, payloadStart } of fragments)
      whole.frame.set(frame.subarray(payloadStart, payloadStart + to - from), whole.payloadStart + from);
    return batchOf([whole.frame]);
  }

  #open(key: string): Datagram {
    const deadline = this.#scheduler.now() + this.#family.lifetime;
    const datagram: Datagram = { deadline, fragments: [], received: 0, total: undefined, isRefused: false };
    this.#octets += OVERHEAD;
    this.#datagrams.set(key, datagram);
    if (this.#datagrams.size === 1) this.#timer.arm(deadline);
    return datagram;
  }

  #insert(datagram: Datagram, batch: FrameBatch, index: number, ip: View): void {
    const from = ip.fragmentOffset;
    const to = from + ip.payloadEnd - ip.payloadStart;
    const fragment = { from, to, frame: sliceOf(batch, index), payloadStart: ip.payloadStart - batch.starts[index]! };
    const { fragments } = datagram;
    let at = fragments.length;
    while (at > 0 && fragments[at - 1]!.from > from) at--;
    fragments.splice(at, 0, fragment);
    datagram.received += to - from;
    if (!ip.moreFragments) datagram.total = to;
    this.#octets += costOf(fragment);
  }

  #refuse(datagram: Datagram, reason: DropReason): void {
    datagram.isRefused = true;
    this.#empty(datagram, reason);
  }

  /** Drops the fragments that wait. */
  #empty(datagram: Datagram, reason: DropReason): void {
    const { fragments } = datagram;
    if (fragments.length === 0) return;
    const frames = batchOf(fragments.map(({ frame }) => frame));
    this.#drops.dropped(reason, frames, 0, frames.count);
    for (const fragment of fragments) this.#octets -= costOf(fragment);
    fragments.length = 0;
  }

  #forget(key: string, datagram: Datagram): void {
    this.#datagrams.delete(key);
    this.#octets -= OVERHEAD;
    for (const fragment of datagram.fragments) this.#octets -= costOf(fragment);
  }

  #makeRoom(): void {
    for (const [key, oldest] of this.#datagrams) {
      if (this.#octets <= MAX_OCTETS) return;
      this.#empty(oldest, 'fragment-limit');
      this.#forget(key, oldest);
    }
  }

  #expire(): void {
    const now = this.#scheduler.now();
    for (const [key, datagram] of this.#datagrams) {
      if (datagram.deadline > now) {
        this.#timer.arm(datagram.deadline);
        return;
      }
      const first = datagram.fragments[0];
      this.#empty(datagram, 'fragment-timeout');
      this.#forget(key, datagram);
      if (first?.from === 0) this.#onTimeout(batchOf([first.frame]));
    }
  }
}

function costOf(fragment: Fragment): number {
  return fragment.frame.length + OVERHEAD;
}

/** Why the fragment cannot join the datagram. */
function faultOf(datagram: Datagram, bytes: Uint8Array, ip: FragmentView, maxPayload: number): DropReason | undefined {
  if (datagram.isRefused) return 'fragment-malformed';
  const from = ip.fragmentOffset;
  const length = ip.payloadEnd - ip.payloadStart;
  const to = from + length;
  if (length === 0 || (ip.moreFragments && length % FRAGMENT_UNIT !== 0)) return 'fragment-malformed';
  if (to > maxPayload || !fitsEnd(datagram, to, ip.moreFragments)) return 'fragment-malformed';
  for (const other of datagram.fragments) {
    if (to <= other.from || from >= other.to) continue;
    const isDuplicate = from === other.from && to === other.to && equals(other, bytes, ip.payloadStart);
    return isDuplicate ? 'fragment-duplicate' : 'fragment-malformed';
  }
  return datagram.fragments.length >= MAX_FRAGMENTS ? 'fragment-limit' : undefined;
}

/** A fragment that ends at `to` agrees with what is known of the datagram's end. */
function fitsEnd({ total, fragments }: Datagram, to: number, moreFragments: boolean): boolean {
  if (total !== undefined) return moreFragments ? to < total : to === total;
  const last = fragments.at(-1);
  return moreFragments || last === undefined || last.to <= to;
}

function equals({ frame, payloadStart, from, to }: Fragment, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < to - from; i++) if (frame[payloadStart + i] !== bytes[at + i]) return false;
  return true;
}

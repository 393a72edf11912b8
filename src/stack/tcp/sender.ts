/**
 * The sending half of a connection: what is on its way, what is lost, what the other side and the path take.
 *
 *     una              next            max                    end
 *      | acknowledged?  | sent again?   | not sent yet         |
 *      '--- buffer begins at una, SYN is before it, FIN behind its end
 *
 * Loss is found by duplicate acknowledgments (RFC 5681, 3.2, RFC 6582) or, where the other side reports what it holds, by RFC 6675;
 * what neither finds, the retransmission timer does (RFC 6298). While the window is closed the same timer probes it
 * (RFC 9293, 3.8.6.1).
 */
import type { Millis } from '../../base/time.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { Congestion } from './congestion.ts';
import { RoundTrip } from './rtt.ts';
import { SackScoreboard } from './sack-scoreboard.ts';
import type { BlockPool } from './send-buffer.ts';
import { SendBuffer } from './send-buffer.ts';
import { advance, distance, isAtOrBefore, isBefore, later } from './sequence.ts';

/** RFC 1122, 4.2.3.5: R2, at least 100 s. */
const GIVE_UP_AFTER: Millis = 120_000;
/** RFC 5681, 3.2: duplicate acknowledgments that mean loss. */
const DUP_THRESH = 3;
/** Octets of a frame around the payload of a segment, about. */
const FRAME_OVERHEAD = 70;
const NEVER = Number.POSITIVE_INFINITY;

/** Who writes the segments. `fin`: the other side hears that this was all. */
export interface SegmentSink {
  emit(sequence: number, offset: number, length: number, isLast: boolean, fin: boolean): void;
}

/** What an acknowledgment was: of use, of things never sent, or much too old to be true (RFC 5961, 5.2). */
export type AckVerdict = 'acceptable' | 'ahead' | 'stale';

export class Sender {
  readonly buffer: SendBuffer;
  readonly congestion = new Congestion(536);
  readonly roundTrip = new RoundTrip();
  una = 0;
  next = 0;
  max = 0;
  /** What the other side takes behind `una`, octets. */
  window = 0;
  #windowSequence = 0;
  #windowAck = 0;
  #maxWindow = 0;
  /** The other side's shift count, at most 14: a window stays below 2^30. */
  scale = 0;
  /** Octets of payload in a segment. */
  segment = 536;
  usesSack = false;
  isFinishing = false;
  isFinAcked = false;
  /** When to send again, or to probe. */
  retransmitAt: Millis = NEVER;
  #isProbing = false;
  /** Since when timeouts have been in vain. */
  #vainSince: Millis = NEVER;
  #scoreboard: SackScoreboard | undefined;
  #dupAcks = 0;
  /** While lost segments are sent again: recovery ends when this is acknowledged. */
  #recoveryEnd: number | undefined;
  /** RFC 6582, 4.1: what was on its way at a timeout says nothing about loss. */
  #deafUntil: number | undefined;
  /** Everything missing before this was sent again in this recovery. */
  #resentTo = 0;
  #resendsFirst = false;
  #isHeldByCongestion = false;
  /** Without timestamps one segment at a time is timed (RFC 6298, 3). */
  #timedEnd: number | undefined;
  #timedAt: Millis = 0;
  #timedOutAt: Millis = 0;
  #sentAt: Millis = 0;
  /** More could go, but the queue towards the machine is full or it is others' turn. */
  isHeldBack = false;

  constructor(pool: BlockPool) {
    this.buffer = new SendBuffer(pool);
  }

  /** Our SYN has this sequence number. */
  begin(initialSequence: number): void {
    this.una = initialSequence;
    this.next = this.max = advance(initialSequence, 1);
  }

  /** Our SYN is acknowledged by a segment that says this much of the window. */
  established(sequence: number, window: number, hasLostSyn: boolean): void {
    this.una = this.next = this.max = advance(this.una, 1);
    this.window = this.#maxWindow = window;
    this.#windowSequence = sequence;
    this.#windowAck = this.una;
    this.retransmitAt = NEVER;
    this.#vainSince = NEVER;
    this.congestion.begin(this.segment, hasLostSyn);
  }

  get inFlight(): number {
    return distance(this.una, this.max);
  }

  get isRecovering(): boolean {
    return this.#recoveryEnd !== undefined;
  }

  /** The path takes no more than `segment` octets: what is on its way was too long. */
  shrinkSegment(segment: number): void {
    this.segment = segment;
    this.congestion.shrinkSegment(segment);
    this.next = this.una;
  }

  // ---- what comes in

  /** Takes the acknowledgment of a segment; `clock` is the timestamp we would send now. */
  acknowledge(view: TcpView, payloadLength: number, now: Millis, clock: number | undefined): AckVerdict {
    const ack = view.acknowledgment;
    const limit = this.#isProbing ? advance(this.max, 1) : this.max;
    if (isBefore(limit, ack)) return 'ahead';
    const acked = distance(this.una, ack);
    if (acked < -this.#maxWindow) return 'stale';
    if (acked < 0) return 'acceptable';
    const window = view.window << this.scale;
    const hasNews = view.sackCount > 0 && this.usesSack && this.#noteRanges(view);
    if (acked > 0) {
      this.#sampleTime(view, ack, now, clock);
      this.#advance(acked, now);
    } else if (payloadLength === 0 && this.una !== this.max && (this.usesSack ? hasNews : window === this.window)) {
      this.#noteDuplicate();
    }
    this.#updateWindow(view.sequence, ack, window);
    return 'acceptable';
  }

  /** RFC 9293, 3.10.7.4: an old segment must not shrink the window. */
  #updateWindow(sequence: number, ack: number, window: number): void {
    if (isBefore(sequence, this.#windowSequence)) return;
    if (sequence === this.#windowSequence && isBefore(ack, this.#windowAck)) return;
    this.window = window;
    this.#windowSequence = sequence;
    this.#windowAck = ack;
    if (window > this.#maxWindow) this.#maxWindow = window;
    // It is open again, or the probe was answered: the other side lives.
    if (this.#isProbing) {
      this.#vainSince = NEVER;
      if (window > 0) this.#stopProbing();
    }
  }

  #stopProbing(): void {
    this.#isProbing = false;
    this.roundTrip.resetBackoff();
    this.retransmitAt = NEVER;
  }

  #noteRanges(view: TcpView): boolean {
    let hasNews = false;
    for (let i = 0; i < view.sackCount; i++) {
      const start = view.sackRanges[2 * i]!;
      const end = view.sackRanges[2 * i + 1]!;
      const isPossible = isBefore(this.una, start) && isBefore(start, end) && isAtOrBefore(end, this.max);
      if (!isPossible) continue;
      this.#scoreboard ??= new SackScoreboard();
      hasNews = this.#scoreboard.add(start, end) || hasNews;
    }
    return hasNews;
  }

  #sampleTime(view: TcpView, ack: number, now: Millis, clock: number | undefined): void {
    if (clock !== undefined) {
      const rtt = (clock - view.timestampEcho) | 0;
      // What a timeout sent again may be acknowledged with the timestamp from before it: that measures the timeout.
      const isAmbiguous = this.#deafUntil !== undefined && rtt > now - this.#timedOutAt;
      if (view.hasTimestamps && rtt >= 0 && rtt < GIVE_UP_AFTER && !isAmbiguous) this.roundTrip.sample(rtt);
    } else if (this.#timedEnd !== undefined && isAtOrBefore(this.#timedEnd, ack)) {
      this.roundTrip.sample(now - this.#timedAt);
      this.#timedEnd = undefined;
    }
  }

  #advance(acked: number, now: Millis): void {
    const data = Math.min(acked, this.buffer.length);
    this.buffer.drop(data);
    if (acked > data && this.isFinishing) this.isFinAcked = true;
    this.una = advance(this.una, acked);
    this.next = later(this.next, this.una);
    this.max = later(this.max, this.una);
    this.#scoreboard?.advance(this.una);
    if (this.#scoreboard?.isEmpty === true) this.#scoreboard = undefined;
    if (this.#deafUntil !== undefined && isAtOrBefore(this.#deafUntil, this.una)) this.#deafUntil = undefined;
    this.#vainSince = NEVER;
    this.roundTrip.resetBackoff();
    this.#isProbing = false;
    if (this.#recoveryEnd === undefined) {
      this.#dupAcks = 0;
      if (this.#isHeldByCongestion) this.congestion.acknowledged(acked);
    } else {
      this.#advanceRecovery(acked);
    }
    this.retransmitAt = this.una === this.max ? NEVER : now + this.roundTrip.timeout;
  }

  #advanceRecovery(acked: number): void {
    if (isAtOrBefore(this.#recoveryEnd!, this.una)) {
      this.#recoveryEnd = undefined;
      this.#dupAcks = 0;
      this.congestion.leaveRecovery();
    } else if (this.usesSack) {
      this.#resentTo = later(this.#resentTo, this.una);
    } else {
      // RFC 6582, 3.2, step 3: a partial acknowledgment tells of the next loss.
      this.congestion.window = Math.max(this.segment, this.congestion.window - acked + this.segment);
      this.#resendsFirst = true;
    }
  }

  #noteDuplicate(): void {
    this.#dupAcks++;
    if (this.#recoveryEnd !== undefined) {
      // RFC 5681, 3.2, step 4: a segment has left the network.
      if (!this.usesSack) this.congestion.window += this.segment;
      return;
    }
    if (this.#deafUntil !== undefined) return;
    const isLost = this.#dupAcks >= DUP_THRESH || this.#scoreboard?.isLost(this.una, this.segment) === true;
    if (!isLost) return;
    this.#recoveryEnd = this.max;
    this.congestion.enterRecovery(this.inFlight);
    if (!this.usesSack) this.congestion.window += DUP_THRESH * this.segment;
    this.#resentTo = this.una;
    this.#resendsFirst = true;
    this.#timedEnd = undefined; // Karn's rule (RFC 6298, 3)
  }

  // ---- what goes out

  /** Something waits that may be sent, now or when the window opens. */
  get hasUnsent(): boolean {
    return isBefore(this.next, this.#end);
  }

  /** Behind the last octet that was given to us, FIN included. */
  get #end(): number {
    return advance(this.una, this.buffer.length + (this.isFinishing && !this.isFinAcked ? 1 : 0));
  }

  /** Sends what the windows allow, up to about `allowance` octets of frames; returns how many. */
  transmit(sink: SegmentSink, now: Millis, allowance: number): number {
    this.isHeldBack = false;
    if (this.una === this.max && now - this.#sentAt > this.roundTrip.timeout) this.congestion.restart();
    const left = this.isRecovering ? this.#recover(sink, now, allowance) : allowance;
    const rest = this.#sendNew(sink, now, left);
    this.#armTimer(now);
    return allowance - rest;
  }

  /** Sends again what is lost, as far as the congestion window allows (RFC 6675, 5; RFC 6582, 3.2). */
  #recover(sink: SegmentSink, now: Millis, allowance: number): number {
    let left = allowance;
    if (this.#resendsFirst) {
      this.#resendsFirst = false;
      const sent = this.#resend(sink, now, this.una);
      this.#resentTo = later(this.#resentTo, advance(this.una, sent));
      left -= sent + FRAME_OVERHEAD;
    }
    const board = this.#scoreboard;
    if (!this.usesSack || board === undefined) return left;
    let room = this.congestion.window - board.pipe(this.una, this.max, this.#resentTo, this.segment);
    while (room >= this.segment && left > 0) {
      const sequence = board.missingFrom(this.#resentTo);
      if (!isBefore(sequence, board.highest) || !board.isLost(sequence, this.segment)) break;
      const sent = this.#resend(sink, now, sequence);
      this.#resentTo = advance(sequence, sent);
      room -= sent;
      left -= sent + FRAME_OVERHEAD;
    }
    if (left <= 0) this.isHeldBack = true;
    return left;
  }

  /** One segment from `sequence` on that was sent before; returns its length in sequence numbers. */
  #resend(sink: SegmentSink, now: Millis, sequence: number): number {
    const data = distance(sequence, advance(this.una, this.buffer.length));
    const wanted = Math.min(data, this.segment);
    const length = this.#scoreboard?.gapAt(sequence, wanted) ?? wanted;
    const fin = length === data && this.isFinishing && isBefore(advance(sequence, length), this.max);
    this.#emit(sink, now, sequence, length, fin);
    return length + (fin ? 1 : 0);
  }

  /** From `next` on: what was never sent or, after a timeout, everything that has not arrived. */
  #sendNew(sink: SegmentSink, now: Millis, allowance: number): number {
    this.#isHeldByCongestion = false;
    let left = allowance;
    for (;;) {
      if (this.#scoreboard !== undefined) this.next = this.#scoreboard.missingFrom(this.next);
      const sequence = this.next;
      const data = distance(sequence, advance(this.una, this.buffer.length));
      const wantsFin = data >= 0 && this.isFinishing && !this.isFinAcked;
      if (data <= 0 && !wantsFin) return left;
      const byWindow = distance(sequence, advance(this.una, this.window));
      const byCongestion = this.#congestionRoom(sequence);
      const wanted = Math.min(data, this.segment);
      let length = Math.max(0, Math.min(wanted, byWindow));
      if (byCongestion < length && this.una !== this.max) {
        this.#isHeldByCongestion = true;
        return left;
      }
      // RFC 9293, 3.8.6.2.1: no silly small segments, unless they are all there is or a good part of the window.
      if (length < wanted && length < Math.max(1, this.#maxWindow / 2)) return left;
      if (left <= 0) {
        this.isHeldBack = true;
        return left;
      }
      if (this.#scoreboard !== undefined) length = this.#scoreboard.gapAt(sequence, length);
      const fin = wantsFin && length === data;
      const after = advance(sequence, length + (fin ? 1 : 0));
      const isNew = isBefore(this.max, after);
      this.next = after;
      this.max = later(this.max, after);
      if (isNew && this.#timedEnd === undefined) {
        this.#timedEnd = after;
        this.#timedAt = now;
      }
      this.#emit(sink, now, sequence, length, fin);
      left -= length + FRAME_OVERHEAD;
    }
  }

  /** Octets that the path takes beyond what is on its way. RFC 3042: the first duplicates let new segments out. */
  #congestionRoom(sequence: number): number {
    const { window } = this.congestion;
    if (this.#recoveryEnd !== undefined && this.#scoreboard !== undefined)
      return window - this.#scoreboard.pipe(this.una, this.max, this.#resentTo, this.segment);
    const limited = this.#recoveryEnd === undefined ? Math.min(this.#dupAcks, DUP_THRESH - 1) * this.segment : 0;
    return window + limited - distance(this.una, sequence);
  }

  #emit(sink: SegmentSink, now: Millis, sequence: number, length: number, fin: boolean): void {
    const offset = distance(this.una, sequence);
    this.#sentAt = now;
    sink.emit(sequence, offset, length, offset + length === this.buffer.length, fin);
  }

  // ---- the timer

  #armTimer(now: Millis): void {
    if (this.una !== this.max) {
      if (this.retransmitAt === NEVER) this.retransmitAt = now + this.roundTrip.timeout;
    } else if (this.hasUnsent && !this.isHeldBack) {
      this.#isProbing = true;
      if (this.retransmitAt === NEVER) this.retransmitAt = now + this.roundTrip.timeout;
    }
  }

  /** `retransmitAt` has come. False: the other side has not answered for too long. */
  expire(sink: SegmentSink, now: Millis): boolean {
    if (this.#vainSince === NEVER) this.#vainSince = now;
    else if (now - this.#vainSince >= GIVE_UP_AFTER) return false;
    this.roundTrip.backOff();
    this.retransmitAt = now + this.roundTrip.timeout;
    if (this.#isProbing && this.una === this.max) this.#probe(sink, now);
    else this.#startOver(now);
    return true;
  }

  /** One octet beyond the window, or what of it is open; FIN waits, or the answer would acknowledge more than was allowed. */
  #probe(sink: SegmentSink, now: Millis): void {
    const data = distance(this.next, advance(this.una, this.buffer.length));
    const length = Math.min(data, Math.max(1, this.window), this.segment);
    this.#emit(sink, now, this.next, length, false);
    if (this.window < length) return;
    this.next = this.max = advance(this.next, length);
    this.#isProbing = false;
  }

  /** RFC 5681, 3.1 and RFC 2018, 8: all that is not acknowledged counts as lost, and what the other side holds as unknown. */
  #startOver(now: Millis): void {
    this.congestion.timedOut(this.inFlight, this.#vainSince === now);
    this.#scoreboard = undefined;
    this.#recoveryEnd = undefined;
    this.#dupAcks = 0;
    this.#timedEnd = undefined;
    this.#deafUntil = this.max;
    this.#timedOutAt = now;
    this.next = this.una;
  }
}

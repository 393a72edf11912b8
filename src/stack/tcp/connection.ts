/**
 * One TCP connection, RFC 9293, 3.10: its states and what segments, calls and time do to them.
 *
 *     syn-sent       we asked; ends with the answer, a reset, or silence
 *     syn-received   both asked, ours is not acknowledged; ends with that, a reset, or silence
 *     established    both send
 *     fin-wait-1     we have finished; our FIN is not acknowledged
 *     fin-wait-2     we have finished; the other side may go on
 *     close-wait     the other side has finished; we may go on
 *     closing        both have finished, at the same time; our FIN is not acknowledged
 *     last-ack       both have finished, the other side first; our FIN is not acknowledged
 *     time-wait      both have finished; old segments may still come
 *     closed         over
 *
 * Nothing is sent from here but by `output`, which the layer calls when the batch or the call is over: a connection that was
 * touched often acknowledges once.
 */
import type { Endpoint } from '../../base/endpoint.ts';
import type { Lender } from '../../base/loan.ts';
import type { Millis } from '../../base/time.ts';
import type { DropReason } from '../../link/drops.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { ACK, RST, SYN, TCP_HEADER_LENGTH, TIMESTAMPS_LENGTH } from '../../wire/tcp.ts';
import type { FlowEntry, FlowKey } from '../flow-table.ts';
import { localOf, remoteOf } from '../flow-table.ts';
import type { IpNetwork } from '../ip-network.ts';
import type { TcpConnection, TcpEnd, TcpEvents } from '../tcp-layer.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { TcpState } from './control-block.ts';
import { ControlBlock } from './control-block.ts';
import type { DeadlineOwner } from './deadlines.ts';
import type { Receiving } from './deliveries.ts';
import type { HalfOpen, SynFacts } from './half-open.ts';
import { Idleness } from './idleness.ts';
import type { Holder } from './send-budget.ts';
import { distance, isBefore } from './sequence.ts';

/** `drained` is told when this part of a connection's share, or less, is unacknowledged. */
const LOW_WATER = 1 / 4;

const NEVER = Number.POSITIVE_INFINITY;

const SILENT: TcpEvents = {
  opened: () => undefined,
  received: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};

export class Connection implements TcpConnection, FlowEntry, HalfOpen, DeadlineOwner, Receiving, Holder {
  readonly ends: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  nextInBucket: FlowEntry | undefined;
  /** Waits for its turn to send. */
  isDirty = false;
  firstPiece = -1;
  lastPiece = -1;
  heapIndex = -1;
  heapTime: Millis = 0;
  readonly #host: ConnectionHost;
  readonly tcb: ControlBlock;
  events: TcpEvents;
  readonly idleness = new Idleness();
  #owesKeepalive = false;
  challengedAt: Millis = Number.NEGATIVE_INFINITY;
  #isAboveLowWater = false;

  /** A connection that we open, or that the SYN opened. */
  constructor(host: ConnectionHost, network: IpNetwork, key: FlowKey, events: TcpEvents, syn: SynFacts | undefined) {
    this.#host = host;
    this.ends = key.ends;
    this.localPort = key.localPort;
    this.remotePort = key.remotePort;
    this.events = events;
    this.tcb = new ControlBlock(host, network, this, syn);
  }

  get state(): TcpState {
    return this.tcb.state;
  }

  get local(): Endpoint {
    return localOf(this);
  }

  get remote(): Endpoint {
    return remoteOf(this);
  }

  get unacknowledged(): number {
    return this.tcb.sender.buffer.length;
  }

  get isFull(): boolean {
    return this.unacknowledged > this.#host.sending.share;
  }

  get deadline(): Millis {
    return Math.min(this.tcb.sender.retransmitAt, this.tcb.receiver.ackAt, this.idleness.at);
  }

  // ---- calls of the application

  send(bytes: Uint8Array): void {
    if (this.tcb.sender.isFinishing || this.tcb.state === 'closed' || bytes.length === 0) return;
    this.tcb.sender.buffer.append(bytes);
    if (this.unacknowledged > this.#host.sending.share * LOW_WATER) this.#isAboveLowWater = true;
    if (this.isFull) this.#host.sending.filled(this);
    this.#host.touch(this);
  }

  consumed(octets: number): void {
    if (!this.tcb.receiver.consumed(octets) || this.tcb.receiver.finAt !== undefined) return;
    if (this.tcb.state === 'closed' || this.tcb.state === 'time-wait') return;
    this.tcb.receiver.owesAck = true;
    this.#host.touch(this);
  }

  finish(): void {
    if (this.tcb.sender.isFinishing || this.tcb.state === 'closed') return;
    this.tcb.sender.isFinishing = true;
    this.#host.touch(this);
  }

  reset(): void {
    if (this.tcb.state === 'closed') return;
    this.events = SILENT;
    if (this.tcb.state !== 'syn-sent' && this.tcb.state !== 'time-wait')
      this.#host.reset(this, this.tcb.sender.max, this.tcb.receiver.next);
    this.close('reset');
  }

  /** A handshake that others need the room of. */
  evict(): void {
    this.#host.reset(this, this.tcb.sender.max, this.tcb.receiver.next);
    this.#host.evicted();
    this.close('timeout');
  }

  /** It does not read, and others need the memory of what waits for it. */
  crowdOut(): void {
    this.#host.reset(this, this.tcb.sender.max, this.tcb.receiver.next);
    this.close('stalled');
  }

  // ---- segments

  /** Takes a segment whose checksum fits and whose options are read; says why where it is of no use. */
  segment(view: TcpView, batch: FrameBatch): DropReason | undefined {
    const reason = this.#host.arrives.take(this, view, batch);
    const { sender, receiver, state } = this.tcb;
    if (state === 'closed') return reason;
    if (sender.hasUnsent || receiver.owesAck || this.#isAboveLowWater || sender.isRecovering) this.#host.touch(this);
    else this.#host.deadlines.update(this);
    return reason;
  }

  received(bytes: Uint8Array, lender: Lender): void {
    this.events.received(bytes, lender);
  }

  /** Reports of the network about our segments: a router's, or that a neighbour does not answer; `mtu` of what was too long, else 0. */
  unreachable(sequence: number, mtu: number): boolean {
    const isOurs = isBefore(sequence, this.tcb.sender.max) && !isBefore(sequence, this.tcb.sender.una);
    if (!isOurs) return false;
    // RFC 1191, 6.3 and RFC 8201, 5.2. RFC 5927, 4: nothing else is believed of a connection that works.
    if (mtu > 0) this.#shrink(mtu);
    else if (this.tcb.state === 'syn-sent') this.close('unreachable');
    return true;
  }

  #shrink(mtu: number): void {
    const headers = this.tcb.network.headerLength + TCP_HEADER_LENGTH;
    const segment = mtu - headers - (this.tcb.timestamps.isUsed ? TIMESTAMPS_LENGTH : 0);
    if (this.tcb.syn.isOwed || segment >= this.tcb.sender.segment) return;
    this.tcb.sender.shrinkSegment(segment);
    this.#host.touch(this);
  }

  // ---- what goes out

  /** Sends what is due; called by the layer when the batch or the call is over. */
  output(): void {
    const host = this.#host;
    switch (this.tcb.state) {
      case 'closed':
        return;
      case 'syn-sent':
      case 'syn-received':
        if (this.tcb.syn.isOwed) this.tcb.emitSyn();
        break;
      case 'time-wait':
        host.writer.begin(this.tcb, host.now);
        if (this.tcb.receiver.owesAck) this.tcb.emitAck(0);
        break;
      default:
        this.#transmit();
    }
    host.deadlines.update(this);
  }

  #transmit(): void {
    const host = this.#host;
    const sender = this.tcb.sender;
    if (this.#isAboveLowWater && this.unacknowledged <= host.sending.share * LOW_WATER) {
      this.#isAboveLowWater = false;
      host.sending.emptied(this);
      this.events.drained();
      if (this.tcb.state === 'closed') return;
    }
    const mac = host.writer.begin(this.tcb, host.now);
    if (this.tcb.receiver.owesAck && this.tcb.receiver.hasGap) this.tcb.emitAck(0);
    // While nobody has told the MAC, one segment waits for it.
    const sent = sender.transmit(this.tcb, host.now, mac === undefined ? 1 : host.allowance(mac));
    if (sent > 0 && mac !== undefined) host.spent(mac, sent);
    if (sender.isHeldBack && mac !== undefined) host.holdBack(this, mac);
    if (this.#owesKeepalive) this.tcb.emitAck(-1);
    this.#owesKeepalive = false;
    if (this.tcb.receiver.owesAck) this.tcb.emitAck(0);
  }

  // ---- time

  expire(now: Millis): void {
    if (this.tcb.receiver.ackAt <= now) {
      this.tcb.receiver.ackAt = NEVER;
      this.tcb.receiver.owesAck = true;
      this.#host.touch(this);
    }
    if (this.tcb.sender.retransmitAt <= now) this.#retransmit(now);
    if (this.idleness.at <= now) this.#lookAfter(now);
  }

  #retransmit(now: Millis): void {
    const sender = this.tcb.sender;
    this.#host.touch(this);
    this.#host.writer.begin(this.tcb, now);
    if (this.tcb.state !== 'syn-sent' && this.tcb.state !== 'syn-received') {
      if (!sender.expire(this.tcb, now)) this.close('timeout');
    } else if (!this.tcb.network.hasRoute) {
      this.close('unreachable');
    } else if (this.tcb.syn.repeat(sender.roundTrip, now)) {
      sender.retransmitAt = now + sender.roundTrip.timeout;
    } else {
      this.close('timeout');
    }
  }

  #lookAfter(now: Millis): void {
    if (this.tcb.state === 'time-wait') {
      this.#vanish();
      return;
    }
    const found = this.idleness.check(now);
    if (found === 'dead') this.close('timeout');
    if (found !== 'probe') return;
    this.#owesKeepalive = true;
    this.#host.touch(this);
  }

  /** Both sides have finished: what is left is to answer a FIN that comes again. */
  linger(): void {
    this.tcb.state = 'time-wait';
    this.tcb.sender.retransmitAt = NEVER;
    this.idleness.linger(this.#host.now);
    this.#release();
    this.#host.lingers(this);
    const events = this.events;
    this.events = SILENT;
    events.closed('finished');
  }

  close(how: TcpEnd): void {
    const events = this.events;
    this.#vanish();
    events.closed(how);
  }

  /** Ends without a word. */
  #vanish(): void {
    this.tcb.state = 'closed';
    this.events = SILENT;
    this.tcb.sender.retransmitAt = this.tcb.receiver.ackAt = this.idleness.at = NEVER;
    this.#release();
    this.#host.forget(this);
  }

  #release(): void {
    this.tcb.sender.buffer.clear();
    this.tcb.receiver.release();
  }

  /** RFC 9293, 3.10.7.4, fourth, and RFC 6191: a new connection may take the place of one that lingers. */
  makesRoomFor(view: TcpView): boolean {
    if (this.tcb.state !== 'time-wait' || (view.flags & (SYN | RST | ACK)) !== SYN) return false;
    const isNewer =
      this.tcb.timestamps.isUsed && view.hasTimestamps && distance(this.tcb.timestamps.recent, view.timestamp) > 0;
    if (!isNewer && !isBefore(this.tcb.receiver.next, view.sequence)) return false;
    this.#vanish();
    return true;
  }

  /** Gives up its place while it lingers. */
  leave(): void {
    if (this.tcb.state === 'time-wait') this.#vanish();
  }
}

/**
 * SEGMENT ARRIVES, RFC 9293, 3.10.7: what a segment does to the connection that it belongs to.
 *
 * First it is decided whether the segment is acceptable, then what it acknowledges, then what it brings. Nothing is sent from
 * here but resets: what is owed is sent when the batch is over.
 */
import type { Millis } from '../../base/time.ts';
import type { DropReason } from '../../link/drops.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';
import type { Acceptance } from './acceptance.ts';
import { judge, lengthOf } from './acceptance.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { lenderOf } from './deliveries.ts';
import { synFactsOf } from './half-open.ts';
import { advance, distance } from './sequence.ts';

/** RFC 5961, 7: acknowledgments that answer nothing but a suspicion are spaced. */
const CHALLENGE_INTERVAL: Millis = 500;

export class SegmentArrives {
  readonly #host: ConnectionHost;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  /** Says why where the segment is of no use. */
  take(connection: Connection, view: TcpView, batch: FrameBatch): DropReason | undefined {
    const { tcb } = connection;
    if (tcb.state === 'syn-sent') return this.#takeAnswer(connection, view);
    const { now } = this.#host;
    const acceptance = judge(view, tcb.receiver, tcb.timestamps, now);
    if (acceptance !== 'accepted') return this.#decline(connection, view, acceptance);
    if (tcb.timestamps.isUsed) tcb.timestamps.note(view, now);
    connection.idleness.heard(now);
    return this.#takeAck(connection, view) ?? this.#takePayload(connection, view, batch);
  }

  /** RFC 9293, 3.10.7.3. */
  #takeAnswer(connection: Connection, view: TcpView): DropReason | undefined {
    const { tcb } = connection;
    const { flags, acknowledgment } = view;
    const acks = (flags & ACK) !== 0;
    if (acks && acknowledgment !== tcb.sender.max) {
      if ((flags & RST) === 0) this.#host.reset(connection, acknowledgment, undefined);
      return 'tcp-bad-ack';
    }
    if ((flags & RST) !== 0) {
      if (!acks) return 'tcp-out-of-window';
      connection.close('refused');
      return undefined;
    }
    if ((flags & SYN) === 0) return 'tcp-out-of-window';
    tcb.negotiate(synFactsOf(view));
    this.#host.touch(connection);
    if (acks) {
      tcb.receiver.owesAck = true;
      // The window of a SYN is not scaled (RFC 7323, 2.2).
      this.#establish(connection, view, view.window);
    } else {
      // 3.5, figure 8: both opened at the same time.
      tcb.state = 'syn-received';
      tcb.syn.isOwed = true;
    }
    return undefined;
  }

  #establish(connection: Connection, view: TcpView, window: number): void {
    const { tcb } = connection;
    const { now } = this.#host;
    this.#host.completed(connection);
    tcb.state = 'established';
    tcb.offered = undefined;
    tcb.syn.isOwed = false;
    if (!tcb.syn.isRepeated) tcb.sender.roundTrip.sample(now - tcb.syn.startedAt);
    tcb.sender.established(view.sequence, window, tcb.syn.isRepeated);
    connection.idleness.begin(now);
    connection.events.opened();
  }

  #decline(connection: Connection, view: TcpView, why: Exclude<Acceptance, 'accepted'>): DropReason | undefined {
    const { tcb } = connection;
    if (why === 'reset') return this.#takeReset(connection);
    if ('dropped' in why) return why.dropped;
    if (tcb.state === 'syn-received' && (view.flags & SYN) !== 0) tcb.syn.isOwed = true;
    return this.#challenge(connection, view, why.challenged);
  }

  #takeReset(connection: Connection): undefined {
    const { tcb } = connection;
    this.#host.deliver(connection);
    connection.close(tcb.state === 'syn-received' && tcb.syn.isActive ? 'refused' : 'reset');
  }

  /** Tells the other side where we are. What is only a suspicion is answered at a limited rate (RFC 5961, 7). */
  #challenge(connection: Connection, view: TcpView, reason: DropReason): DropReason {
    const { tcb } = connection;
    const { now } = this.#host;
    const isRepeated = lengthOf(view) > 0;
    if (isRepeated || now - connection.challengedAt >= CHALLENGE_INTERVAL) {
      if (!isRepeated) connection.challengedAt = now;
      tcb.receiver.owesAck = true;
      this.#host.touch(connection);
    }
    if (tcb.state === 'time-wait' && (view.flags & FIN) !== 0) connection.idleness.linger(now);
    return reason;
  }

  /** RFC 9293, 3.10.7.4, fifth. */
  #takeAck(connection: Connection, view: TcpView): DropReason | undefined {
    const { tcb } = connection;
    const { acknowledgment } = view;
    if (tcb.state === 'syn-received') {
      if (acknowledgment !== tcb.sender.max) {
        this.#host.reset(connection, acknowledgment, undefined);
        return 'tcp-bad-ack';
      }
      this.#establish(connection, view, view.window << tcb.sender.scale);
      return undefined;
    }
    const { now } = this.#host;
    const length = view.payloadEnd - view.payloadStart;
    if (tcb.sender.acknowledge(view, length, now, tcb.timestamps.valueAt(now)) !== 'acceptable')
      return this.#challenge(connection, view, 'tcp-bad-ack');
    if (tcb.sender.isFinAcked) this.#finAcknowledged(connection);
    return undefined;
  }

  #finAcknowledged(connection: Connection): void {
    const { tcb } = connection;
    switch (tcb.state) {
      case 'fin-wait-1':
        tcb.state = 'fin-wait-2';
        return;
      case 'closing':
        connection.linger();
        return;
      case 'last-ack':
        connection.close('finished');
        return;
      default:
    }
  }

  /** RFC 9293, 3.10.7.4, seventh and eighth. Urgent data is data (RFC 6093). */
  #takePayload(connection: Connection, view: TcpView, batch: FrameBatch): DropReason | undefined {
    const { tcb } = connection;
    if (tcb.state !== 'established' && tcb.state !== 'fin-wait-1' && tcb.state !== 'fin-wait-2') return undefined;
    const receiver = tcb.receiver;
    let { sequence, payloadStart: start } = view;
    let end = view.payloadEnd;
    if ((view.flags & FIN) !== 0) receiver.finAt ??= advance(sequence, end - start);
    else if (start === end) return undefined;
    const known = distance(sequence, receiver.next);
    if (known > 0) {
      start = Math.min(end, start + known);
      sequence = receiver.next;
      receiver.owesAck = true;
    }
    end = Math.min(end, start + distance(sequence, advance(receiver.next, receiver.window)));
    if (end > start && sequence !== receiver.next) {
      return receiver.keep(sequence, batch.bytes, start, end) ? undefined : 'tcp-out-of-order-full';
    }
    if (end > start) {
      receiver.took(end - start, this.#host.now);
      this.#host.record(connection, batch, start, end);
      if (receiver.hasGap) this.#takeWaiting(connection);
    }
    if (receiver.finAt === receiver.next) this.#takeFin(connection);
    else if (receiver.finAt !== undefined) receiver.owesAck = true;
    return undefined;
  }

  #takeWaiting(connection: Connection): void {
    const { tcb } = connection;
    this.#host.deliver(connection);
    for (;;) {
      const bytes = tcb.receiver.shift(this.#host.now);
      if (bytes === undefined) return;
      connection.events.received(bytes, lenderOf(bytes));
    }
  }

  #takeFin(connection: Connection): void {
    const { tcb } = connection;
    tcb.receiver.next = advance(tcb.receiver.next, 1);
    tcb.receiver.owesAck = true;
    this.#host.deliver(connection);
    const before = tcb.state;
    if (before === 'established') tcb.state = 'close-wait';
    else if (before === 'fin-wait-1') tcb.state = 'closing';
    connection.events.ended();
    if (before === 'fin-wait-2' && tcb.state === before) connection.linger();
  }
}

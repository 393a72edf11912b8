/**
 * The transmission control block of RFC 9293, 3.3.1: what a connection knows, and the segments that say it.
 */
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { ACK, FIN, MAX_SACK_RANGES, PSH, SYN } from '../../wire/tcp.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { FlowKey } from './flow-table.ts';
import type { SynFacts } from './half-open.ts';
import { OWN_WINDOW_SCALE, Receiver } from './receiver.ts';
import type { SegmentTemplate } from './segment-out.ts';
import { addressSumOf } from './segment-out.ts';
import type { SegmentSink } from './sender.ts';
import { Sender } from './sender.ts';
import { advance } from './sequence.ts';
import { SynExchange, segmentFor, synOptions } from './syn-exchange.ts';
import { Timestamps } from './timestamps.ts';

export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

export class ControlBlock implements SegmentTemplate, SegmentSink {
  readonly localAddress: Ipv4;
  readonly localPort: number;
  readonly remoteAddress: Ipv4;
  readonly remotePort: number;
  readonly addressSum: number;
  readonly timestamps: Timestamps;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly syn: SynExchange;
  state: TcpState;
  /** What the other side's SYN said, while ours may have to repeat it. */
  offered: SynFacts | undefined;
  readonly #host: ConnectionHost;

  /** Of a connection that we open, or that the SYN opened. */
  constructor(host: ConnectionHost, key: FlowKey, syn: SynFacts | undefined) {
    this.#host = host;
    this.localAddress = key.localAddress;
    this.localPort = key.localPort;
    this.remoteAddress = key.remoteAddress;
    this.remotePort = key.remotePort;
    this.addressSum = addressSumOf(key.localAddress, key.remoteAddress);
    this.timestamps = new Timestamps(host.secret.timestampOffset(key));
    this.syn = new SynExchange(syn === undefined, host.now);
    this.state = syn === undefined ? 'syn-sent' : 'syn-received';
    this.sender = new Sender(host.blocks);
    this.receiver = new Receiver(host.windows, host.outOfOrder);
    this.sender.begin(host.secret.initialSequence(key, host.now));
    if (syn !== undefined) this.negotiate(syn);
  }

  /** What both SYNs agree on. */
  negotiate(syn: SynFacts): void {
    const segment = segmentFor(syn, this.#host.mtu);
    const scale = syn.windowScale === undefined ? 0 : OWN_WINDOW_SCALE;
    this.offered = syn;
    this.timestamps.begin(syn.hasTimestamps ? syn.timestamp : undefined, this.#host.now);
    this.sender.usesSack = syn.permitsSack;
    this.sender.scale = syn.windowScale ?? 0;
    this.sender.segment = segment;
    this.receiver.begin(advance(syn.sequence, 1), segment, scale, syn.permitsSack);
  }

  emit(sequence: number, offset: number, length: number, isLast: boolean, fin: boolean): void {
    const flags = ACK | (isLast && length > 0 ? PSH : 0) | (fin ? FIN : 0);
    if (fin && this.state === 'established') this.state = 'fin-wait-1';
    else if (fin && this.state === 'close-wait') this.state = 'last-ack';
    this.#write(sequence, flags, 0, offset, length);
  }

  /** `shift` -1 makes it one that must be answered (RFC 9293, 3.8.4). */
  emitAck(shift: number): void {
    const { writer } = this.#host;
    const limit = this.timestamps.isUsed ? MAX_SACK_RANGES - 1 : MAX_SACK_RANGES;
    const sackCount = this.receiver.sackRanges(writer.sackRanges, limit);
    this.#write(advance(this.sender.max, shift), ACK, sackCount, 0, 0);
  }

  #write(sequence: number, flags: number, sackCount: number, offset: number, length: number): void {
    const { next } = this.receiver;
    const window = this.receiver.announce();
    this.timestamps.ackSent = next;
    this.#host.writer.write(this, sequence, next, flags, window, sackCount, this.sender.buffer, offset, length);
  }

  emitSyn(): void {
    const { now, mtu, writer } = this.#host;
    const sender = this.sender;
    const flags = this.offered === undefined ? SYN : SYN | ACK;
    const acknowledgment = this.offered === undefined ? 0 : this.receiver.next;
    const options = synOptions(mtu, this.offered, this.timestamps.valueAt(now), this.timestamps.recent);
    writer.begin(this.remoteAddress, now);
    this.syn.isOwed = false;
    this.receiver.owesAck = false;
    this.timestamps.ackSent = acknowledgment;
    if (!writer.hasRoute) {
      // The connection ends when this comes, which is after the call that opened it.
      sender.retransmitAt = now;
      return;
    }
    if (sender.retransmitAt === Number.POSITIVE_INFINITY) sender.retransmitAt = now + sender.roundTrip.timeout;
    writer.writeSyn(this, sender.una, acknowledgment, flags, this.receiver.synWindow, options);
  }
}

/**
 * The transmission control block of RFC 9293, 3.3.1: what a connection knows, and the segments that say it.
 */
import { sumWords } from '../../base/checksum.ts';
import { ACK, FIN, MAX_SACK_RANGES, PSH, SYN, TCP_HEADER_LENGTH } from '../../wire/tcp.ts';
import type { FlowKey } from '../flow-table.ts';
import { remoteOf } from '../flow-table.ts';
import type { IpNetwork } from '../ip-network.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { SynFacts } from './half-open.ts';
import { OWN_WINDOW_SCALE, Receiver } from './receiver.ts';
import type { SegmentTemplate } from './segment-out.ts';
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
  readonly network: IpNetwork;
  readonly key: FlowKey;
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
  constructor(host: ConnectionHost, network: IpNetwork, key: FlowKey, syn: SynFacts | undefined) {
    this.#host = host;
    this.network = network;
    this.key = key;
    this.addressSum = sumWords(key.ends, 0, key.ends.length);
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
    const mtu = this.network.mtuTowards(remoteOf(this.key).address);
    const segment = segmentFor(syn, mtu - this.#headersLength);
    const scale = syn.windowScale === undefined ? 0 : OWN_WINDOW_SCALE;
    this.offered = syn;
    this.timestamps.begin(syn.hasTimestamps ? syn.timestamp : undefined, this.#host.now);
    this.sender.usesSack = syn.permitsSack;
    this.sender.scale = syn.windowScale ?? 0;
    this.sender.segment = segment;
    this.receiver.begin(advance(syn.sequence, 1), segment, scale, syn.permitsSack);
  }

  /** Octets around a segment's payload, without options. */
  get #headersLength(): number {
    return this.network.headerLength + TCP_HEADER_LENGTH;
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
    const { now, writer } = this.#host;
    const sender = this.sender;
    const flags = this.offered === undefined ? SYN : SYN | ACK;
    const acknowledgment = this.offered === undefined ? 0 : this.receiver.next;
    const mss = this.network.mtu - this.#headersLength;
    const options = synOptions(mss, this.offered, this.timestamps.valueAt(now), this.timestamps.recent);
    writer.begin(this, now);
    this.syn.isOwed = false;
    this.receiver.owesAck = false;
    this.timestamps.ackSent = acknowledgment;
    if (!this.network.hasRoute) {
      // The connection ends when this comes, which is after the call that opened it.
      sender.retransmitAt = now;
      return;
    }
    if (sender.retransmitAt === Number.POSITIVE_INFINITY) sender.retransmitAt = now + sender.roundTrip.timeout;
    writer.writeSyn(this, sender.una, acknowledgment, flags, this.receiver.synWindow, options);
  }
}

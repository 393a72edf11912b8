/**
 * TCP, RFC 9293: connections, listeners, and what is answered where neither is.
 *
 * Theory of operation. A segment is judged on a view (checksum, options), its connection found in one table, and the connection
 * changes its state; what it brought is recorded. At the end of the batch each connection hands on what came for it, once, and then
 * sends, once: data as far as the windows go, or one acknowledgment. Calls of the application outside a batch are small batches of
 * their own. A SYN for which somebody listens becomes a request that is held in the same table until it is answered.
 *
 * Sending takes turns: a connection sends at most `TURN` octets, then the next one does. It stops where more than `EGRESS_LIMIT`
 * octets wait for the machine it talks to, and goes on when that queue is empty: nothing of ours is lost to our own queue.
 *
 * Limits: `MAX_CONNECTIONS`, of them `MAX_LINGERING` in time-wait, those of `Handshakes`, `WindowBudget`, `OutOfOrderBudget` and
 * `SendBudget`.
 */

import type { Random } from '../../base/chance.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import type { Millis, Scheduler } from '../../base/time.ts';
import type { DropReason, DropSink } from '../../link/drops.ts';
import type { FrameBatch } from '../../link/frame-batch.ts';
import { batchOf } from '../../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH } from '../../wire/ethernet.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Mac } from '../../wire/mac.ts';
import { readUint16, readUint32 } from '../../wire/octets.ts';
import { ACK, RST, SYN, TcpView } from '../../wire/tcp.ts';
import type { FlowKey } from '../flow-table.ts';
import { FlowTable, flowKeyOf, localOf, remoteOf } from '../flow-table.ts';
import type { IpNetwork, ReportedError, Unreachable } from '../ip-network.ts';
import { networkOf } from '../ip-network.ts';
import type { IncomingPacket, IpProtocol } from '../ip-packet.ts';
import { pseudoHeaderOf } from '../ip-packet.ts';
import { Listeners } from '../listeners.ts';
import type { OnTcpRequest, TcpConnection, TcpEvents, TcpLayer, TcpListener } from '../tcp-layer.ts';
import type { Transmitter } from '../transmitter.ts';
import { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Deadlines } from './deadlines.ts';
import { Deliveries } from './deliveries.ts';
import type { Answering } from './half-open.ts';
import { Handshakes, HeldRequest, synFactsOf } from './half-open.ts';
import { Secret } from './isn.ts';
import { OutOfOrderBudget } from './receive-queue.ts';
import { WindowBudget } from './receiver.ts';
import { emitReset } from './reset.ts';
import { SegmentArrives } from './segment-arrives.ts';
import { SegmentWriter } from './segment-out.ts';
import { SendBudget } from './send-budget.ts';
import { BlockPool } from './send-buffer.ts';
import { advance } from './sequence.ts';
import { Turns } from './turns.ts';

const MAX_CONNECTIONS = 32_768;
const MAX_LINGERING = 4096;
/** RFC 1812, 4.3.2.3 and RFC 792: what an error quotes of a SYN is its IP header and these octets. */
const QUOTED_OCTETS = 28;
/** RFC 792: an error about ours quotes at least these octets behind the IP header. */
const QUOTED_PORTS_AND_SEQUENCE = 8;

export interface TcpOutside {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly transmitter: Transmitter;
  readonly networks: readonly IpNetwork[];
  readonly drops: DropSink;
  /** Octets that wait for the station with this address. */
  readonly queuedTowards: (mac: Mac) => number;
}

export class Tcp implements TcpLayer, IpProtocol, ConnectionHost, Answering {
  readonly secret: Secret;
  readonly blocks = new BlockPool();
  readonly sending = new SendBudget(this.blocks);
  readonly windows = new WindowBudget();
  readonly outOfOrder = new OutOfOrderBudget();
  readonly deadlines: Deadlines;
  readonly writer: SegmentWriter;
  readonly arrives = new SegmentArrives(this);
  readonly #outside: TcpOutside;
  readonly #transmitter: Transmitter;
  readonly #flows: FlowTable<Connection | HeldRequest>;
  readonly #listeners: Listeners<OnTcpRequest>;
  #onUnclaimed: OnTcpRequest | undefined;
  readonly #handshakes = new Handshakes();
  readonly #lingering = new Set<Connection>();
  readonly #deliveries = new Deliveries();
  readonly #turns: Turns;
  readonly #view = new TcpView();
  #held = 0;
  #now: Millis = -1;

  constructor(outside: TcpOutside) {
    const { scheduler, random, transmitter, networks, queuedTowards } = outside;
    this.#outside = outside;
    this.#transmitter = transmitter;
    this.secret = new Secret(random);
    this.#flows = new FlowTable(random);
    this.#listeners = new Listeners('TCP', random);
    this.writer = new SegmentWriter(transmitter);
    this.#turns = new Turns(queuedTowards);
    this.deadlines = new Deadlines(scheduler, (work) => transmitter.during(work));
    transmitter.atEnd(() => this.#settle());
    for (const network of networks) network.onError(PROTOCOL_TCP, (error) => this.#takeError(error));
  }

  // ---- what the layer offers

  get size(): number {
    return this.#flows.size - this.#held - this.#lingering.size;
  }

  listen(port: number, onRequest: OnTcpRequest, address?: Uint8Array): TcpListener {
    return { port, close: this.#listeners.add(port, onRequest, address) };
  }

  onUnclaimed(handler: OnTcpRequest | undefined): void {
    this.#onUnclaimed = handler;
  }

  connect(from: Endpoint, to: Endpoint, events: TcpEvents): TcpConnection {
    const network = networkOf(this.#outside.networks, to.address.length);
    const key = flowKeyOf(from, to);
    const localPort =
      from.port !== 0 ? from.port : this.#listeners.freePort((port) => this.#isFree({ ...key, localPort: port }));
    if (localPort === undefined) throw new Error('all dynamic TCP ports towards this endpoint are taken');
    const free = { ...key, localPort };
    const other = this.#flows.findKey(free);
    if (other instanceof Connection) other.leave();
    if (!this.#isFree(free)) throw new Error(`TCP port ${localPort} has a connection to that endpoint already`);
    const connection = new Connection(this, network, free, events, undefined);
    this.#flows.add(connection);
    this.touch(connection);
    return connection;
  }

  resetAll(): void {
    this.#transmitter.during(() => {
      for (const flow of this.#flows.entries()) {
        if (flow instanceof Connection) flow.reset();
        else flow.refuse();
      }
    });
  }

  #isFree(key: FlowKey): boolean {
    return this.#flows.findKey(key) === undefined;
  }

  // ---- what comes in

  receive(packet: IncomingPacket): void {
    const { batch, index } = packet;
    const reason = this.#judge(packet);
    if (reason !== undefined) this.#outside.drops.dropped(reason, batch, index, index + 1);
  }

  #judge(packet: IncomingPacket): DropReason | undefined {
    const { batch, addressesAt, addressLength } = packet;
    const view = this.#view;
    if (view.bind(batch.bytes, packet.payloadStart, packet.payloadEnd) !== undefined) return 'tcp-malformed';
    if (!view.isIntact(pseudoHeaderOf(packet, PROTOCOL_TCP, view.length))) return 'tcp-bad-checksum';
    if (packet.isGroup) return 'tcp-broadcast';
    view.readOptions();
    const { sourcePort, destinationPort } = view;
    const flow = this.#flows.find(batch.bytes, addressesAt, 2 * addressLength, destinationPort, sourcePort);
    if (flow === undefined) return this.#judgeUnknown(packet);
    if (flow instanceof Connection) {
      if (flow.makesRoomFor(view)) return this.#judgeUnknown(packet);
      return flow.segment(view, batch);
    }
    const isAnother = (view.flags & (SYN | RST | ACK)) === SYN && view.sequence !== flow.syn.sequence;
    if (!isAnother) return flow.segment(view);
    flow.cancel();
    return this.#judgeUnknown(packet);
  }

  /** RFC 9293, 3.10.7.1 and 3.10.7.2. */
  #judgeUnknown(packet: IncomingPacket): DropReason | undefined {
    const { flags } = this.#view;
    if ((flags & RST) !== 0) return 'tcp-no-connection';
    if ((flags & (SYN | ACK)) !== SYN) {
      this.#answerUnknown(packet);
      return 'tcp-no-connection';
    }
    const onRequest = this.#listeners.find(packet, this.#view.destinationPort) ?? this.#onUnclaimed;
    if (onRequest === undefined) {
      this.#answerUnknown(packet);
      return 'tcp-no-listener';
    }
    if (this.#flows.size >= MAX_CONNECTIONS) return 'tcp-full';
    this.#hold(packet, onRequest);
    return undefined;
  }

  #hold(packet: IncomingPacket, onRequest: OnTcpRequest): void {
    const { batch, index, addressLength, payloadStart, payloadEnd } = packet;
    const network = networkOf(this.#outside.networks, addressLength);
    const frame = batch.bytes.slice(batch.starts[index]!, Math.min(payloadEnd, payloadStart + QUOTED_OCTETS));
    const request = new HeldRequest(this, network, this.#keyOf(packet), synFactsOf(this.#view), frame);
    this.#flows.add(request);
    this.#held++;
    this.#handshakes.add(request);
    onRequest(request);
  }

  /** RFC 9293, 3.5.2, group 1. */
  #answerUnknown(packet: IncomingPacket): void {
    const { flags, acknowledgment, sequence, payloadStart, payloadEnd } = this.#view;
    const key = this.#keyOf(packet);
    if ((flags & ACK) !== 0) this.#reset(key, acknowledgment, undefined);
    else this.#reset(key, 0, advance(sequence, payloadEnd - payloadStart + ((flags & SYN) !== 0 ? 1 : 0)));
  }

  /** The ends of the packet whose segment the view is bound to. */
  #keyOf({ batch, addressesAt, addressLength }: IncomingPacket): FlowKey {
    const ends = batch.bytes.slice(addressesAt, addressesAt + 2 * addressLength);
    return { ends, localPort: this.#view.destinationPort, remotePort: this.#view.sourcePort };
  }

  /** Ours, reported as undeliverable: by a router, or because nobody has the next hop. */
  #takeError({ kind, mtu, source, destination, bytes, start, end }: ReportedError): boolean {
    if (kind === 'other' || end - start < QUOTED_PORTS_AND_SEQUENCE) return false;
    const local = { address: source, port: readUint16(bytes, start) };
    const remote = { address: destination, port: readUint16(bytes, start + 2) };
    const flow = this.#flows.findKey(flowKeyOf(local, remote));
    return flow instanceof Connection && flow.unreachable(readUint32(bytes, start + 4), mtu);
  }

  /** The frames of a push are over: what they brought is handed on. */
  endBatch(): void {
    this.#deliveries.flush();
  }

  // ---- answers to requests

  accept(request: HeldRequest, events: TcpEvents): TcpConnection {
    const connection = new Connection(this, request.network, request, events, request.syn);
    this.#flows.add(connection);
    this.#handshakes.add(connection);
    this.touch(connection);
    return connection;
  }

  refuse(request: HeldRequest): void {
    this.#reset(request, 0, advance(request.syn.sequence, 1));
  }

  unreachable(request: HeldRequest, why: Unreachable): void {
    request.network.unreachableKept(why, request.frame.subarray(ETHERNET_HEADER_LENGTH));
  }

  release(request: HeldRequest): void {
    this.#held--;
    this.#flows.delete(request);
    this.#handshakes.delete(request);
  }

  evicted(request?: HeldRequest): void {
    const frame = request?.frame ?? new Uint8Array(ETHERNET_HEADER_LENGTH);
    this.#outside.drops.dropped('tcp-half-open-full', batchOf([frame]), 0, 1);
  }

  // ---- what connections need

  get now(): Millis {
    if (this.#now < 0) this.#now = this.#outside.scheduler.now();
    return this.#now;
  }

  touch(connection: Connection): void {
    this.#turns.add(connection);
    if (!this.#transmitter.isAtWork) this.#transmitter.during(() => undefined);
  }

  record(connection: Connection, batch: FrameBatch, start: number, end: number): void {
    this.#deliveries.record(connection, batch, start, end);
  }

  deliver(connection: Connection): void {
    this.#deliveries.flushFor(connection);
  }

  allowance(mac: Mac): number {
    return this.#turns.allowance(mac);
  }

  spent(mac: Mac, octets: number): void {
    this.#turns.spent(mac, octets);
  }

  holdBack(connection: Connection, mac: Mac): void {
    this.#turns.holdBack(connection, mac);
  }

  reset(connection: Connection, sequence: number, acknowledgment: number | undefined): void {
    this.#reset(connection, sequence, acknowledgment);
  }

  completed(connection: Connection): void {
    this.#handshakes.delete(connection);
  }

  lingers(connection: Connection): void {
    this.#lingering.add(connection);
    if (this.#lingering.size <= MAX_LINGERING) return;
    for (const oldest of this.#lingering) {
      oldest.leave();
      return;
    }
  }

  forget(connection: Connection): void {
    this.#flows.delete(connection);
    this.#handshakes.delete(connection);
    this.#lingering.delete(connection);
    this.sending.emptied(connection);
    this.deadlines.remove(connection);
  }

  /** A machine has read what waited for it. */
  resume(): void {
    if (this.#turns.hasHeldBack) this.#transmitter.during(() => this.#turns.resume());
  }

  /** All that were touched send. True: more waits, and may find room when this has left. */
  #settle(): boolean {
    const again = this.#turns.run();
    this.#now = -1;
    return again;
  }

  #reset(key: FlowKey, sequence: number, acknowledgment: number | undefined): void {
    const source = localOf(key).address;
    const destination = remoteOf(key).address;
    const head = emitReset(key, sequence, acknowledgment);
    const network = networkOf(this.#outside.networks, source.length);
    network.send({ source, destination, protocol: PROTOCOL_TCP }, head, new Uint8Array(0));
  }
}

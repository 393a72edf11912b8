/** The UDP layer, RFC 768: ports, checksums, and port unreachable for what nobody listens to. */
import type { Random } from '../base/chance.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { ETHERNET_SOURCE } from '../wire/ethernet.ts';
import { PROTOCOL_UDP } from '../wire/ipv4.ts';
import type { Mac } from '../wire/mac.ts';
import { readMac } from '../wire/mac.ts';
import { emitUdp, UDP_HEADER_LENGTH, UdpView } from '../wire/udp.ts';
import type { FlowEntry, FlowKey } from './flow-table.ts';
import { FlowTable, flowKeyOf } from './flow-table.ts';
import type { IpNetwork, ReportedError } from './ip-network.ts';
import { networkOf } from './ip-network.ts';
import type { IncomingPacket, IpProtocol } from './ip-packet.ts';
import { destinationOf, pseudoHeaderBetween, pseudoHeaderOf, sourceOf } from './ip-packet.ts';
import { Listeners } from './listeners.ts';
import type {
  OnUnclaimed,
  UdpBindOptions,
  UdpConversation,
  UdpDatagram,
  UdpEvents,
  UdpLayer,
  UdpSendOptions,
  UdpSocket,
  UnclaimedDatagram,
} from './udp-layer.ts';

type OnDatagram = (datagram: UdpDatagram) => void;

export class Udp implements UdpLayer, IpProtocol {
  readonly #networks: readonly IpNetwork[];
  readonly #drops: DropSink;
  readonly #listeners: Listeners<OnDatagram>;
  readonly #conversations: FlowTable<Conversation>;
  #onUnclaimed: OnUnclaimed | undefined;
  readonly #unclaimed = new Unclaimed();
  readonly #datagram = new UdpView();
  readonly #quoted = new UdpView();

  constructor(random: Random, networks: readonly IpNetwork[], drops: DropSink) {
    this.#networks = networks;
    this.#drops = drops;
    this.#listeners = new Listeners('UDP', random);
    this.#conversations = new FlowTable(random);
    for (const network of networks) network.onError(PROTOCOL_UDP, (error) => this.#refused(error));
  }

  open(port: number, onDatagram: OnDatagram, { address }: UdpBindOptions = {}): UdpSocket {
    const own = port === 0 ? this.#freePort() : port;
    if (own === undefined) throw new Error('all dynamic UDP ports are taken on this stack');
    const close = this.#listeners.add(own, onDatagram, address);
    return {
      port: own,
      send: (to, payload, options) => this.#sendFromOwn(own, to, payload, options),
      close,
    };
  }

  onUnclaimed(handler: OnUnclaimed | undefined): void {
    this.#onUnclaimed = handler;
  }

  connect(from: Endpoint, to: Endpoint, events: UdpEvents): UdpConversation | undefined {
    const port = from.port === 0 ? this.#freePort() : from.port;
    if (port === undefined) return undefined;
    const local = { address: from.address, port };
    const conversation = new Conversation(flowKeyOf(local, to), events);
    if (this.#conversations.findKey(conversation) !== undefined) return undefined;
    this.#conversations.add(conversation);
    return {
      local,
      send: (payload) => this.#send(local, to, payload),
      close: () => {
        if (this.#conversations.findKey(conversation) === conversation) this.#conversations.delete(conversation);
      },
    };
  }

  #refused({ source, destination, bytes, start, end }: ReportedError): boolean {
    if (this.#quoted.bindQuoted(bytes, start, end) !== undefined) return false;
    const { sourcePort, destinationPort } = this.#quoted;
    const local = { address: source, port: sourcePort };
    const remote = { address: destination, port: destinationPort };
    const conversation = this.#conversations.findKey(flowKeyOf(local, remote));
    conversation?.events.refused();
    return conversation !== undefined;
  }

  sendFrom(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    this.#send(from, to, payload);
  }

  /** One that nobody listens at and no conversation has. */
  #freePort(): number | undefined {
    const taken = new Set(this.#conversations.entries().map(({ localPort }) => localPort));
    return this.#listeners.freePort((port) => !taken.has(port));
  }

  receive(packet: IncomingPacket): void {
    const { batch, index, addressLength, payloadStart, payloadEnd } = packet;
    const defect = this.#datagram.bind(batch.bytes, payloadStart, payloadEnd);
    const reason = defect === undefined ? this.#deliver(packet) : 'udp-malformed';
    if (reason === undefined) return;
    this.#drops.dropped(reason, batch, index, index + 1);
    const network = networkOf(this.#networks, addressLength);
    if (reason === 'udp-no-listener') network.unreachable('port', packet);
    else if (reason === 'udp-prohibited') network.unreachable('prohibited', packet);
  }

  #deliver(packet: IncomingPacket): DropReason | undefined {
    const { batch, index, addressLength, addressesAt, isGroup } = packet;
    const datagram = this.#datagram;
    const { sourcePort, destinationPort } = datagram;
    // RFC 8200, 8.1: over IPv6 no datagram goes without a checksum.
    const isIntact = datagram.hasChecksum
      ? datagram.isIntact(pseudoHeaderOf(packet, PROTOCOL_UDP, datagram.length))
      : addressLength === 4;
    if (!isIntact) return 'udp-bad-checksum';
    const conversation =
      isGroup || this.#conversations.size === 0
        ? undefined
        : this.#conversations.find(batch.bytes, addressesAt, 2 * addressLength, destinationPort, sourcePort);
    if (conversation !== undefined) {
      conversation.events.received(batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd));
      return undefined;
    }
    const listener = this.#listeners.find(packet, destinationPort);
    if (listener === undefined) return this.#judge(packet);
    listener({
      from: { address: sourceOf(packet), port: sourcePort },
      to: { address: destinationOf(packet), port: destinationPort },
      ttl: packet.ttl,
      dontFragment: packet.dontFragment,
      sourceMac: readMac(batch.bytes, batch.starts[index]! + ETHERNET_SOURCE),
      payload: batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd),
    });
    return undefined;
  }

  #judge(packet: IncomingPacket): DropReason | undefined {
    if (packet.isGroup || this.#onUnclaimed === undefined) return 'udp-no-listener';
    const unclaimed = this.#unclaimed;
    unclaimed.move(packet, this.#datagram);
    const verdict = this.#onUnclaimed(unclaimed);
    if (verdict === 'taken') return undefined;
    return verdict === 'prohibited' ? 'udp-prohibited' : 'udp-no-listener';
  }

  #sendFromOwn(port: number, to: Endpoint, payload: Uint8Array, options: UdpSendOptions | undefined): void {
    const network = networkOf(this.#networks, to.address.length);
    this.#send({ address: network.sourceFor(to.address, options?.source), port }, to, payload, options?.mac);
  }

  #send(from: Endpoint, to: Endpoint, payload: Uint8Array, mac?: Mac): void {
    const network = networkOf(this.#networks, to.address.length);
    const longest = network.maxPayload - UDP_HEADER_LENGTH;
    if (payload.length > longest)
      throw new RangeError(`a datagram carries up to ${longest} octets, not ${payload.length}`);
    const source = from.address;
    const destination = to.address;
    const head = new Uint8Array(UDP_HEADER_LENGTH);
    const sum = pseudoHeaderBetween(source, destination, PROTOCOL_UDP, UDP_HEADER_LENGTH + payload.length);
    emitUdp({ sourcePort: from.port, destinationPort: to.port }, sum, payload, head, 0);
    network.send({ source, destination, protocol: PROTOCOL_UDP, mac }, head, payload);
  }
}

class Conversation implements FlowEntry {
  readonly ends: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  readonly events: UdpEvents;
  nextInBucket: FlowEntry | undefined;

  constructor({ ends, localPort, remotePort }: FlowKey, events: UdpEvents) {
    this.ends = ends;
    this.localPort = localPort;
    this.remotePort = remotePort;
    this.events = events;
  }
}

/** The one object; its addresses are copied, because a window over the batch would cost more. */
class Unclaimed implements UnclaimedDatagram {
  readonly #addresses = {
    4: [new Uint8Array(4), new Uint8Array(4)],
    16: [new Uint8Array(16), new Uint8Array(16)],
  } as const;
  source: Uint8Array = this.#addresses[4][0];
  destination: Uint8Array = this.#addresses[4][1];
  sourcePort = 0;
  destinationPort = 0;
  isTransit = false;
  ttl = 0;
  dontFragment = false;
  payload: Uint8Array = new Uint8Array(0);

  move(packet: IncomingPacket, datagram: UdpView): void {
    const { addressesAt: at, addressLength: length } = packet;
    const { bytes } = packet.batch;
    const [source, destination] = this.#addresses[length];
    for (let i = 0; i < length; i++) {
      source[i] = bytes[at + i]!;
      destination[i] = bytes[at + length + i]!;
    }
    this.source = source;
    this.destination = destination;
    this.sourcePort = datagram.sourcePort;
    this.destinationPort = datagram.destinationPort;
    this.isTransit = packet.isTransit;
    this.ttl = packet.ttl;
    this.dontFragment = packet.dontFragment;
    this.payload = bytes.subarray(datagram.payloadStart, datagram.payloadEnd);
  }
}

/** The UDP layer, RFC 768: ports, checksums, and port unreachable for what nobody listens to. */
import type { Random } from '../base/chance.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { ETHERNET_SOURCE } from '../wire/ethernet.ts';
import { ADMINISTRATIVELY_PROHIBITED, PORT_UNREACHABLE } from '../wire/icmpv4.ts';
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, PROTOCOL_UDP, pseudoHeaderSum } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { ipv4Octets, ipv4Of } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { readMac } from '../wire/mac.ts';
import { emitUdp, UDP_HEADER_LENGTH, UdpView } from '../wire/udp.ts';
import type { Addressing } from './addressing.ts';
import type { Icmp, ReportedError } from './icmp.ts';
import type { IncomingPacket, Ipv4Protocol } from './ipv4-input.ts';
import type { Ipv4Output } from './ipv4-output.ts';
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

/** RFC 6335, 6: the dynamic ports. */
const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT;

const MAX_PAYLOAD = IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH - UDP_HEADER_LENGTH;

type OnDatagram = (datagram: UdpDatagram) => void;

interface Listener {
  /** Undefined: every address of the stack. */
  readonly at: Ipv4 | undefined;
  readonly onDatagram: OnDatagram;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Udp implements UdpLayer, Ipv4Protocol {
  readonly #random: Random;
  readonly #addressing: Addressing;
  readonly #output: Ipv4Output;
  readonly #icmp: Icmp;
  readonly #drops: DropSink;
  /** By port; of one port a listener for one address goes before the one for all. */
  readonly #listeners = new Map<number, Listener[]>();
  /** Conversations by their own end, then by the other one. */
  readonly #conversations = new Map<number, Map<number, UdpEvents>>();
  #onUnclaimed: OnUnclaimed | undefined;
  readonly #unclaimed: Mutable<UnclaimedDatagram> = {
    source: 0,
    sourcePort: 0,
    destination: 0,
    destinationPort: 0,
    isTransit: false,
    ttl: 0,
    dontFragment: false,
    payload: new Uint8Array(0),
  };
  readonly #datagram = new UdpView();
  readonly #quoted = new UdpView();

  constructor(random: Random, addressing: Addressing, output: Ipv4Output, icmp: Icmp, drops: DropSink) {
    this.#random = random;
    this.#addressing = addressing;
    this.#output = output;
    this.#icmp = icmp;
    this.#drops = drops;
    icmp.onError(PROTOCOL_UDP, (error) => this.#refused(error));
  }

  open(port: number, onDatagram: OnDatagram, { address }: UdpBindOptions = {}): UdpSocket {
    const own = port === 0 ? this.#freePort() : port;
    if (own === undefined) throw new Error('all dynamic UDP ports are taken on this stack');
    const at = address === undefined ? undefined : ipv4Of(address);
    const others = this.#listeners.get(own) ?? [];
    if (others.some((other) => other.at === at)) throw new Error(`UDP port ${own} is taken on this stack`);
    const listener = { at, onDatagram };
    this.#listeners.set(own, at === undefined ? [...others, listener] : [listener, ...others]);
    return {
      port: own,
      send: (to, payload, options) => this.#sendFromOwn(own, to, payload, options),
      close: () => this.#close(own, listener),
    };
  }

  #close(port: number, listener: Listener): void {
    const left = this.#listeners.get(port)?.filter((other) => other !== listener) ?? [];
    if (left.length === 0) this.#listeners.delete(port);
    else this.#listeners.set(port, left);
  }

  onUnclaimed(handler: OnUnclaimed | undefined): void {
    this.#onUnclaimed = handler;
  }

  connect(from: Endpoint, to: Endpoint, events: UdpEvents): UdpConversation | undefined {
    const port = from.port === 0 ? this.#freePort() : from.port;
    if (port === undefined) return undefined;
    const local = { address: from.address, port };
    const source = ipv4Of(from.address);
    const own = keyOf(source, port);
    const other = keyOf(ipv4Of(to.address), to.port);
    const partners = this.#conversations.get(own) ?? new Map<number, UdpEvents>();
    if (partners.has(other)) return undefined;
    this.#conversations.set(own, partners.set(other, events));
    return {
      local,
      send: (payload) => this.#send(source, port, to, payload),
      close: () => {
        if (partners.get(other) !== events) return;
        partners.delete(other);
        if (partners.size === 0) this.#conversations.delete(own);
      },
    };
  }

  #refused({ type, code, source, destination, bytes, start, end }: ReportedError): boolean {
    if (this.#quoted.bindQuoted(bytes, start, end) !== undefined) return false;
    const { sourcePort, destinationPort } = this.#quoted;
    const events = this.#conversations.get(keyOf(source, sourcePort))?.get(keyOf(destination, destinationPort));
    events?.refused(type, code);
    return events !== undefined;
  }

  sendFrom(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    this.#send(ipv4Of(from.address), from.port, to, payload);
  }

  #freePort(): number | undefined {
    const first = Math.floor(this.#random.next() * DYNAMIC_PORTS);
    for (let i = 0; i < DYNAMIC_PORTS; i++) {
      const port = FIRST_DYNAMIC_PORT + ((first + i) % DYNAMIC_PORTS);
      if (!this.#listeners.has(port) && !this.#isInConversation(port)) return port;
    }
    return undefined;
  }

  /** Whether an address of the stack's own talks from `port`. */
  #isInConversation(port: number): boolean {
    for (const address of this.#addressing.own) if (this.#conversations.has(keyOf(address, port))) return true;
    return false;
  }

  receive(packet: IncomingPacket): void {
    const { batch, index, ip } = packet;
    const defect = this.#datagram.bind(batch.bytes, ip.payloadStart, ip.payloadEnd);
    const reason = defect === undefined ? this.#deliver(packet) : 'udp-malformed';
    if (reason === undefined) return;
    this.#drops.dropped(reason, batch, index, index + 1);
    if (reason === 'udp-no-listener') this.#icmp.unreachable(PORT_UNREACHABLE, packet);
    else if (reason === 'udp-prohibited') this.#icmp.unreachable(ADMINISTRATIVELY_PROHIBITED, packet);
  }

  #deliver(packet: IncomingPacket): DropReason | undefined {
    const { batch, index, ip, isTransit, isBroadcast } = packet;
    const datagram = this.#datagram;
    const { source, destination } = ip;
    const isIntact =
      !datagram.hasChecksum || datagram.isIntact(pseudoHeaderSum(source, destination, PROTOCOL_UDP, datagram.length));
    if (!isIntact) return 'udp-bad-checksum';
    const conversation = isBroadcast ? undefined : this.#conversationOf(source, destination);
    if (conversation !== undefined) {
      conversation.received(batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd));
      return undefined;
    }
    const listener = isTransit ? undefined : this.#listenerFor(destination, datagram.destinationPort);
    if (listener === undefined) return this.#judge(packet);
    listener({
      from: { address: ipv4Octets(source), port: datagram.sourcePort },
      to: { address: ipv4Octets(destination), port: datagram.destinationPort },
      ttl: ip.ttl,
      dontFragment: ip.dontFragment,
      sourceMac: readMac(batch.bytes, batch.starts[index]! + ETHERNET_SOURCE),
      payload: batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd),
    });
    return undefined;
  }

  #conversationOf(source: Ipv4, destination: Ipv4): UdpEvents | undefined {
    if (this.#conversations.size === 0) return undefined;
    const { sourcePort, destinationPort } = this.#datagram;
    return this.#conversations.get(keyOf(destination, destinationPort))?.get(keyOf(source, sourcePort));
  }

  #judge({ batch, ip, isTransit, isBroadcast }: IncomingPacket): DropReason | undefined {
    if (isBroadcast || this.#onUnclaimed === undefined) return 'udp-no-listener';
    const datagram = this.#datagram;
    const unclaimed = this.#unclaimed;
    unclaimed.source = ip.source;
    unclaimed.sourcePort = datagram.sourcePort;
    unclaimed.destination = ip.destination;
    unclaimed.destinationPort = datagram.destinationPort;
    unclaimed.isTransit = isTransit;
    unclaimed.ttl = ip.ttl;
    unclaimed.dontFragment = ip.dontFragment;
    unclaimed.payload = batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd);
    const verdict = this.#onUnclaimed(unclaimed);
    if (verdict === 'taken') return undefined;
    return verdict === 'prohibited' ? 'udp-prohibited' : 'udp-no-listener';
  }

  #listenerFor(address: Ipv4, port: number): OnDatagram | undefined {
    const listeners = this.#listeners.get(port);
    return listeners?.find(({ at }) => at === undefined || at === address)?.onDatagram;
  }

  #sendFromOwn(port: number, to: Endpoint, payload: Uint8Array, options: UdpSendOptions | undefined): void {
    const source = this.#output.sourceFor(options?.source === undefined ? undefined : ipv4Of(options.source));
    this.#send(source, port, to, payload, options?.mac);
  }

  #send(source: Ipv4, sourcePort: number, to: Endpoint, payload: Uint8Array, mac?: Mac): void {
    if (payload.length > MAX_PAYLOAD)
      throw new RangeError(`a datagram carries up to ${MAX_PAYLOAD} octets, not ${payload.length}`);
    const destination = ipv4Of(to.address);
    const head = new Uint8Array(UDP_HEADER_LENGTH);
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, UDP_HEADER_LENGTH + payload.length);
    emitUdp({ sourcePort, destinationPort: to.port }, sum, payload, head, 0);
    this.#output.send({ source, destination, protocol: PROTOCOL_UDP, mac }, head, payload);
  }
}

/** A number for an address and a port. */
function keyOf(address: Ipv4, port: number): number {
  return address * 0x1_0000 + port;
}

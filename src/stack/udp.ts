/** The UDP layer, RFC 768: ports, checksums, and port unreachable for what nobody listens to. */
import type { Random } from '../base/chance.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import { ETHERNET_SOURCE } from '../wire/ethernet.ts';
import { PORT_UNREACHABLE } from '../wire/icmpv4.ts';
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, PROTOCOL_UDP, pseudoHeaderSum } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { readMac } from '../wire/mac.ts';
import { readUint32, writeUint32 } from '../wire/octets.ts';
import { emitUdp, UDP_HEADER_LENGTH, UdpView } from '../wire/udp.ts';
import type { Icmp } from './icmp.ts';
import type { IncomingPacket, Ipv4Protocol } from './ipv4-input.ts';
import type { Ipv4Output } from './ipv4-output.ts';
import type { UdpBindOptions, UdpDatagram, UdpLayer, UdpSendOptions, UdpSocket } from './udp-layer.ts';

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

export class Udp implements UdpLayer, Ipv4Protocol {
  readonly #random: Random;
  readonly #output: Ipv4Output;
  readonly #icmp: Icmp;
  readonly #drops: DropSink;
  /** By port; of one port a listener for one address goes before the one for all. */
  readonly #listeners = new Map<number, Listener[]>();
  #onUnclaimed: ((datagram: UdpDatagram) => boolean) | undefined;
  readonly #datagram = new UdpView();

  constructor(random: Random, output: Ipv4Output, icmp: Icmp, drops: DropSink) {
    this.#random = random;
    this.#output = output;
    this.#icmp = icmp;
    this.#drops = drops;
  }

  open(port: number, onDatagram: OnDatagram, { address }: UdpBindOptions = {}): UdpSocket {
    const own = port === 0 ? this.#freePort() : port;
    const at = address === undefined ? undefined : addressOf(address);
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

  onUnclaimed(handler: ((datagram: UdpDatagram) => boolean) | undefined): void {
    this.#onUnclaimed = handler;
  }

  sendFrom(from: Endpoint, to: Endpoint, payload: Uint8Array): void {
    this.#send(addressOf(from.address), from.port, to, payload);
  }

  #freePort(): number {
    const first = Math.floor(this.#random.next() * DYNAMIC_PORTS);
    for (let i = 0; i < DYNAMIC_PORTS; i++) {
      const port = FIRST_DYNAMIC_PORT + ((first + i) % DYNAMIC_PORTS);
      if (!this.#listeners.has(port)) return port;
    }
    throw new Error('all dynamic UDP ports are taken on this stack');
  }

  receive(packet: IncomingPacket): void {
    const { batch, index, ip } = packet;
    const defect = this.#datagram.bind(batch.bytes, ip.payloadStart, ip.payloadEnd);
    const reason = defect === undefined ? this.#deliver(packet) : 'udp-malformed';
    if (reason === undefined) return;
    this.#drops.dropped(reason, batch, index, index + 1);
    if (reason === 'udp-no-listener') this.#icmp.unreachable(PORT_UNREACHABLE, packet);
  }

  #deliver({ batch, index, ip, isTransit, isBroadcast }: IncomingPacket): DropReason | undefined {
    const datagram = this.#datagram;
    const { source, destination } = ip;
    const isIntact =
      !datagram.hasChecksum || datagram.isIntact(pseudoHeaderSum(source, destination, PROTOCOL_UDP, datagram.length));
    if (!isIntact) return 'udp-bad-checksum';
    const listener = isTransit ? undefined : this.#listenerFor(destination, datagram.destinationPort);
    if (listener === undefined && (isBroadcast || this.#onUnclaimed === undefined)) return 'udp-no-listener';
    const described = {
      from: { address: octetsOf(source), port: datagram.sourcePort },
      to: { address: octetsOf(destination), port: datagram.destinationPort },
      ttl: ip.ttl,
      dontFragment: ip.dontFragment,
      sourceMac: readMac(batch.bytes, batch.starts[index]! + ETHERNET_SOURCE),
      payload: batch.bytes.subarray(datagram.payloadStart, datagram.payloadEnd),
    };
    if (listener !== undefined) listener(described);
    else if (this.#onUnclaimed?.(described) !== true) return 'udp-no-listener';
    return undefined;
  }

  #listenerFor(address: Ipv4, port: number): OnDatagram | undefined {
    const listeners = this.#listeners.get(port);
    return listeners?.find(({ at }) => at === undefined || at === address)?.onDatagram;
  }

  #sendFromOwn(port: number, to: Endpoint, payload: Uint8Array, options: UdpSendOptions | undefined): void {
    const source = this.#output.sourceFor(options?.source === undefined ? undefined : addressOf(options.source));
    this.#send(source, port, to, payload, options?.mac);
  }

  #send(source: Ipv4, sourcePort: number, to: Endpoint, payload: Uint8Array, mac?: Mac): void {
    if (payload.length > MAX_PAYLOAD)
      throw new RangeError(`a datagram carries up to ${MAX_PAYLOAD} octets, not ${payload.length}`);
    const destination = addressOf(to.address);
    const head = new Uint8Array(UDP_HEADER_LENGTH);
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, UDP_HEADER_LENGTH + payload.length);
    emitUdp({ sourcePort, destinationPort: to.port }, sum, payload, head, 0);
    this.#output.send({ source, destination, protocol: PROTOCOL_UDP, mac }, head, payload);
  }
}

function octetsOf(address: Ipv4): Uint8Array {
  const octets = new Uint8Array(4);
  writeUint32(octets, 0, address);
  return octets;
}

function addressOf(octets: Uint8Array): Ipv4 {
  if (octets.length !== 4) throw new RangeError(`an IPv4 address has 4 octets, not ${octets.length}`);
  return readUint32(octets, 0);
}

/**
 * UDP between guests and the world, RFC 4787.
 *
 * Theory of operation. The first datagram from a guest's address and port opens a mapping: one UDP socket of the host, whatever the
 * destinations (REQ-1: endpoint-independent mapping). What arrives at that socket goes to the guest, whoever sent it (REQ-8:
 * endpoint-independent filtering, as QEMU's user network has it; it lets peers find each other through a rendezvous server). A guest
 * that sends to the host's own address and the port of a mapping reaches that mapping, because the host's kernel delivers it (REQ-9).
 *
 * A mapping ends five minutes after the last datagram in either direction (REQ-5, REQ-6), one that only asked for names after
 * thirty seconds. ICMP errors that the host hears are told to the guest, and end nothing (REQ-12).
 *
 * The gateway's address stands for the host's loopback as far as the policy opens it, both ways. A guest's address must be one of its
 * network, or of one that the network's routers lead to: no answer would find another. Errors that guests send about what they were sent end here, because no socket can send them.
 */
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { isSameAddress } from '../base/endpoint.ts';
import type {
  DatagramOptions,
  HostDatagramEvents,
  HostDatagramSocket,
  HostIcmpError,
  HostNet,
} from '../base/host-net.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { EgressPolicy } from '../policy/egress.ts';
import type { Stack } from '../stack/stack.ts';
import type { UnclaimedDatagram, UnclaimedVerdict } from '../stack/udp-layer.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Flow, FlowTable } from './flow.ts';
import { guestDatagram, isLoopback, reportToGuest } from './guest-error.ts';
import type { IdleEntry } from './idle-table.ts';
import { IdleTable } from './idle-table.ts';

/** RFC 4787, REQ-5: two minutes at least, five are recommended. */
const IDLE_TIME: Millis = 300_000;
/** RFC 4787, REQ-5 a: a well-known port may have its own timer. Resolvers ask again for up to 30 s. */
const DNS_IDLE_TIME: Millis = 30_000;
const DNS_PORT = 53;

const LIMITS = { perOwner: 1024, total: 4096 };

export interface UdpNatOptions {
  readonly stack: Stack;
  readonly net: HostNet;
  readonly policy: EgressPolicy;
  readonly flows: FlowTable;
  readonly counters: Counters;
  readonly scheduler: Scheduler;
  /** The host's own address that datagrams leave from. */
  readonly source?: Uint8Array | undefined;
}

export class UdpNat {
  readonly #options: UdpNatOptions;
  readonly #mappings: IdleTable<number, UdpMapping>;

  constructor(options: UdpNatOptions) {
    this.#options = options;
    this.#mappings = new IdleTable(options.scheduler, LIMITS, () => options.counters.add('udp-mapping-limit'));
  }

  start(): void {
    this.#options.stack.udp.onUnclaimed((datagram) => this.#take(datagram));
  }

  stop(): void {
    this.#options.stack.udp.onUnclaimed(undefined);
    this.#mappings.closeAll();
  }

  #take(datagram: UnclaimedDatagram): UnclaimedVerdict {
    const { source, sourcePort, destination, destinationPort } = datagram;
    if (source.length !== 4) return 'port-unreachable';
    const key = readUint32(source, 0) * 0x1_0000 + sourcePort;
    const known = this.#mappings.use(key);
    if (known?.isAimedAt(destination, destinationPort) === true) {
      known.send(datagram);
      return 'taken';
    }
    if (destinationPort === 0) return 'port-unreachable';
    const peer = { address: destination.slice(), port: destinationPort };
    const verdict = this.#options.policy.decide('udp', peer);
    if (verdict.kind === 'refused') {
      this.#options.counters.add(verdict.reason);
      // An address of the router's own is there, and nobody listens at it: nothing is forwarded that could be prohibited.
      return datagram.isTransit ? 'prohibited' : 'port-unreachable';
    }
    const mapping = known ?? this.#open(key, source.slice(), sourcePort);
    mapping?.aim(peer, verdict.to);
    mapping?.send(datagram);
    return 'taken';
  }

  #open(key: number, address: Uint8Array, port: number): UdpMapping | undefined {
    const { stack, counters, flows } = this.#options;
    if (!stack.leadsTo(address)) {
      counters.add('udp-foreign-source');
      return undefined;
    }
    const mapping = new UdpMapping({ address, port }, this.#options, {
      use: () => this.#mappings.use(key),
      remove: () => this.#mappings.remove(key, mapping),
    });
    this.#mappings.add(key, mapping);
    flows.add(mapping);
    return mapping;
  }
}

/** A mapping's place in the table. */
interface Place {
  use(): void;
  remove(): void;
}

class UdpMapping implements Flow, IdleEntry, HostDatagramEvents {
  readonly protocol = 'udp';
  readonly initiator = 'guest';
  readonly state = 'open';
  readonly guest: Endpoint;
  readonly owner: Ipv4;
  fromGuest = 0;
  toGuest = 0;
  readonly #options: UdpNatOptions;
  readonly #place: Place;
  readonly #socket: HostDatagramSocket;
  #asksOnlyNames = true;
  /** Where the last datagram went, as the guest and as the host see it. */
  #peer: Endpoint | undefined;
  #to: Endpoint | undefined;
  #hasSeveralPeers = false;
  #sendOptions: DatagramOptions = {};
  #ttl = 0;
  #dontFragment = false;

  constructor(guest: Endpoint, options: UdpNatOptions, place: Place) {
    this.owner = readUint32(guest.address, 0);
    this.guest = guest;
    this.#options = options;
    this.#place = place;
    const { net, source } = options;
    this.#socket = net.socket(4, this, source === undefined ? {} : { source });
  }

  get peer(): Endpoint | undefined {
    return this.#hasSeveralPeers ? undefined : this.#peer;
  }

  get target(): undefined {
    return undefined;
  }

  get timeout(): Millis {
    return this.#asksOnlyNames ? DNS_IDLE_TIME : IDLE_TIME;
  }

  isAimedAt(address: Uint8Array, port: number): boolean {
    return this.#peer?.port === port && isSameAddress(this.#peer.address, address);
  }

  /** The next datagrams go to `peer`, which for the host is `to`. */
  aim(peer: Endpoint, to: Endpoint): void {
    if (this.#peer !== undefined) this.#hasSeveralPeers = true;
    if (peer.port !== DNS_PORT) this.#asksOnlyNames = false;
    this.#peer = peer;
    this.#to = to;
  }

  send({ payload, ttl, dontFragment, isTransit }: UnclaimedDatagram): void {
    // A datagram for an address of the router's own has arrived: no hop is taken off.
    const left = isTransit ? ttl - 1 : ttl;
    if (left !== this.#ttl || dontFragment !== this.#dontFragment) {
      this.#ttl = left;
      this.#dontFragment = dontFragment;
      this.#sendOptions = { ttl: left, dontFragment };
    }
    this.fromGuest += payload.length;
    if (!this.#socket.send(payload, this.#to!, this.#sendOptions)) this.#options.counters.add('udp-too-long');
  }

  received(payload: Uint8Array, from: Endpoint): void {
    const { stack, counters } = this.#options;
    const own = stack.interface;
    if (own === undefined) return;
    this.#place.use();
    const isHost = isLoopback(from.address);
    if (!isHost && stack.isInside(from.address)) {
      // The host's network has the lab's addresses too: this would seem to come from another guest.
      counters.add('udp-ambiguous-source');
      return;
    }
    this.toGuest += payload.length;
    const sender = isHost ? { address: ipv4Octets(own.address), port: from.port } : from;
    stack.udp.sendFrom(sender, this.guest, payload);
  }

  refused(error: HostIcmpError): void {
    const { stack, counters } = this.#options;
    const own = stack.interface;
    if (own === undefined) return;
    const { address, port } = error.to;
    const peer = isLoopback(address) ? own.address : readUint32(address, 0);
    const packet = guestDatagram(this.owner, this.guest.port, peer, port, error.quote);
    if (!reportToGuest(stack, error, packet)) counters.add('icmp-not-passed');
  }

  close(): void {
    this.#socket.close();
    this.#place.remove();
    this.#options.flows.remove(this);
  }
}

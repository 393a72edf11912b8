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
import type { Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6Key, isInIpv6Prefix } from '../wire/ipv6-address.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Flow, FlowTable } from './flow.ts';
import { guestDatagram, reportToGuest } from './guest-error.ts';
import type { IdleEntry } from './idle-table.ts';
import { IdleTable } from './idle-table.ts';
import { shownAddress } from './shown-address.ts';

/** RFC 4787, REQ-5: two minutes at least, five are recommended. */
const IDLE_TIME: Millis = 300_000;
/** RFC 4787, REQ-5 a: a well-known port may have its own timer. Resolvers ask again for up to 30 s. */
const DNS_IDLE_TIME: Millis = 30_000;
const DNS_PORT = 53;

const LIMITS = { perOwner: 1024, total: 4096 };

const ADDRESS_LENGTHS = { 4: 4, 6: 16 } as const;

export interface UdpNatOptions {
  readonly stack: Stack;
  readonly net: HostNet;
  readonly policy: EgressPolicy;
  readonly flows: FlowTable;
  readonly counters: Counters;
  readonly scheduler: Scheduler;
  /** The host's own addresses that datagrams leave from, one of a family; the system's choice where there is none. */
  readonly sources?: readonly Uint8Array[] | undefined;
  /** Behind this prefix lies IPv4. */
  readonly nat64?: Ipv6Prefix | undefined;
}

/** A number for an IPv4 endpoint of a guest, a text for an IPv6 one. */
type MappingKey = number | string;

export class UdpNat {
  readonly #options: UdpNatOptions;
  readonly #mappings: IdleTable<MappingKey, UdpMapping>;

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
    const family = this.#familyOf(destination);
    const key =
      source.length === 4
        ? readUint32(source, 0) * 0x1_0000 + sourcePort
        : `${ipv6Key(source)}${String.fromCharCode(sourcePort)}${family}`;
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
    const mapping = known ?? this.#open(key, { address: source.slice(), port: sourcePort }, family);
    mapping?.aim(peer, verdict.to);
    mapping?.send(datagram);
    return 'taken';
  }

  /** Of the host's socket: RFC 6146 has a mapping of its own for what a guest says to IPv4. */
  #familyOf(destination: Uint8Array): 4 | 6 {
    const { nat64 } = this.#options;
    return destination.length === 4 || (nat64 !== undefined && isInIpv6Prefix(nat64, destination)) ? 4 : 6;
  }

  #open(key: MappingKey, guest: Endpoint, family: 4 | 6): UdpMapping | undefined {
    const { stack, counters, flows } = this.#options;
    if (!stack.leadsTo(guest.address)) {
      counters.add('udp-foreign-source');
      return undefined;
    }
    const mapping = new UdpMapping(guest, family, this.#options, {
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
  readonly owner: number | string;
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

  constructor(guest: Endpoint, family: 4 | 6, options: UdpNatOptions, place: Place) {
    this.owner = guest.address.length === 4 ? readUint32(guest.address, 0) : ipv6Key(guest.address);
    this.guest = guest;
    this.#options = options;
    this.#place = place;
    const { net, sources } = options;
    const source = sources?.find(({ length }) => length === ADDRESS_LENGTHS[family]);
    this.#socket = net.socket(family, this, source === undefined ? {} : { source });
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

  send(datagram: UnclaimedDatagram): void {
    const { payload, ttl, isTransit } = datagram;
    // Of IPv6 the source may fragment, which the host is now.
    const dontFragment = datagram.dontFragment && this.guest.address.length === 4;
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
    this.#place.use();
    const address = this.#shown(from);
    if (address === undefined) {
      // The host's network has the lab's addresses too: this would seem to come from another guest.
      counters.add('udp-ambiguous-source');
      return;
    }
    this.toGuest += payload.length;
    stack.udp.sendFrom({ address, port: from.port }, this.guest, payload);
  }

  refused(error: HostIcmpError): void {
    const { stack, counters, nat64 } = this.#options;
    const address = this.#shown(error.to);
    const packet = address && guestDatagram(this.guest, { address, port: error.to.port }, error.quote);
    if (packet === undefined || !reportToGuest(stack, error, packet, nat64)) counters.add('icmp-not-passed');
  }

  /** The peer is seen at the address that the guest asked: more than one of NAT64 leads to the host. */
  #shown({ address, port }: Endpoint): Uint8Array | undefined {
    const { stack, nat64 } = this.#options;
    if (this.#to?.port === port && isSameAddress(this.#to.address, address)) return this.#peer?.address;
    return shownAddress(address, this.guest.address, stack, nat64);
  }

  close(): void {
    this.#socket.close();
    this.#place.remove();
    this.#options.flows.remove(this);
  }
}

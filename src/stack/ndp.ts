/**
 * Neighbour discovery as a node speaks it (RFC 4861): answers for its addresses, asks for its neighbours', defends what is its own. A
 * stack that `advertise`s is in all-routers and hears solicitations for routers.
 *
 * What is believed: a solicitation tells where its sender is, until that is confirmed; an advertisement only changes what is known or
 * asked already, as its flags allow (7.2.5). Never believed: a group MAC, our own MAC or address, an address that no neighbour can have.
 *
 * What is left out: redirects, which nobody here sends or heeds.
 */
import type { Millis, Scheduler } from '../base/time.ts';
import type { DropReason } from '../link/drops.ts';
import { sealIcmpv6 } from '../wire/icmpv6.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU, ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import {
  ALL_NODES,
  ALL_ROUTERS,
  ipv6Key,
  ipv6OfKey,
  isUnspecifiedIpv6,
  solicitedNodeGroup,
} from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type {
  NdpMessage,
  NeighbourAdvertisement,
  NeighbourSolicitation,
  RouterAdvertisement,
  RouterSolicitation,
} from '../wire/ndp.ts';
import { emitNdp, NDP_HOP_LIMIT, parseNdp } from '../wire/ndp.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import { isUnicastIpv6 } from './ipv6-addressing.ts';
import type { IncomingIpv6 } from './ipv6-input.ts';
import type { Ipv6Output } from './ipv6-output.ts';
import type { Neighbours } from './neighbours.ts';

/** What neighbour discovery offers to the users of a stack. */
export interface NeighbourDiscovery {
  /**
   * Becomes a router that speaks for itself; throws where the stack is one already. `on` hears who asks for routers: undefined where
   * that node has no address yet.
   */
  advertise(on: (solicitor: NdpPeer | undefined) => void): RouterAdvertiser;
  /** `on` hears what routers say of themselves and of the link; nobody does where undefined. The message is on loan until it returns. */
  onAdvertisement(on: ((advertisement: RouterAdvertisement, from: NdpPeer) => void) | undefined): void;
  /** Asks the routers of the link to advertise themselves. */
  solicitRouters(): void;
  /**
   * `on` hears, as often as anybody says so, that a node has an address or is about to take it, with copies of its own; nobody does where
   * undefined. Hosts can say anything: who keeps it sets a limit.
   */
  onNeighbour(on: ((address: Ipv6, mac: Mac) => void) | undefined): void;
  /** Tells everybody where the stack's own addresses are. */
  announce(): void;
  /** Who has the address, as far as the neighbour table knows. */
  owner(address: Ipv6): Mac | undefined;
  /** How often another station claimed one of our addresses. */
  readonly conflicts: number;
}

/** A node and how it is reached; on loan until the handler returns. */
export interface NdpPeer {
  readonly address: Ipv6;
  readonly mac: Mac;
}

export interface RouterAdvertiser {
  /** Sends to one node; to all nodes where undefined. */
  send(advertisement: RouterAdvertisement, to: NdpPeer | undefined): void;
  close(): void;
}

/** RFC 4861, 10: DELAY_FIRST_PROBE_TIME. */
export const PROBE_DELAY: Millis = 5000;
/** As RFC 5227, 2.4 has it for ARP: an address is defended once in so long. */
const DEFEND_INTERVAL: Millis = 10_000;
/** RFC 4861, 4.6: no message needs more than every link takes. */
const ROOM = IPV6_MIN_MTU - IPV6_HEADER_LENGTH;
const NOTHING = new Uint8Array(0);

export class Ndp implements NeighbourDiscovery {
  readonly #scheduler: Scheduler;
  readonly #mac: Mac;
  readonly #addressing: Ipv6Addressing;
  readonly #neighbours: Neighbours<string>;
  readonly #output: Ipv6Output;
  readonly #defendedAt = new Map<string, Millis>();
  #conflicts = 0;
  #onSolicitation: ((solicitor: NdpPeer | undefined) => void) | undefined;
  #onAdvertisement: ((advertisement: RouterAdvertisement, from: NdpPeer) => void) | undefined;
  #onNeighbour: ((address: Ipv6, mac: Mac) => void) | undefined;

  /** The table asks by `solicit`. */
  constructor(
    scheduler: Scheduler,
    mac: Mac,
    addressing: Ipv6Addressing,
    neighbours: Neighbours<string>,
    output: Ipv6Output,
  ) {
    this.#scheduler = scheduler;
    this.#mac = mac;
    this.#addressing = addressing;
    this.#neighbours = neighbours;
    this.#output = output;
  }

  get conflicts(): number {
    return this.#conflicts;
  }

  owner(address: Ipv6): Mac | undefined {
    return this.#neighbours.find(ipv6Key(address));
  }

  advertise(on: (solicitor: NdpPeer | undefined) => void): RouterAdvertiser {
    if (this.#onSolicitation !== undefined) throw new Error('this stack advertises itself as a router already');
    this.#onSolicitation = on;
    this.#addressing.join(ALL_ROUTERS);
    return {
      send: (advertisement, to) =>
        this.#send(advertisement, this.#addressing.linkLocal, to?.address ?? ALL_NODES, to?.mac),
      close: () => {
        if (this.#onSolicitation !== on) return;
        this.#onSolicitation = undefined;
        this.#addressing.leave(ALL_ROUTERS);
      },
    };
  }

  onAdvertisement(on: ((advertisement: RouterAdvertisement, from: NdpPeer) => void) | undefined): void {
    this.#onAdvertisement = on;
  }

  solicitRouters(): void {
    const message = { kind: 'router-solicitation', sourceMac: this.#mac } as const;
    this.#send(message, this.#addressing.linkLocal, ALL_ROUTERS);
  }

  onNeighbour(on: ((address: Ipv6, mac: Mac) => void) | undefined): void {
    this.#onNeighbour = on;
    this.#addressing.hearsAllSolicitations = on !== undefined;
  }

  announce(): void {
    for (const address of this.#addressing.own) this.#advertiseAddress(address, undefined);
  }

  /** Asks for the owner of an address: everybody, or only the node that had it last (RFC 4861, 7.2.2 and 7.3.3). */
  solicit(key: string, lastKnown: Mac | undefined): void {
    const target = ipv6OfKey(key);
    const message = { kind: 'neighbour-solicitation', target, sourceMac: this.#mac } as const;
    const to = lastKnown === undefined ? solicitedNodeGroup(target) : target;
    this.#send(message, this.#addressing.sourceFor(target), to, lastKnown);
  }

  /** Takes an ICMPv6 message of neighbour discovery, its checksum being right; says why where it was not taken. */
  receive(packet: IncomingIpv6): DropReason | undefined {
    const message = parseNdp(packet.batch.bytes, packet.ip);
    if (typeof message === 'string') return 'ndp-malformed';
    const { source } = packet.ip;
    switch (message.kind) {
      case 'neighbour-solicitation':
        return this.#hearSolicitation(packet, source, message);
      case 'neighbour-advertisement':
        return this.#hearAdvertisement(packet, message);
      case 'router-solicitation':
        if (message.sourceMac === this.#mac) return 'ndp-spoofed';
        this.#meet(source, message.sourceMac, packet);
        if (this.#onSolicitation === undefined) return 'ndp-unused';
        this.#onSolicitation(peerOf(packet, source, message));
        return undefined;
      case 'router-advertisement':
        if (message.sourceMac === this.#mac) return 'ndp-spoofed';
        if (this.#onAdvertisement === undefined) return 'ndp-unused';
        this.#meet(source, message.sourceMac, packet);
        this.#onAdvertisement(message, { address: source, mac: message.sourceMac ?? packet.sourceMac });
        return undefined;
    }
  }

  /** RFC 4861, 7.2.3, and, of a node that probes for an address, RFC 4862, 5.4.3. */
  #hearSolicitation(packet: IncomingIpv6, source: Ipv6, message: NeighbourSolicitation): DropReason | undefined {
    const { target, sourceMac } = message;
    if (sourceMac === this.#mac) return 'ndp-spoofed';
    const isOurs = this.#addressing.isOwn(target);
    if (isUnspecifiedIpv6(source)) {
      if (!isOurs && isUnicastIpv6(target)) this.#onNeighbour?.(target.slice(), packet.sourceMac);
    } else {
      this.#meet(source, isOurs ? sourceMac : undefined, packet);
    }
    if (!isOurs) return 'ndp-not-local';
    this.#advertiseAddress(target.slice(), peerOf(packet, source, message));
    return undefined;
  }

  /** The sender of a message is at `mac` where it says so, and is in any case a neighbour. */
  #meet(source: Ipv6, mac: Mac | undefined, packet: IncomingIpv6): void {
    if (!this.#addressing.isNeighbour(source)) return;
    this.#onNeighbour?.(source.slice(), mac ?? packet.sourceMac);
    if (mac !== undefined) this.#neighbours.suppose(ipv6Key(source), mac);
  }

  #hearAdvertisement(packet: IncomingIpv6, message: NeighbourAdvertisement): DropReason | undefined {
    const { target, targetMac } = message;
    // Our own words, brought back by a loop in the network, or false ones.
    if (packet.sourceMac === this.#mac || targetMac === this.#mac) return 'ndp-spoofed';
    if (this.#addressing.isOwn(target)) {
      this.#conflicts++;
      this.#defend(target.slice());
      return undefined;
    }
    if (!this.#addressing.isNeighbour(target)) return 'ndp-unused';
    this.#onNeighbour?.(target.slice(), targetMac ?? packet.sourceMac);
    const isNews = this.#update(ipv6Key(target), message);
    return isNews || this.#onNeighbour !== undefined ? undefined : 'ndp-unused';
  }

  /** RFC 4861, 7.2.5. False where nobody here is interested in the target. */
  #update(key: string, { targetMac, isSolicited, isOverride }: NeighbourAdvertisement): boolean {
    const known = this.#neighbours.find(key);
    if (known === undefined) {
      if (targetMac === undefined || !this.#neighbours.isIncomplete(key)) return false;
      if (isSolicited) this.#neighbours.confirm(key, targetMac);
      else this.#neighbours.suppose(key, targetMac);
      return true;
    }
    const mac = targetMac ?? known;
    if (mac !== known && !isOverride) {
      if (this.#neighbours.isReachable(key)) this.#neighbours.doubt(key);
    } else if (isSolicited) {
      this.#neighbours.confirm(key, mac);
    } else {
      this.#neighbours.suppose(key, mac);
    }
    return true;
  }

  /** The address is kept; the network hears of it, but not more often than once per interval. */
  #defend(address: Ipv6): void {
    const key = ipv6Key(address);
    const now = this.#scheduler.now();
    if (now - (this.#defendedAt.get(key) ?? Number.NEGATIVE_INFINITY) < DEFEND_INTERVAL) return;
    this.#defendedAt.set(key, now);
    this.#advertiseAddress(address, undefined);
  }

  /** RFC 4861, 7.2.4: to who asked, or unasked to everybody. */
  #advertiseAddress(target: Ipv6, peer: NdpPeer | undefined): void {
    const advertisement = {
      kind: 'neighbour-advertisement',
      isRouter: this.#onSolicitation !== undefined,
      isSolicited: peer !== undefined,
      isOverride: true,
      target,
      targetMac: this.#mac,
    } as const;
    this.#send(advertisement, target, peer?.address ?? ALL_NODES, peer?.mac);
  }

  #send(message: NdpMessage, source: Ipv6, destination: Ipv6, mac?: Mac): void {
    const out = new Uint8Array(ROOM);
    const head = out.subarray(0, emitNdp(message, out, 0));
    sealIcmpv6(head, 0, head.length, ipv6PseudoHeaderSum(source, destination, NEXT_HEADER_ICMPV6, head.length));
    const packet = { source, destination, nextHeader: NEXT_HEADER_ICMPV6, hopLimit: NDP_HOP_LIMIT, mac };
    this.#output.send(packet, head, NOTHING);
  }
}

/** By whatever means the node is known to be reached: the link address it names, else that of the frame. */
function peerOf(
  { sourceMac }: IncomingIpv6,
  source: Ipv6,
  solicitation: NeighbourSolicitation | RouterSolicitation,
): NdpPeer | undefined {
  return isUnspecifiedIpv6(source) ? undefined : { address: source, mac: solicitation.sourceMac ?? sourceMac };
}

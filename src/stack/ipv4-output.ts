/**
 * IPv4 on the way out: source and next hop, header, fragmentation (RFC 791, 3.2), link address.
 *
 * A payload comes in two parts, the protocol's header and what follows it, and is copied once, into the frames.
 */

import type { Random } from '../base/chance.ts';
import type { DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, emitEthernet } from '../wire/ethernet.ts';
import { emitIpv4, FRAGMENT_UNIT, IPV4_HEADER_LENGTH } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { isMulticastIpv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import { BROADCAST_MAC } from '../wire/mac.ts';
import type { Addressing } from './addressing.ts';
import type { Neighbours } from './neighbours.ts';
import type { Transmitter } from './transmitter.ts';

/** RFC 1700 and RFC 1122, 3.2.1.7: the default time to live. */
const DEFAULT_TTL = 64;

/** A packet as the protocols above see it. */
export interface OutgoingPacket {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  /** The receiver's link address where it is known already: nobody is asked by ARP. */
  readonly mac?: Mac | undefined;
  /** Time to live; the default where undefined. */
  readonly ttl?: number | undefined;
}

export class Ipv4Output {
  readonly #transmitter: Transmitter;
  readonly #addressing: Addressing;
  readonly #neighbours: Neighbours<Ipv4>;
  readonly #drops: DropSink;
  readonly #mtu: number;
  #identification: number;

  constructor(
    mtu: number,
    random: Random,
    transmitter: Transmitter,
    addressing: Addressing,
    neighbours: Neighbours<Ipv4>,
    drops: DropSink,
  ) {
    this.#mtu = mtu;
    this.#identification = Math.floor(random.next() * 0x1_0000);
    this.#transmitter = transmitter;
    this.#addressing = addressing;
    this.#neighbours = neighbours;
    this.#drops = drops;
  }

  /** The source for a packet: `wanted` where it is one of ours, else the first address. */
  sourceFor(wanted: Ipv4 | undefined): Ipv4 {
    return wanted !== undefined && this.#addressing.isOurs(wanted) ? wanted : this.#addressing.first;
  }

  /** Sends one packet, in fragments where the network takes no more; false where no route leads to its destination. */
  send(packet: OutgoingPacket, head: Uint8Array, body: Uint8Array): boolean {
    let isSent = true;
    const hop = packet.mac === undefined ? this.#addressing.nextHop(packet.destination) : undefined;
    const mac = packet.mac ?? this.#groupMac(packet.destination);
    // RFC 6864, 4.1: unique among the packets of this source that may be fragmented and still on their way.
    const identification = this.#identification;
    this.#identification = (identification + 1) & 0xffff;
    this.#transmitter.during(() => {
      const total = head.length + body.length;
      const room = this.#mtu - IPV4_HEADER_LENGTH;
      const step = total <= room ? total : room - (room % FRAGMENT_UNIT);
      let from = 0;
      do {
        const to = Math.min(from + step, total);
        isSent = this.#sendPiece({ packet, identification, head, body, from, to }, mac, hop) && isSent;
        from = to;
      } while (from < total);
    });
    return isSent;
  }

  /** The link address of a group; undefined for a unicast address. */
  #groupMac(destination: Ipv4): Mac | undefined {
    if (this.#addressing.isBroadcast(destination)) return BROADCAST_MAC;
    // RFC 1112, 6.4: 01:00:5e and the low 23 bits of the group.
    return isMulticastIpv4(destination) ? 0x01005e000000 + (destination & 0x7fffff) : undefined;
  }

  #sendPiece(piece: Piece, groupOrKnown: Mac | undefined, hop: Ipv4 | undefined): boolean {
    const length = ETHERNET_HEADER_LENGTH + IPV4_HEADER_LENGTH + piece.to - piece.from;
    const mac = groupOrKnown ?? (hop === undefined ? undefined : this.#neighbours.resolve(hop));
    if (mac !== undefined) {
      const start = this.#transmitter.reserve(length);
      this.#emit(piece, mac, this.#transmitter.bytes, start);
      this.#transmitter.commit(start, length);
      return true;
    }
    const frame = new Uint8Array(length);
    this.#emit(piece, 0, frame, 0);
    if (hop !== undefined) {
      this.#neighbours.wait(hop, frame);
      return true;
    }
    if (this.#addressing.forwarder?.send(frame) === true) return true;
    this.#drops.dropped('ipv4-no-route', batchOf([frame]), 0, 1);
    return false;
  }

  #emit({ packet, identification, head, body, from, to }: Piece, mac: Mac, out: Uint8Array, at: number): void {
    const header = {
      totalLength: IPV4_HEADER_LENGTH + to - from,
      identification,
      dontFragment: false,
      moreFragments: to < head.length + body.length,
      fragmentOffset: from,
      ttl: packet.ttl ?? DEFAULT_TTL,
      protocol: packet.protocol,
      source: packet.source,
      destination: packet.destination,
    };
    const payload = emitIpv4(header, out, emitEthernet(out, at, mac, this.#transmitter.mac, ETHERTYPE_IPV4));
    if (from === 0 && !header.moreFragments) {
      out.set(head, payload);
      out.set(body, payload + head.length);
      return;
    }
    if (from < head.length) out.set(head.subarray(from, Math.min(to, head.length)), payload);
    const bodyFrom = Math.max(from, head.length);
    if (bodyFrom < to) out.set(body.subarray(bodyFrom - head.length, to - head.length), payload + bodyFrom - from);
  }
}

/** Octets [from, to) of a packet's payload. */
interface Piece {
  readonly packet: OutgoingPacket;
  readonly identification: number;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly from: number;
  readonly to: number;
}

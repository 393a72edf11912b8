/**
 * IPv6 on the way out: next hop, header, fragmentation by the source (RFC 8200, 4.5), link address.
 *
 * A payload comes in two parts, the protocol's header and what follows it, and is copied once, into the frames.
 */
import type { Random } from '../base/chance.ts';
import type { DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV6, emitEthernet } from '../wire/ethernet.ts';
import { emitIpv6, IPV6_HEADER_LENGTH } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { groupMacOf, ipv6Key, isMulticastIpv6 } from '../wire/ipv6-address.ts';
import {
  EXTENSION_UNIT,
  emitFragmentHeader,
  FRAGMENT_HEADER_LENGTH,
  NEXT_HEADER_FRAGMENT,
} from '../wire/ipv6-extensions.ts';
import type { Mac } from '../wire/mac.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import type { Neighbours } from './neighbours.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Transmitter } from './transmitter.ts';

/** RFC 1700: the default, as for IPv4. */
export const DEFAULT_HOP_LIMIT = 64;

/** A packet as the protocols above see it. */
export interface OutgoingIpv6 {
  readonly source: Ipv6;
  readonly destination: Ipv6;
  readonly nextHeader: number;
  /** The receiver's link address where it is known already: no neighbour is asked. */
  readonly mac?: Mac | undefined;
  /** The default where undefined. */
  readonly hopLimit?: number | undefined;
}

export interface Ipv6OutputParts {
  readonly random: Random;
  readonly transmitter: Transmitter;
  readonly addressing: Ipv6Addressing;
  /** By `ipv6Key`. */
  readonly neighbours: Neighbours<string>;
  readonly pathMtu: PathMtu;
  readonly drops: DropSink;
}

export class Ipv6Output {
  readonly #parts: Ipv6OutputParts;
  #identification: number;

  constructor(parts: Ipv6OutputParts) {
    this.#parts = parts;
    this.#identification = Math.floor(parts.random.next() * 0x1_0000_0000);
  }

  /** Sends one packet, in fragments where the path takes no more; false where no route leads to its destination. */
  send(packet: OutgoingIpv6, head: Uint8Array, body: Uint8Array): boolean {
    const { addressing, pathMtu, transmitter } = this.#parts;
    const { destination } = packet;
    const mac = packet.mac ?? (isMulticastIpv6(destination) ? groupMacOf(destination) : undefined);
    const hop = mac === undefined ? addressing.nextHop(destination) : undefined;
    const total = head.length + body.length;
    const room = pathMtu.towards(destination) - IPV6_HEADER_LENGTH;
    let isSent = true;
    transmitter.during(() => {
      if (total <= room) {
        isSent = this.#sendPiece({ packet, head, body, from: 0, to: total, identification: undefined }, mac, hop);
        return;
      }
      const identification = this.#identification;
      this.#identification = (identification + 1) >>> 0;
      const step = room - FRAGMENT_HEADER_LENGTH - (room % EXTENSION_UNIT);
      for (let from = 0; from < total; from += step) {
        const to = Math.min(from + step, total);
        isSent = this.#sendPiece({ packet, head, body, from, to, identification }, mac, hop) && isSent;
      }
    });
    return isSent;
  }

  #sendPiece(piece: Piece, groupOrKnown: Mac | undefined, hop: Ipv6 | undefined): boolean {
    const { transmitter, neighbours, drops } = this.#parts;
    const key = hop === undefined ? '' : ipv6Key(hop);
    const length = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + payloadLengthOf(piece);
    const mac = groupOrKnown ?? (hop === undefined ? undefined : neighbours.resolve(key));
    if (mac !== undefined) {
      const start = transmitter.reserve(length);
      this.#emit(piece, mac, transmitter.bytes, start);
      transmitter.commit(start, length);
      return true;
    }
    const frame = new Uint8Array(length);
    this.#emit(piece, 0, frame, 0);
    if (hop !== undefined) {
      neighbours.wait(key, frame);
      return true;
    }
    if (this.#parts.addressing.forwarder?.send(frame) === true) return true;
    drops.dropped('ipv6-no-route', batchOf([frame]), 0, 1);
    return false;
  }

  #emit(piece: Piece, mac: Mac, out: Uint8Array, at: number): void {
    const { packet, head, body, from, to, identification } = piece;
    const { source, destination, nextHeader, hopLimit = DEFAULT_HOP_LIMIT } = packet;
    const isWhole = identification === undefined;
    const header = {
      payloadLength: payloadLengthOf(piece),
      nextHeader: isWhole ? nextHeader : NEXT_HEADER_FRAGMENT,
      hopLimit,
      source,
      destination,
    };
    let payload = emitIpv6(header, out, emitEthernet(out, at, mac, this.#parts.transmitter.mac, ETHERTYPE_IPV6));
    if (!isWhole) {
      const moreFragments = to < head.length + body.length;
      payload = emitFragmentHeader({ nextHeader, fragmentOffset: from, moreFragments, identification }, out, payload);
    }
    if (from < head.length) out.set(head.subarray(from, Math.min(to, head.length)), payload);
    const bodyFrom = Math.max(from, head.length);
    if (bodyFrom < to) out.set(body.subarray(bodyFrom - head.length, to - head.length), payload + bodyFrom - from);
  }
}

/** Octets [from, to) of a packet's payload: a fragment where there is an identification. */
interface Piece {
  readonly packet: OutgoingIpv6;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly identification: number | undefined;
}

function payloadLengthOf({ from, to, identification }: Piece): number {
  return to - from + (identification === undefined ? 0 : FRAGMENT_HEADER_LENGTH);
}

/**
 * Neighbour discovery as a node speaks it (RFC 4861): answers who asks for its address, by whatever means that node is known to be
 * reached: the source link-layer option, else the MAC of the frame. A stack that `advertise`s is in all-routers and hears
 * solicitations for routers.
 *
 * What is left out, because nothing is sent but answers: the neighbour table. The own address comes from the MAC, which is the only one
 * of its kind on a LAN, and is used without duplicate detection (RFC 4862, 5.1: DupAddrDetectTransmits 0); groups are joined without
 * MLD reports, which only a switch that snoops would need.
 */
import type { DropReason } from '../link/drops.ts';
import { IPV6_HEADER_LENGTH, IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ALL_NODES, ALL_ROUTERS, groupMacOf, isUnspecifiedIpv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { NdpMessage, NeighbourSolicitation, RouterAdvertisement, RouterSolicitation } from '../wire/ndp.ts';
import { emitNdp, NDP_HOP_LIMIT, parseNdp } from '../wire/ndp.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import type { IncomingIpv6 } from './ipv6-input.ts';
import type { Ipv6Output } from './ipv6-output.ts';

/** What neighbour discovery offers to the users of a stack. */
export interface NeighbourDiscovery {
  /**
   * Becomes a router that speaks for itself; throws where the stack is one already. `on` hears who asks for routers: undefined where
   * that node has no address yet.
   */
  advertise(on: (solicitor: NdpPeer | undefined) => void): RouterAdvertiser;
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

const EVERYBODY: NdpPeer = { address: ALL_NODES, mac: groupMacOf(ALL_NODES) };

/** RFC 4861, 4.6: no message needs more than every link takes. */
const ROOM = IPV6_MIN_MTU - IPV6_HEADER_LENGTH;

export class Ndp implements NeighbourDiscovery {
  readonly #addressing: Ipv6Addressing;
  readonly #output: Ipv6Output;
  #onSolicitation: ((solicitor: NdpPeer | undefined) => void) | undefined;

  constructor(addressing: Ipv6Addressing, output: Ipv6Output) {
    this.#addressing = addressing;
    this.#output = output;
  }

  advertise(on: (solicitor: NdpPeer | undefined) => void): RouterAdvertiser {
    if (this.#onSolicitation !== undefined) throw new Error('this stack advertises itself as a router already');
    this.#onSolicitation = on;
    this.#addressing.join(ALL_ROUTERS);
    return {
      send: (advertisement, to) => this.#send(advertisement, to ?? EVERYBODY),
      close: () => {
        if (this.#onSolicitation !== on) return;
        this.#onSolicitation = undefined;
        this.#addressing.leave(ALL_ROUTERS);
      },
    };
  }

  /** Takes an ICMPv6 message of neighbour discovery, its checksum being right; says why where it was not taken. */
  receive(packet: IncomingIpv6): DropReason | undefined {
    const message = parseNdp(packet.batch.bytes, packet.ip);
    if (typeof message === 'string') return 'ndp-malformed';
    switch (message.kind) {
      case 'neighbour-solicitation':
        return this.#answer(packet, message);
      case 'router-solicitation':
        if (this.#onSolicitation === undefined) return 'ndp-unused';
        this.#onSolicitation(peerOf(packet, message));
        return undefined;
      default:
        return 'ndp-unused';
    }
  }

  /** RFC 4861, 7.2.4, and, to a node that probes for our address, RFC 4862, 5.4.3: all nodes hear whose it is. */
  #answer(packet: IncomingIpv6, solicitation: NeighbourSolicitation): DropReason | undefined {
    if (!this.#addressing.isOwn(solicitation.target)) return 'ndp-not-local';
    const peer = peerOf(packet, solicitation);
    const advertisement = {
      kind: 'neighbour-advertisement',
      isRouter: this.#onSolicitation !== undefined,
      isSolicited: peer !== undefined,
      isOverride: true,
      target: this.#addressing.linkLocal,
      targetMac: this.#output.mac,
    } as const;
    this.#send(advertisement, peer ?? EVERYBODY);
    return undefined;
  }

  #send(message: NdpMessage, { address, mac }: NdpPeer): void {
    const out = new Uint8Array(ROOM);
    const packet = { source: this.#addressing.linkLocal, destination: address, hopLimit: NDP_HOP_LIMIT, mac };
    this.#output.sendIcmpv6(packet, out.subarray(0, emitNdp(message, out, 0)));
  }
}

function peerOf(
  { ip, sourceMac }: IncomingIpv6,
  solicitation: NeighbourSolicitation | RouterSolicitation,
): NdpPeer | undefined {
  return isUnspecifiedIpv6(ip.source) ? undefined : { address: ip.source, mac: solicitation.sourceMac ?? sourceMac };
}

/** IPv6 on the way out: header and link address of what fits into one packet; a source fragments (RFC 8200, 4.5), and this one does not. */
import type { DropSink } from '../link/drops.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV6, emitEthernet } from '../wire/ethernet.ts';
import { sealIcmpv6 } from '../wire/icmpv6.ts';
import { emitIpv6, IPV6_HEADER_LENGTH, ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { Transmitter } from './transmitter.ts';

/** A packet as the protocols above see it. */
export interface OutgoingIpv6 {
  readonly source: Ipv6;
  readonly destination: Ipv6;
  readonly hopLimit: number;
  /** The receiver's link address: that of the group, or of the neighbour that is answered. */
  readonly mac: Mac;
}

export class Ipv6Output {
  readonly #transmitter: Transmitter;
  readonly #drops: DropSink;
  readonly #mtu: number;

  constructor(mtu: number, transmitter: Transmitter, drops: DropSink) {
    this.#mtu = mtu;
    this.#transmitter = transmitter;
    this.#drops = drops;
  }

  get mac(): Mac {
    return this.#transmitter.mac;
  }

  /** Sends a message that is complete but for its checksum, which is written into it. */
  sendIcmpv6(packet: OutgoingIpv6, message: Uint8Array): void {
    const { length } = message;
    sealIcmpv6(message, 0, length, ipv6PseudoHeaderSum(packet.source, packet.destination, NEXT_HEADER_ICMPV6, length));
    this.#send(packet, NEXT_HEADER_ICMPV6, message);
  }

  #send(packet: OutgoingIpv6, nextHeader: number, payload: Uint8Array): void {
    const length = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + payload.length;
    if (IPV6_HEADER_LENGTH + payload.length > this.#mtu) {
      this.#drops.dropped('ipv6-too-big', batchOf([payload]), 0, 1);
      return;
    }
    this.#transmitter.during(() => {
      const start = this.#transmitter.reserve(length);
      const out = this.#transmitter.bytes;
      const header = { ...packet, payloadLength: payload.length, nextHeader };
      out.set(
        payload,
        emitIpv6(header, out, emitEthernet(out, start, packet.mac, this.#transmitter.mac, ETHERTYPE_IPV6)),
      );
      this.#transmitter.commit(start, length);
    });
  }
}

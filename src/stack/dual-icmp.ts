/** The ICMP of both families for those who translate conversations: an address or a packet says which one speaks. */
import type { Icmp } from './icmp.ts';
import type { EchoReply, IcmpError, IcmpLayer, OnTransitEcho } from './icmp-layer.ts';
import type { Icmpv6 } from './icmpv6.ts';

export class DualIcmp implements IcmpLayer {
  readonly #ipv4: Icmp;
  readonly #ipv6: Icmpv6;

  constructor(ipv4: Icmp, ipv6: Icmpv6) {
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  onTransitEcho(handler: OnTransitEcho | undefined): void {
    this.#ipv4.onTransitEcho(handler);
    this.#ipv6.onTransitEcho(handler);
  }

  replyEcho(reply: EchoReply): void {
    if (reply.to.length === 4) this.#ipv4.replyEcho(reply);
    else this.#ipv6.replyEcho(reply);
  }

  report(error: IcmpError, packet: Uint8Array, reporter?: Uint8Array): void {
    if (packet[0]! >>> 4 === 4) this.#ipv4.report(error, packet, reporter);
    else this.#ipv6.report(error, packet, reporter);
  }
}

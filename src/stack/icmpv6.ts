/** ICMPv6 as a node speaks it, RFC 4443: answers echo requests, hands neighbour discovery on. Errors are neither sent nor heeded. */
import type { DropReason, DropSink } from '../link/drops.ts';
import {
  emitIcmpv6,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_HEADER_LENGTH,
  Icmpv6View,
  isIcmpv6Error,
} from '../wire/icmpv6.ts';
import { ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import { isUnspecifiedIpv6 } from '../wire/ipv6-address.ts';
import { isNdpType } from '../wire/ndp.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import type { IncomingIpv6, Ipv6Protocol } from './ipv6-input.ts';
import type { Ipv6Output } from './ipv6-output.ts';
import type { Ndp } from './ndp.ts';

/** RFC 1700: the default, as for IPv4. */
const HOP_LIMIT = 64;

export class Icmpv6 implements Ipv6Protocol {
  readonly #addressing: Ipv6Addressing;
  readonly #output: Ipv6Output;
  readonly #ndp: Ndp;
  readonly #drops: DropSink;
  readonly #message = new Icmpv6View();

  constructor(addressing: Ipv6Addressing, output: Ipv6Output, ndp: Ndp, drops: DropSink) {
    this.#addressing = addressing;
    this.#output = output;
    this.#ndp = ndp;
    this.#drops = drops;
  }

  receive(packet: IncomingIpv6): void {
    const { batch, index, ip } = packet;
    const { payloadStart, payloadEnd } = ip;
    const sum = ipv6PseudoHeaderSum(ip.source, ip.destination, NEXT_HEADER_ICMPV6, payloadEnd - payloadStart);
    const defect = this.#message.bind(batch.bytes, payloadStart, payloadEnd, sum);
    const reason =
      defect === undefined
        ? this.#handle(packet)
        : defect === 'bad-checksum'
          ? 'icmpv6-bad-checksum'
          : 'icmpv6-malformed';
    if (reason !== undefined) this.#drops.dropped(reason, batch, index, index + 1);
  }

  /** Acts on the message; says why where it was not taken. */
  #handle(packet: IncomingIpv6): DropReason | undefined {
    const { type } = this.#message;
    if (isNdpType(type)) return this.#ndp.receive(packet);
    if (type === ICMPV6_ECHO_REQUEST) return this.#answerEcho(packet);
    return isIcmpv6Error(type) || type === ICMPV6_ECHO_REPLY ? 'icmpv6-unmatched' : 'icmpv6-unknown-type';
  }

  /** RFC 4443, 4.2: who asked a group hears the one address that we have. */
  #answerEcho({ batch, ip, sourceMac }: IncomingIpv6): DropReason | undefined {
    if (isUnspecifiedIpv6(ip.source)) return 'ipv6-bad-source';
    const body = batch.bytes.subarray(this.#message.bodyStart, this.#message.bodyEnd);
    const reply = new Uint8Array(ICMPV6_HEADER_LENGTH + body.length);
    reply.set(body, emitIcmpv6(ICMPV6_ECHO_REPLY, reply, 0));
    const source = this.#addressing.linkLocal;
    this.#output.sendIcmpv6({ source, destination: ip.source, hopLimit: HOP_LIMIT, mac: sourceMac }, reply);
    return undefined;
  }
}

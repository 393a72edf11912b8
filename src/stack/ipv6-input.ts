/** IPv6 on the way in: what is acceptable, what is ours, and on to the protocol above. */
import type { DropReason, DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf } from '../link/frame-batch.ts';
import { ETHERNET_HEADER_LENGTH, ETHERNET_SOURCE } from '../wire/ethernet.ts';
import { Ipv6View } from '../wire/ipv6.ts';
import { isMulticastIpv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import { isGroupMac, readMac } from '../wire/mac.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';

/** A packet that is for us; one object, re-bound per packet. What is needed of it is read before anything is sent. */
export interface IncomingIpv6 {
  readonly batch: FrameBatch;
  readonly index: number;
  readonly ip: Ipv6View;
  /**
   * Who put it on the LAN. Our addresses and groups are those of the link, and no router forwards packets to them (RFC 4291,
   * 2.5.6), so this is the neighbour that sent it, and an answer goes back there.
   */
  readonly sourceMac: Mac;
}

/** What takes the packets of one next header. */
export interface Ipv6Protocol {
  receive(packet: IncomingIpv6): void;
}

export class Ipv6Input {
  readonly #addressing: Ipv6Addressing;
  readonly #drops: DropSink;
  readonly #protocols: ReadonlyMap<number, Ipv6Protocol>;
  readonly #ip = new Ipv6View();
  readonly #packet = { batch: batchOf([]), index: 0, ip: this.#ip, sourceMac: 0 };

  constructor(addressing: Ipv6Addressing, drops: DropSink, protocols: ReadonlyMap<number, Ipv6Protocol>) {
    this.#addressing = addressing;
    this.#drops = drops;
    this.#protocols = protocols;
  }

  /** Takes frame `index`, whose EtherType is IPv6. */
  receive(batch: FrameBatch, index: number): void {
    const start = batch.starts[index]!;
    const reason = this.#refuse(batch, index);
    const protocol = reason === undefined ? this.#protocols.get(this.#ip.nextHeader) : undefined;
    if (protocol === undefined) {
      this.#drops.dropped(reason ?? 'ipv6-unknown-next-header', batch, index, index + 1);
      return;
    }
    this.#packet.batch = batch;
    this.#packet.index = index;
    this.#packet.sourceMac = readMac(batch.bytes, start + ETHERNET_SOURCE);
    protocol.receive(this.#packet);
  }

  /** Binds the view; says why where the packet is not for us. */
  #refuse(batch: FrameBatch, index: number): DropReason | undefined {
    const start = batch.starts[index]!;
    const ip = this.#ip;
    const defect = ip.bind(batch.bytes, start + ETHERNET_HEADER_LENGTH, batch.ends[index]!);
    if (defect !== undefined) return defect === 'bad-value' ? 'ipv6-unknown-option' : 'ipv6-malformed';
    const { source, destination } = ip;
    // RFC 4291, 2.7: a group is no source. Our own words come back only by a loop.
    if (isMulticastIpv6(source) || this.#addressing.isOwn(source)) return 'ipv6-bad-source';
    if (isGroupMac(readMac(batch.bytes, start + ETHERNET_SOURCE))) return 'ipv6-bad-source';
    const isLocal = this.#addressing.isOwn(destination) || this.#addressing.isJoined(destination);
    return isLocal ? undefined : 'ipv6-not-local';
  }
}

/**
 * A station's own TCP/IP: what a gateway, a service or a machine written in TypeScript has between itself and a LAN.
 *
 * Theory of operation. A stack is a `Port`: frames come in batches through `push`, and what it sends leaves through the attached
 * receiver. Each frame is judged once, on views that move over the batch, and either has an effect or is dropped by name; work that
 * a batch causes is sent as one push at its end.
 *
 *     push ── arp ── neighbours ─┐                      transmitter collects frames, one push per piece of work
 *        ├─── ipv4-input ── reassembly                  addressing  knows whose address is whose
 *        │         └── icmp, udp, tcp/ ── ipv4-network ── ipv4-output ── neighbours ── transmitter
 *        └─── ipv6-input ── reassembly
 *                  └── icmpv6, udp, tcp/, ndp, mld ── ipv6-network ── ipv6-output ── neighbours ── transmitter
 *
 * UDP and TCP know addresses as octets and IP as an `IpNetwork`, one per family.
 *
 * Who owns what: `Addressing` and `Ipv6Addressing` the addresses, `Neighbours` the packets that wait for a MAC, `Reassembly` the
 * fragments, `Udp` the listeners, `Tcp` the connections, `Icmp` the pings. Every table and queue has a limit; a guest can make the stack forget or drop,
 * never grow or throw.
 *
 * A router's interface asks its `Forwarder` about what is for others: it leaves by some interface's `TransitOutput`. A stack that takes
 * transit ends what is left for hosts off the link itself: those who attach to the layers (`onUnclaimed`, `onTransitEcho`) carry the
 * conversations on by other means.
 *
 * What is left out: options of IPv4 are skipped (source routes are never followed), multicast is sent but not received (level 1 of
 * RFC 1112), a packet to the station itself is not looped back, and paths of IPv4 narrower than the network's MTU are known to TCP
 * only, as far as ICMP tells (other packets leave without DF, so a router may cut them). Of IPv6 `PathMtu` knows them for all.
 */
import type { Random } from '../base/chance.ts';
import { Counters } from '../base/counters.ts';
import type { Scheduler } from '../base/time.ts';
import type { DropReason, DropSink } from '../link/drops.ts';
import type { FrameBatch } from '../link/frame-batch.ts';
import type { Port, PortReceiver } from '../link/port.ts';
import { ETHERNET_TYPE, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_VLAN } from '../wire/ethernet.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, takeHop } from '../wire/ipv4.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { NEXT_HEADER_ICMPV6, takeIpv6Hop } from '../wire/ipv6.ts';
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import { BROADCAST_MAC, readMac } from '../wire/mac.ts';
import { readUint16 } from '../wire/octets.ts';
import type { AddressingConfig } from './addressing.ts';
import { Addressing } from './addressing.ts';
import type { AddressResolution } from './arp.ts';
import { Arp } from './arp.ts';
import { DualIcmp } from './dual-icmp.ts';
import type { Ipv4Forwarder, Ipv6Forwarder } from './forwarder.ts';
import { Icmp } from './icmp.ts';
import type { IcmpLayer } from './icmp-layer.ts';
import { Icmpv6 } from './icmpv6.ts';
import type { IpNetwork } from './ip-network.ts';
import type { IpProtocol } from './ip-packet.ts';
import { Ipv4Input } from './ipv4-input.ts';
import { Ipv4Network } from './ipv4-network.ts';
import { Ipv4Output } from './ipv4-output.ts';
import type { Ipv6AddressingConfig } from './ipv6-addressing.ts';
import { Ipv6Addressing } from './ipv6-addressing.ts';
import { Ipv6Input } from './ipv6-input.ts';
import { Ipv6Network } from './ipv6-network.ts';
import { Ipv6Output } from './ipv6-output.ts';
import { Mld } from './mld.ts';
import type { NeighbourDiscovery } from './ndp.ts';
import { Ndp, PROBE_DELAY } from './ndp.ts';
import { Neighbours } from './neighbours.ts';
import { PathMtu } from './path-mtu.ts';
import type { PingOptions, PingResult } from './pings.ts';
import { Tcp } from './tcp/tcp.ts';
import type { TcpLayer } from './tcp-layer.ts';
import { TransitOutput } from './transit-output.ts';
import { Transmitter } from './transmitter.ts';
import { Udp } from './udp.ts';
import type { UdpLayer } from './udp-layer.ts';

export interface StackOptions {
  readonly mac: Mac;
  /** Octets of an IP packet, 68 and more. */
  readonly mtu: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The stack is a router's: it takes conversations with hosts off the link, which its layers hand to their transit handlers. */
  readonly takesTransit?: boolean;
  /** Where drops are counted; counters of its own where undefined. */
  readonly drops?: Counters;
}

export interface StackAddresses extends AddressingConfig {
  /** Undefined: those of IPv6 stay as they are, which at first is the link-local one that the MAC makes. */
  readonly ipv6?: Ipv6AddressingConfig | undefined;
}

export class Stack implements Port, DropSink {
  readonly mac: Mac;
  readonly mtu: number;
  readonly takesTransit: boolean;
  /** What was not taken or not sent, by `DropReason`. */
  readonly drops: Counters;
  readonly udp: UdpLayer;
  readonly icmp: IcmpLayer;
  /** Where packets leave that a router forwards to this link. */
  readonly transit: TransitOutput<Ipv4>;
  /** The same of IPv6, with hops by `ipv6Key`. */
  readonly ipv6Transit: TransitOutput<string>;
  readonly #transmitter: Transmitter;
  readonly #addressing = new Addressing();
  readonly #networks: readonly IpNetwork[];
  readonly #arp: Arp;
  readonly #icmp: Icmp;
  readonly #tcp: Tcp;
  readonly #ipv4: Ipv4Input;
  #receiver: PortReceiver | undefined;
  readonly #ipv6Addressing: Ipv6Addressing;
  /** By `ipv6Key`. */
  readonly #ipv6Neighbours: Neighbours<string>;
  readonly #ndp: Ndp;
  readonly #mld: Mld;
  readonly #icmpv6: Icmpv6;
  readonly #ipv6: Ipv6Input;

  constructor({ mac, mtu, scheduler, random, takesTransit = false, drops = new Counters() }: StackOptions) {
    this.mac = mac;
    this.mtu = mtu;
    this.takesTransit = takesTransit;
    this.drops = drops;
    this.#transmitter = new Transmitter(mac);
    this.#arp = new Arp(scheduler, this.#transmitter, this.#addressing, this, (frames) =>
      this.#icmp.nextHopUnreachable(frames),
    );
    this.transit = new TransitOutput(mtu, this.#transmitter, this.#arp.neighbours, takeHop);
    const output = new Ipv4Output(mtu, random, this.#transmitter, this.#addressing, this.#arp.neighbours, this);
    this.#icmp = new Icmp(scheduler, random, this.#addressing, output, this);
    const ipv4Network = new Ipv4Network({
      mtu,
      transmitter: this.#transmitter,
      addressing: this.#addressing,
      neighbours: this.#arp.neighbours,
      output,
      icmp: this.#icmp,
      drops: this,
    });

    this.#ipv6Addressing = new Ipv6Addressing(mac);
    this.#ipv6Neighbours = new Neighbours(scheduler, this.#transmitter, this, {
      probeDelay: PROBE_DELAY,
      solicit: (key, lastKnown) => this.#ndp.solicit(key, lastKnown),
      unreachable: (_key, frames) => this.#icmpv6.nextHopUnreachable(frames),
    });
    this.ipv6Transit = new TransitOutput(mtu, this.#transmitter, this.#ipv6Neighbours, takeIpv6Hop);
    const shared = {
      mtu,
      scheduler,
      random,
      transmitter: this.#transmitter,
      addressing: this.#ipv6Addressing,
      neighbours: this.#ipv6Neighbours,
      pathMtu: new PathMtu(scheduler, mtu),
      drops: this,
    };
    const ipv6Output = new Ipv6Output(shared);
    this.#ndp = new Ndp(scheduler, mac, this.#ipv6Addressing, this.#ipv6Neighbours, ipv6Output);
    this.#mld = new Mld(scheduler, random, this.#ipv6Addressing, ipv6Output);
    this.#icmpv6 = new Icmpv6({ ...shared, output: ipv6Output, ndp: this.#ndp, mld: this.#mld });
    const ipv6Network = new Ipv6Network({ ...shared, output: ipv6Output, icmp: this.#icmpv6 });

    this.icmp = new DualIcmp(this.#icmp, this.#icmpv6);
    this.#networks = [ipv4Network, ipv6Network];
    const udp = new Udp(random, this.#networks, this);
    this.udp = udp;
    this.#tcp = new Tcp({
      scheduler,
      random,
      transmitter: this.#transmitter,
      networks: this.#networks,
      drops: this,
      queuedTowards: (to) => this.#receiver?.egress?.queuedTowards(to) ?? 0,
    });
    const above: readonly [number, IpProtocol][] = [
      [PROTOCOL_UDP, udp],
      [PROTOCOL_TCP, this.#tcp],
    ];
    const aboveIpv4 = new Map([[PROTOCOL_ICMP, this.#icmp], ...above]);
    this.#ipv4 = new Ipv4Input(scheduler, this.#addressing, this, this.#icmp, aboveIpv4, takesTransit);
    const aboveIpv6 = new Map([[NEXT_HEADER_ICMPV6, this.#icmpv6], ...above]);
    this.#ipv6 = new Ipv6Input(scheduler, this.#ipv6Addressing, this, this.#icmpv6, aboveIpv6, takesTransit);
  }

  /** Takes these addresses and gives up all others, of IPv4; and of IPv6 where it says some. */
  configure(config: StackAddresses): void {
    this.#arp.neighbours.clear();
    this.#addressing.configure(config);
    if (config.ipv6 !== undefined) this.configureIpv6(config.ipv6);
  }

  /** Takes these IPv6 addresses and gives up all others of IPv6. */
  configureIpv6(config: Ipv6AddressingConfig): void {
    this.#ipv6Neighbours.clear();
    this.#ipv6Addressing.configure(config);
    this.#mld.start();
  }

  /** Hears what comes for an IPv6 group, until it is left. */
  joinGroup(group: Ipv6): void {
    this.#ipv6Addressing.join(group);
  }

  leaveGroup(group: Ipv6): void {
    this.#ipv6Addressing.leave(group);
  }

  /** The stack is an interface of a router from now on, in each family; of none where undefined. */
  forwardBy(ipv4: Ipv4Forwarder | undefined, ipv6: Ipv6Forwarder | undefined): void {
    this.#addressing.forwarder = ipv4;
    this.#ipv6Addressing.forwardBy(ipv6);
  }

  /** The address is on the link, or in a network to which a router of the link leads. */
  leadsTo(address: Uint8Array): boolean {
    return this.#networkOf(address)?.leadsTo(address) === true;
  }

  /** The same, or in a network that is reached by another interface of the router. */
  isInside(address: Uint8Array): boolean {
    return this.#networkOf(address)?.isInside(address) === true;
  }

  /** The station has the address, on this link or, as a router, on another. */
  isOurs(address: Uint8Array): boolean {
    return this.#networkOf(address)?.isOurs(address) === true;
  }

  #networkOf({ length }: Uint8Array): IpNetwork | undefined {
    return this.#networks.find(({ addressLength }) => addressLength === length);
  }

  /** The first IPv4 address; undefined while there is none. */
  get interface(): Ipv4Interface | undefined {
    return this.#addressing.interface;
  }

  /** The first configured IPv6 address; undefined while there is none but the link-local one. */
  get ipv6Interface(): Ipv6Interface | undefined {
    return this.#ipv6Addressing.interface;
  }

  get arp(): AddressResolution {
    return this.#arp;
  }

  get tcp(): TcpLayer {
    return this.#tcp;
  }

  /** Tells the sender of a forwarded packet (a whole frame) that nobody has its next hop. */
  hostUnreachable(frame: Uint8Array): void {
    const isIpv6 = readUint16(frame, ETHERNET_TYPE) === ETHERTYPE_IPV6;
    this.#transmitter.during(() => (isIpv6 ? this.#icmpv6 : this.#icmp).hostUnreachable(frame));
  }

  get ndp(): NeighbourDiscovery {
    return this.#ndp;
  }

  /** Asks `to` for an echo; `on` hears exactly one result, which may be before the call returns. */
  ping(to: Ipv4 | Ipv6, options: PingOptions, on: (result: PingResult) => void): void {
    if (typeof to === 'number') this.#icmp.ping(to, options, on);
    else this.#icmpv6.ping(to, options, on);
  }

  get queued(): number {
    return 0;
  }

  attach(receiver: PortReceiver): void {
    this.#receiver = receiver;
    this.#transmitter.attach(receiver);
  }

  detach(): void {
    this.#receiver = undefined;
    this.#transmitter.attach(undefined);
  }

  /** A machine on the LAN can take frames again. */
  roomElsewhere(): void {
    this.#tcp.resume();
  }

  push(batch: FrameBatch, first: number, end: number): void {
    this.#transmitter.during(() => {
      for (let i = first; i < end; i++) this.#receive(batch, i);
      this.#tcp.endBatch();
      this.#addressing.forwarder?.endBatch();
      this.#ipv6Addressing.forwarder?.endBatch();
    });
  }

  #receive(batch: FrameBatch, index: number): void {
    const at = batch.starts[index]!;
    const to = readMac(batch.bytes, at);
    if (to !== this.mac && to !== BROADCAST_MAC && !this.#ipv6Addressing.hears(to)) {
      this.dropped('not-for-us', batch, index, index + 1);
      return;
    }
    switch (readUint16(batch.bytes, at + ETHERNET_TYPE)) {
      case ETHERTYPE_IPV4:
        this.#ipv4.receive(batch, index);
        return;
      case ETHERTYPE_ARP:
        this.#arp.receive(batch, index);
        return;
      case ETHERTYPE_IPV6:
        this.#ipv6.receive(batch, index);
        return;
      case ETHERTYPE_VLAN:
        this.dropped('vlan-tagged', batch, index, index + 1);
        return;
      default:
        this.dropped('unknown-ethertype', batch, index, index + 1);
    }
  }

  dropped(reason: DropReason, _batch: FrameBatch, first: number, end: number): void {
    this.drops.add(reason, end - first);
  }
}

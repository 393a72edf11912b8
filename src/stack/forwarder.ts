/** What a stack asks of a router that it is an interface of. One forwarder is one interface of the router in one family, and belongs to one stack. */
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import type { IncomingIpv4 } from './ipv4-input.ts';
import type { IncomingIpv6 } from './ipv6-input.ts';

/** What became of a packet for another host, in either family. */
export type ForwardingVerdict =
  /** It leaves by one of the interfaces. */
  | 'forwarded'
  /** No route leads there, or none but a default route, and this interface has a way out of its own. */
  | 'no-route'
  /** It must not be fragmented, and the next network takes only packets of so many octets. */
  | { readonly mtu: number };

export type Ipv4ForwardingVerdict =
  | ForwardingVerdict
  | 'ttl-exceeded'
  /** It is for everybody on one of the networks: never forwarded (RFC 2644). */
  | 'directed-broadcast'
  /** RFC 1812, 5.3.7: everybody on one of the networks cannot have sent it. */
  | 'bad-source'
  /** RFC 3927, 2.7: what is link-local is never forwarded. */
  | 'link-local'
  /** It names the routers of its way itself: never followed, as hosts that decide so are not trusted (RFC 1812, 5.2.4.1 lets a router refuse). */
  | 'source-route';

export type Ipv6ForwardingVerdict = ForwardingVerdict | 'hop-limit-exceeded';

interface Forwarder<Address, Packet, Verdict> {
  /** Judges a packet for another host that came in here; what is forwarded leaves when the batch ends. */
  forward(packet: Packet): Verdict;
  /** The frames of a push are over. */
  endBatch(): void;
  /** Sends a whole frame of the stack's own, whose destination is not reached by its link, as if it had been forwarded; false where no route leads there. */
  send(frame: Uint8Array): boolean;
  /** Nobody on this link has the next hop of a packet (a whole frame), which is not one of the stack's own. */
  undeliverable(frame: Uint8Array): void;
  /** The router has the address at another interface. */
  isOwn(address: Address): boolean;
  /** Who on this link takes packets for an address off the link. */
  nextHop(destination: Address): Address | undefined;
  /** The address lies in a network to which a router of this link leads. */
  isBehind(address: Address): boolean;
  /** The address lies in a network to which a route leads, by whatever interface; a default route leads nowhere in particular. */
  isInside(address: Address): boolean;
}

export type Ipv4Forwarder = Forwarder<Ipv4, IncomingIpv4, Ipv4ForwardingVerdict>;

/** What is link-local does not come this far. */
export interface Ipv6Forwarder extends Forwarder<Ipv6, IncomingIpv6, Ipv6ForwardingVerdict> {
  /** The router has the address that lies at `at`. */
  isOwn(bytes: Uint8Array, at?: number): boolean;
}

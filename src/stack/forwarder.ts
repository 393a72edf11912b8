/** What a stack asks of a router that it is an interface of. One forwarder is one interface of the router, and belongs to one stack. */
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { IncomingIpv4 } from './ipv4-input.ts';

/** What became of a packet for another host. */
export type ForwardingVerdict =
  /** It leaves by one of the interfaces. */
  | 'forwarded'
  /** No route leads there, or none but a default route, and this interface has a way out of its own. */
  | 'no-route'
  | 'ttl-exceeded'
  /** It is for everybody on one of the networks: never forwarded (RFC 2644). */
  | 'directed-broadcast'
  /** RFC 1812, 5.3.7: everybody on one of the networks cannot have sent it. */
  | 'bad-source'
  /** RFC 3927, 2.7: what is link-local is never forwarded. */
  | 'link-local'
  /** It names the routers of its way itself: never followed, as hosts that decide so are not trusted (RFC 1812, 5.2.4.1 lets a router refuse). */
  | 'source-route'
  /** It must not be fragmented, and the next network takes only packets of so many octets. */
  | { readonly mtu: number };

export interface Forwarder {
  /** Judges a packet for another host that came in here; what is forwarded leaves when the batch ends. */
  forward(packet: IncomingIpv4): ForwardingVerdict;
  /** The frames of a push are over. */
  endBatch(): void;
  /** Sends a whole frame of the stack's own, whose destination is not reached by its link, as if it had been forwarded; false where no route leads there. */
  send(frame: Uint8Array): boolean;
  /** Nobody on this link has the next hop of a packet (a whole frame), which is not one of the stack's own. */
  undeliverable(frame: Uint8Array): void;
  /** The router has the address at another interface. */
  isOwn(address: Ipv4): boolean;
  /** Who on this link takes packets for an address off the link. */
  nextHop(destination: Ipv4): Ipv4 | undefined;
  /** The address lies in a network to which a router of this link leads. */
  isBehind(address: Ipv4): boolean;
  /** The address lies in a network to which a route leads, by whatever interface; a default route leads nowhere in particular. */
  isInside(address: Ipv4): boolean;
}

/**
 * What UDP and TCP need of IP, once per family.
 *
 * Addresses are octets, 4 or 16. TCP sends in flights: `begin` looks up where the next segments go, once, and what they are written into
 * belongs to TCP; nothing here is allocated per segment.
 */
import type { Mac } from '../wire/mac.ts';
import type { AddressLength, IncomingPacket } from './ip-packet.ts';

/** Why a packet does not arrive: codes 0, 1, 3 and 13 of ICMP's destination unreachable, 0, 3, 4 and 1 of ICMPv6's. */
export type Unreachable = 'network' | 'host' | 'port' | 'prohibited';

/** A packet as the protocols above see it. */
export interface OutgoingPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  /** The receiver's link address where it is known already: no neighbour is asked. */
  readonly mac?: Mac | undefined;
  /** Time to live, hop limit; the default where undefined. */
  readonly ttl?: number | undefined;
}

/** An error about a packet that this stack sent: its addresses, and what is quoted of its payload at [start, end) of `bytes`. */
export interface ReportedError {
  /** `too-long`: the path takes `mtu` octets (RFC 1191, RFC 8201). */
  readonly kind: 'unreachable' | 'too-long' | 'other';
  /** Not below what every path of the family takes; 0 where the error is another. */
  readonly mtu: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Says whether the error was about something that it sent. */
export type OnReportedError = (error: ReportedError) => boolean;

export interface IpNetwork {
  readonly addressLength: AddressLength;
  /** Octets of a header without options. */
  readonly headerLength: number;
  /** Octets of a packet that the link takes. */
  readonly mtu: number;
  /** Octets of the longest payload, which may leave in fragments. */
  readonly maxPayload: number;
  /** Octets of a packet that the path to `destination` takes, as far as is known. */
  mtuTowards(destination: Uint8Array): number;
  /** The source for a packet: `wanted` where it is one of ours, else the one that suits. */
  sourceFor(destination: Uint8Array, wanted?: Uint8Array): Uint8Array;
  /** Sends a packet, its payload in two parts, in fragments where the path takes no more; false where no route leads to its destination. */
  send(packet: OutgoingPacket, head: Uint8Array, body: Uint8Array): boolean;
  /** Tells the packet's sender that it cannot be delivered, and why. */
  unreachable(why: Unreachable, packet: IncomingPacket): void;
  /** The same of a packet that was kept: its octets from the IP header on, of which as many are quoted as are given. */
  unreachableKept(why: Unreachable, packet: Uint8Array): void;
  /** Hands errors about packets of `protocol` to `handler`. */
  onError(protocol: number, handler: OnReportedError): void;

  /** The address is on the link, or in a network to which a router of the link leads. */
  leadsTo(address: Uint8Array): boolean;
  /** The same, or in a network that is reached by another interface of the router. */
  isInside(address: Uint8Array): boolean;
  /** The station has the address, on this link or, as a router, on another. */
  isOurs(address: Uint8Array): boolean;

  /** Begins a flight of segments to the address that `ends` starts with; the MAC they go to, or undefined where it must be asked for first. */
  begin(ends: Uint8Array): Mac | undefined;
  /** Some way leads to where the flight goes. */
  readonly hasRoute: boolean;
  /**
   * Writes Ethernet and IP headers of a TCP segment of `length` octets, never to be fragmented, from the second address of `ends` to the
   * first; `addressSum` is that of their words.
   */
  emitSegmentHeader(out: Uint8Array, at: number, mac: Mac, ends: Uint8Array, addressSum: number, length: number): void;
  /** A frame of the flight waits for the MAC, or is dropped where no way leads there. */
  wait(frame: Uint8Array): void;
}

/** The network of a family; throws where the stack has none, which is its owner's mistake. */
export function networkOf(networks: readonly IpNetwork[], addressLength: number): IpNetwork {
  const network = networks.find((other) => other.addressLength === addressLength);
  if (network === undefined) throw new RangeError(`this stack has no addresses of ${addressLength} octets`);
  return network;
}

/**
 * ICMP errors that the host heard, told to the guest whose packet they are about (RFC 5508, 4.2; RFC 4787, 9).
 *
 * The host tells what was sent, not the packet: the guest's own is built again, with its addresses and ports, so that the guest finds
 * the socket that the error is for. Who reports it stays who it was, but for the host itself, whose place the router has.
 */
import type { HostIcmpError } from '../base/host-net.ts';
import type { Stack } from '../stack/stack.ts';
import { ICMPV4_PARAMETER_PROBLEM, ICMPV4_TIME_EXCEEDED, ICMPV4_UNREACHABLE } from '../wire/icmpv4.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, PROTOCOL_UDP, pseudoHeaderSum } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { emitUdp, UDP_HEADER_LENGTH } from '../wire/udp.ts';

/** A packet that a guest sent, as far as it is known. */
export interface GuestPacket {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  /** From the header of the protocol on. */
  readonly payload: Uint8Array;
  /** Octets of the whole payload. */
  readonly length: number;
}

/** Tells the guest; false where the error is of a kind that says nothing about the packet (RFC 1812, 5.2.7.2 and RFC 6633). */
export function reportToGuest(stack: Stack, error: HostIcmpError, packet: GuestPacket): boolean {
  if (!isAboutPacket(error.type)) return false;
  const quote = new Uint8Array(IPV4_HEADER_LENGTH + packet.payload.length);
  const header = {
    totalLength: Math.min(IPV4_HEADER_LENGTH + packet.length, IPV4_MAX_LENGTH),
    identification: 0,
    dontFragment: error.mtu > 0,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 1,
    protocol: packet.protocol,
    source: packet.source,
    destination: packet.destination,
  };
  quote.set(packet.payload, emitIpv4(header, quote, 0));
  stack.icmp.report(error, quote, reporterOf(error, stack));
  return true;
}

/** The UDP datagram of a guest with what is known of its payload. */
export function guestDatagram(
  source: Ipv4,
  sourcePort: number,
  destination: Ipv4,
  destinationPort: number,
  payload: Uint8Array,
): GuestPacket {
  const length = UDP_HEADER_LENGTH + payload.length;
  const octets = new Uint8Array(length);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length);
  octets.set(payload, emitUdp({ sourcePort, destinationPort }, sum, payload, octets, 0));
  return { source, destination, protocol: PROTOCOL_UDP, payload: octets, length };
}

export function isLoopback(address: Uint8Array): boolean {
  return address[0] === 127;
}

function isAboutPacket(type: number): boolean {
  return type === ICMPV4_UNREACHABLE || type === ICMPV4_TIME_EXCEEDED || type === ICMPV4_PARAMETER_PROBLEM;
}

/** Undefined, which is the router itself, for the host and for who has an address that means somebody else in the lab. */
function reporterOf({ reporter }: HostIcmpError, stack: Stack): Uint8Array | undefined {
  if (reporter === undefined || reporter.length !== 4 || isLoopback(reporter)) return undefined;
  return stack.isInside(reporter) ? undefined : reporter;
}

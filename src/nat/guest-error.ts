/**
 * ICMP errors that the host heard, told to the guest whose packet they are about (RFC 5508, 4.2; RFC 4787, 9).
 *
 * The host tells what was sent, not the packet: the guest's own is built again, with its addresses and ports, so that the guest finds
 * the socket that the error is for. Who reports it stays who it was, but for the host itself, whose place the router has.
 */
import type { Endpoint } from '../base/endpoint.ts';
import type { HostIcmpError } from '../base/host-net.ts';
import { pseudoHeaderBetween } from '../stack/ip-packet.ts';
import type { Stack } from '../stack/stack.ts';
import { ICMPV4_PARAMETER_PROBLEM, ICMPV4_TIME_EXCEEDED, ICMPV4_UNREACHABLE } from '../wire/icmpv4.ts';
import { isIcmpv6Error } from '../wire/icmpv6.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { ipv4Of } from '../wire/ipv4-address.ts';
import { emitIpv6, IPV6_HEADER_LENGTH, IPV6_MAX_PAYLOAD } from '../wire/ipv6.ts';
import type { Ipv6Prefix } from '../wire/ipv6-address.ts';
import { emitUdp, UDP_HEADER_LENGTH } from '../wire/udp.ts';
import { translatedError } from './icmp-translation.ts';
import { isLoopback, shownAddress } from './shown-address.ts';

/** A packet that a guest sent, as far as it is known; its addresses are of one family, which is the guest's. */
export interface GuestPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  /** From the header of the protocol on. */
  readonly payload: Uint8Array;
  /** Octets of the whole payload. */
  readonly length: number;
}

/**
 * Tells the guest; false where the error is of a kind that says nothing about the packet (RFC 1812, 5.2.7.2 and RFC 6633), or has no
 * word in the guest's family.
 */
export function reportToGuest(stack: Stack, error: HostIcmpError, packet: GuestPacket, nat64?: Ipv6Prefix): boolean {
  const isOfGuestsFamily = error.to.address.length === packet.source.length;
  const told = isOfGuestsFamily ? error : translatedError(error);
  if (told === undefined || !isAboutPacket(told.type, packet.source.length)) return false;
  const { reporter } = error;
  const isHost = reporter === undefined || isLoopback(reporter);
  // The router itself speaks for who has an address that means somebody else in the lab.
  const from = isHost ? undefined : shownAddress(reporter, packet.source, stack, nat64);
  stack.icmp.report(told, packet.source.length === 4 ? ipv4Quote(told, packet) : ipv6Quote(packet), from);
  return true;
}

function ipv4Quote(
  { mtu }: HostIcmpError,
  { source, destination, protocol, payload, length }: GuestPacket,
): Uint8Array {
  const quote = new Uint8Array(IPV4_HEADER_LENGTH + payload.length);
  const header = {
    totalLength: Math.min(IPV4_HEADER_LENGTH + length, IPV4_MAX_LENGTH),
    identification: 0,
    dontFragment: mtu > 0,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 1,
    protocol,
    source: ipv4Of(source),
    destination: ipv4Of(destination),
  };
  quote.set(payload, emitIpv4(header, quote, 0));
  return quote;
}

function ipv6Quote({ source, destination, protocol, payload, length }: GuestPacket): Uint8Array {
  const quote = new Uint8Array(IPV6_HEADER_LENGTH + payload.length);
  const payloadLength = Math.min(length, IPV6_MAX_PAYLOAD);
  const header = { payloadLength, nextHeader: protocol, hopLimit: 1, source, destination };
  quote.set(payload, emitIpv6(header, quote, 0));
  return quote;
}

/** The UDP datagram of a guest with what is known of its payload. */
export function guestDatagram(guest: Endpoint, to: Endpoint, payload: Uint8Array): GuestPacket {
  const length = UDP_HEADER_LENGTH + payload.length;
  const octets = new Uint8Array(length);
  const { address: source, port: sourcePort } = guest;
  const { address: destination, port: destinationPort } = to;
  const sum = pseudoHeaderBetween(source, destination, PROTOCOL_UDP, length);
  octets.set(payload, emitUdp({ sourcePort, destinationPort }, sum, payload, octets, 0));
  return { source, destination, protocol: PROTOCOL_UDP, payload: octets, length };
}

function isAboutPacket(type: number, addressLength: number): boolean {
  if (addressLength !== 4) return isIcmpv6Error(type);
  return type === ICMPV4_UNREACHABLE || type === ICMPV4_TIME_EXCEEDED || type === ICMPV4_PARAMETER_PROBLEM;
}

/** A packet of either family as the protocols above IP see it. */
import { sumWords } from '../base/checksum.ts';
import type { FrameBatch } from '../link/frame-batch.ts';

/** Octets of an address: its family. */
export type AddressLength = 4 | 16;

/** A packet that is for us; one object per family, re-bound per packet. What is needed of it is read before anything is sent. */
export interface IncomingPacket {
  readonly batch: FrameBatch;
  readonly index: number;
  readonly addressLength: AddressLength;
  /** Where in the batch's bytes the source address lies; the destination lies behind it, in both headers. */
  readonly addressesAt: number;
  /** Where the IP header lies. */
  readonly start: number;
  /** Of the protocol above: behind options and extension headers. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Time to live, hop limit. */
  readonly ttl: number;
  /** Of IPv6: always. */
  readonly dontFragment: boolean;
  /** It went to more than one host, or to us in a frame that did: no error and no echo answers it (RFC 1122, 3.2.2; RFC 4443, 2.4). */
  readonly isGroup: boolean;
  /** It is for another host, off the link, and came to us as its router. */
  readonly isTransit: boolean;
}

/** What takes the packets of one protocol number. */
export interface IpProtocol {
  receive(packet: IncomingPacket): void;
}

/** A copy of the source address. */
export function sourceOf({ batch, addressesAt, addressLength }: IncomingPacket): Uint8Array {
  return batch.bytes.slice(addressesAt, addressesAt + addressLength);
}

/** A copy of the destination address. */
export function destinationOf({ batch, addressesAt, addressLength }: IncomingPacket): Uint8Array {
  return batch.bytes.slice(addressesAt + addressLength, addressesAt + 2 * addressLength);
}

/** The packet goes to this address, of whatever family. */
export function isTo(address: Uint8Array, { batch, addressesAt, addressLength }: IncomingPacket): boolean {
  if (address.length !== addressLength) return false;
  const at = addressesAt + addressLength;
  for (let i = 0; i < addressLength; i++) if (address[i] !== batch.bytes[at + i]) return false;
  return true;
}

/** The sum of the pseudo header that the checksum of the protocol above covers (RFC 768; RFC 8200, 8.1); `length` is that of its header and payload. */
export function pseudoHeaderOf(
  { batch, addressesAt, addressLength }: IncomingPacket,
  protocol: number,
  length: number,
): number {
  return sumWords(batch.bytes, addressesAt, addressesAt + 2 * addressLength, protocol + length);
}

/** The same of a packet that is to be sent. */
export function pseudoHeaderBetween(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  return sumWords(source, 0, source.length, sumWords(destination, 0, destination.length, protocol + length));
}

/**
 * Address Resolution Protocol for IPv4 over Ethernet, RFC 826; probes and announcements, RFC 5227.
 *
 *     octet  0          2          4      5      6      8            14           18           24           28
 *            +----------+----------+------+------+------+------------+------------+------------+------------+
 *            | hardware | protocol | hlen | plen | oper | sender MAC | sender IP  | target MAC | target IP  |
 *            | 1        | 0800     | 6    | 4    |      |            |            |            |            |
 *            +----------+----------+------+------+------+------------+------------+------------+------------+
 */
import type { Defect } from './defect.ts';
import { ETHERTYPE_IPV4 } from './ethernet.ts';
import type { Ipv4 } from './ipv4-address.ts';
import type { Mac } from './mac.ts';
import { readMac, writeMac } from './mac.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './octets.ts';

const HARDWARE_TYPE = 0;
const PROTOCOL_TYPE = 2;
const LENGTHS = 4;
const OPERATION = 6;
const SENDER_MAC = 8;
const SENDER_ADDRESS = 14;
const TARGET_MAC = 18;
const TARGET_ADDRESS = 24;
export const ARP_LENGTH = 28;

const HARDWARE_ETHERNET = 1;
/** Six octets of MAC, four of address. */
const LENGTHS_ETHERNET_IPV4 = 0x0604;
const REQUEST = 1;
const REPLY = 2;

export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  /** 0.0.0.0 in a probe, whose sender has no address yet (RFC 5227, 1.1). */
  readonly senderAddress: Ipv4;
  /** Means nothing in a request. */
  readonly targetMac: Mac;
  readonly targetAddress: Ipv4;
}

/** Reads bytes [start, end); what follows the message is link padding. */
export function parseArp(bytes: Uint8Array, start: number, end: number): ArpMessage | Defect {
  if (end - start < ARP_LENGTH) return 'truncated';
  const isEthernetIpv4 =
    readUint16(bytes, start + HARDWARE_TYPE) === HARDWARE_ETHERNET &&
    readUint16(bytes, start + PROTOCOL_TYPE) === ETHERTYPE_IPV4;
  if (!isEthernetIpv4) return 'bad-value';
  if (readUint16(bytes, start + LENGTHS) !== LENGTHS_ETHERNET_IPV4) return 'bad-length';
  const operation = readUint16(bytes, start + OPERATION);
  if (operation !== REQUEST && operation !== REPLY) return 'bad-value';
  return {
    operation: operation === REQUEST ? 'request' : 'reply',
    senderMac: readMac(bytes, start + SENDER_MAC),
    senderAddress: readUint32(bytes, start + SENDER_ADDRESS),
    targetMac: readMac(bytes, start + TARGET_MAC),
    targetAddress: readUint32(bytes, start + TARGET_ADDRESS),
  };
}

/** Writes the message; returns its end. */
export function emitArp(message: ArpMessage, out: Uint8Array, at: number): number {
  writeUint16(out, at + HARDWARE_TYPE, HARDWARE_ETHERNET);
  writeUint16(out, at + PROTOCOL_TYPE, ETHERTYPE_IPV4);
  writeUint16(out, at + LENGTHS, LENGTHS_ETHERNET_IPV4);
  writeUint16(out, at + OPERATION, message.operation === 'request' ? REQUEST : REPLY);
  writeMac(out, at + SENDER_MAC, message.senderMac);
  writeUint32(out, at + SENDER_ADDRESS, message.senderAddress);
  writeMac(out, at + TARGET_MAC, message.targetMac);
  writeUint32(out, at + TARGET_ADDRESS, message.targetAddress);
  return at + ARP_LENGTH;
}

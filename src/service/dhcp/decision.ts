/**
 * What a DHCP server does about a message, as a function of the leases, the message and the time: RFC 2131, 4.3.
 * Nothing happens here; `DhcpServer` carries the decision out.
 */
import type { DhcpMessage } from '../../wire/dhcp.ts';
import { ipv4Of, MESSAGE_TYPE, messageTypeOf, REQUESTED_ADDRESS, SERVER_IDENTIFIER } from '../../wire/dhcp-options.ts';
import type { Ipv4, Ipv4Interface } from '../../wire/ipv4-address.ts';
import { isOnLink } from '../../wire/ipv4-address.ts';
import { isGroupMac } from '../../wire/mac.ts';
import type { LeaseTable } from './leases.ts';

/** Why a message gets no answer; each is a counter's name. */
export type DhcpSilence =
  | 'dhcp-malformed'
  | 'dhcp-not-a-request'
  | 'dhcp-bootp'
  | 'dhcp-foreign-relay'
  | 'dhcp-other-server'
  | 'dhcp-pool-exhausted'
  | 'dhcp-unknown-client'
  | 'dhcp-unknown-lease'
  | 'dhcp-off-link';

export type Decision =
  | { readonly kind: 'offer' | 'ack'; readonly address: Ipv4 }
  | { readonly kind: 'nak'; readonly why: string }
  /** Answer with configuration only. */
  | { readonly kind: 'inform' }
  /** No record says that the client has this address: see whether somebody uses it, then decide anew. */
  | { readonly kind: 'probe'; readonly address: Ipv4 }
  /** The client took another server's offer. */
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'release'; readonly address: Ipv4 }
  | { readonly kind: 'decline'; readonly address: Ipv4 }
  | { readonly kind: 'silence'; readonly reason: DhcpSilence };

/** What a decision depends on besides the message. */
export interface Circumstances {
  readonly leases: LeaseTable;
  /** The server's own address and network. */
  readonly server: Ipv4Interface;
  /** Seconds since 1970. */
  readonly now: number;
  /** Addresses that another station is known to use, or that are being probed for another client. */
  isAvoided(address: Ipv4): boolean;
}

export function decide(message: DhcpMessage, circumstances: Circumstances): Decision {
  const { server } = circumstances;
  if (message.op !== 'request') return silence('dhcp-not-a-request');
  if (message.chaddr === 0 || isGroupMac(message.chaddr)) return silence('dhcp-malformed');
  // One network is served, so a relay on another one asks in vain.
  if (message.giaddr !== 0 && !isOnLink(server, message.giaddr)) return silence('dhcp-foreign-relay');
  if (!message.options.has(MESSAGE_TYPE)) return silence('dhcp-bootp');
  switch (messageTypeOf(message.options)) {
    case 'discover':
      return decideDiscover(message, circumstances);
    case 'request':
      return decideRequest(message, circumstances);
    case 'decline':
      return decideDecline(message, circumstances);
    case 'release':
      return decideRelease(message, circumstances);
    case 'inform':
      // RFC 2131, 4.3.5: the answer goes to ciaddr, which the client has by other means.
      return isOnLink(server, message.ciaddr) ? { kind: 'inform' } : silence('dhcp-off-link');
    default:
      return silence('dhcp-malformed');
  }
}

/** RFC 2131, 4.3.1. */
function decideDiscover(message: DhcpMessage, { leases, now, isAvoided }: Circumstances): Decision {
  const address = leases.choose(message.chaddr, ipv4Of(message.options, REQUESTED_ADDRESS), now, isAvoided);
  if (address === undefined) return silence('dhcp-pool-exhausted');
  return { kind: leases.find(message.chaddr)?.address === address ? 'offer' : 'probe', address };
}

/** RFC 2131, 4.3.2: the state of the client shows in which of option 54, option 50 and ciaddr it filled. */
function decideRequest(message: DhcpMessage, circumstances: Circumstances): Decision {
  const { server } = circumstances;
  const chosen = ipv4Of(message.options, SERVER_IDENTIFIER);
  const requested = ipv4Of(message.options, REQUESTED_ADDRESS);
  if (chosen !== undefined && chosen !== server.address) return { kind: 'withdraw' };
  const address = requested ?? message.ciaddr;
  if (address === 0) return silence('dhcp-malformed');
  if (!isOnLink(server, address)) return nak('the address is of another network');
  if (isGranted(address, message, circumstances)) return { kind: 'ack', address };
  const { leases, now, isAvoided } = circumstances;
  const isUnknown = leases.find(message.chaddr) === undefined;
  // The client may remember what the server lost with its records; an address that proves unused is given again.
  if (isUnknown && leases.isAvailable(address, message.chaddr, now) && !isAvoided(address))
    return { kind: 'probe', address };
  // INIT-REBOOT of a client without a record: another server may know it.
  if (isUnknown && chosen === undefined && requested !== undefined) return silence('dhcp-unknown-client');
  return nak('the address belongs to another client');
}

function isGranted(address: Ipv4, { chaddr }: DhcpMessage, { leases, now }: Circumstances): boolean {
  return leases.find(chaddr)?.address === address && leases.isAvailable(address, chaddr, now);
}

/** RFC 2131, 4.3.3. Who never had the address cannot take it out of use. */
function decideDecline(message: DhcpMessage, { leases, server }: Circumstances): Decision {
  if (ipv4Of(message.options, SERVER_IDENTIFIER) !== server.address) return silence('dhcp-other-server');
  const address = ipv4Of(message.options, REQUESTED_ADDRESS);
  const lease = leases.find(message.chaddr);
  if (address === undefined || lease?.address !== address || lease.state === 'released')
    return silence('dhcp-unknown-lease');
  return { kind: 'decline', address };
}

/** RFC 2131, 4.3.4. */
function decideRelease(message: DhcpMessage, { leases, server }: Circumstances): Decision {
  if (ipv4Of(message.options, SERVER_IDENTIFIER) !== server.address) return silence('dhcp-other-server');
  const lease = leases.find(message.chaddr);
  if (lease?.address !== message.ciaddr || lease.state !== 'bound') return silence('dhcp-unknown-lease');
  return { kind: 'release', address: lease.address };
}

function nak(why: string): Decision {
  return { kind: 'nak', why };
}

function silence(reason: DhcpSilence): Decision {
  return { kind: 'silence', reason };
}

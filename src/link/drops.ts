/** Every drop in the program has a name and goes through one call. */
import type { Counters } from '../base/counters.ts';
import type { FrameBatch } from './frame-batch.ts';

export type DropReason =
  /** Shorter than an Ethernet header. */
  | 'runt'
  /** The port's queue towards the guest is full. */
  | 'egress-full'
  /** The machine has hung up, and its connection is being closed. */
  | 'port-closing'
  /** Chance took it, as the link's `loss` says. */
  | 'link-loss'
  /** As many frames as the link's `limit` says wait already. */
  | 'link-overlimit'
  /** The link is down, or went down while the frame was under way. */
  | 'link-down'
  /** Source address is a group or zero: no station has it. */
  | 'invalid-source'
  /** The destination is on the port that the frame came from. */
  | 'same-port'
  /** 01:80:C2:00:00:00..0F: IEEE 802.1Q keeps these on their link. */
  | 'reserved-address'
  /** The host's kernel had no room for it. */
  | 'kernel-full'
  /** Stations on the LAN itself produced more than it forwards in one turn. */
  | 'lan-backlog'
  /** A station's stack refused it; see `StackDropReason`. */
  | StackDropReason;

/** Why a station with a stack of its own did not take a frame. */
export type StackDropReason =
  | 'not-for-us'
  | 'vlan-tagged'
  | 'unknown-ethertype'
  | 'arp-malformed'
  | 'ipv4-malformed'
  | 'ipv4-bad-checksum'
  | 'ipv4-bad-source'
  | 'ipv4-not-local'
  /** A packet for another host whose time to live ends here. */
  | 'ipv4-ttl-exceeded'
  | 'ipv4-unknown-protocol'
  | 'ipv4-no-route'
  /** Longer than the next network takes, and not to be fragmented. */
  | 'ipv4-too-long'
  /** See `ForwardingVerdict`: what a router does not forward. */
  | 'ipv4-directed-broadcast'
  | 'ipv4-link-local'
  | 'ipv4-source-route'
  | 'fragment-duplicate'
  | 'fragment-malformed'
  | 'fragment-limit'
  | 'fragment-timeout'
  | 'icmp-malformed'
  | 'icmp-bad-checksum'
  /** No error, no echo: an obsolete query. */
  | 'icmp-unknown-type'
  /** RFC 1122, 3.2.2.6: an echo request to a broadcast address stays unanswered. */
  | 'icmp-broadcast-echo'
  /** An echo request for another host that a policy refuses. */
  | 'icmp-prohibited'
  /** An answer or an error that is about nothing we asked. */
  | 'icmp-unmatched'
  | 'ipv6-malformed'
  /** An option that forbids who does not know it to take the packet (RFC 8200, 4.2). */
  | 'ipv6-unknown-option'
  /** More extension headers than any packet needs. */
  | 'ipv6-too-many-headers'
  /** A routing header that is not at its end (RFC 5095, 3; RFC 8200, 4.4). */
  | 'ipv6-routing-header'
  | 'ipv6-bad-source'
  | 'ipv6-not-local'
  /** RFC 4291, 2.5.6: what is link-local is never forwarded. */
  | 'ipv6-link-local'
  /** A packet for another host whose hops end here. */
  | 'ipv6-hop-limit-exceeded'
  | 'ipv6-no-route'
  /** Longer than the next network takes. */
  | 'ipv6-too-long'
  | 'ipv6-unknown-next-header'
  | 'icmpv6-malformed'
  | 'icmpv6-bad-checksum'
  | 'icmpv6-unknown-type'
  /** An echo request for another host that a policy refuses. */
  | 'icmpv6-prohibited'
  /** An answer or an error that is about nothing we sent. */
  | 'icmpv6-unmatched'
  | 'mld-malformed'
  /** A report of others, or a query about a group that we are not in. */
  | 'mld-unused'
  | 'ndp-malformed'
  /** It names our own link address as somebody's. */
  | 'ndp-spoofed'
  /** A solicitation for an address that is not ours. */
  | 'ndp-not-local'
  /** An advertisement that nobody here waits for, or a solicitation for routers where there is none. */
  | 'ndp-unused'
  | 'udp-malformed'
  | 'udp-bad-checksum'
  | 'udp-no-listener'
  /** A policy refuses where it is going. */
  | 'udp-prohibited'
  | 'tcp-malformed'
  | 'tcp-bad-checksum'
  /** RFC 9293, 3.9.2.3: a connection has one host at each end. */
  | 'tcp-broadcast'
  /** A SYN to a port where nobody listens. */
  | 'tcp-no-listener'
  /** A segment of a connection that is not there. */
  | 'tcp-no-connection'
  /** Octets that came before, or that were not allowed; a guess at what a connection expects. */
  | 'tcp-out-of-window'
  /** It acknowledges what was never sent, or what it cannot remember. */
  | 'tcp-bad-ack'
  | 'tcp-no-ack'
  /** RFC 7323, 3.2: both sides had agreed on timestamps. */
  | 'tcp-no-timestamp'
  /** RFC 7323, 5: a segment of an earlier lap of the sequence numbers. */
  | 'tcp-old-timestamp'
  /** A piece that came early, and there is no room to keep it. */
  | 'tcp-out-of-order-full'
  /** A handshake that made room for a newer one. */
  | 'tcp-half-open-full'
  /** A SYN beyond the connections that a stack keeps. */
  | 'tcp-full'
  | 'neighbour-unresolved'
  | 'neighbour-queue-full';

export interface DropSink {
  /** Frames [first, end) of the batch go no further, and this is why. */
  dropped(reason: DropReason, batch: FrameBatch, first: number, end: number): void;
}

/** A sink that counts by name. */
export function countDrops(counters: Counters): DropSink {
  return { dropped: (reason, _batch, first, end) => counters.add(reason, end - first) };
}

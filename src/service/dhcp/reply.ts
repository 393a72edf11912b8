/** The messages of a DHCP server, RFC 2131, 4.3.1 and table 3, and where they go, 4.1. */
import type { DhcpMessage, DhcpOptions } from '../../wire/dhcp.ts';
import { DHCP_CLIENT_PORT, DHCP_DEFAULT_LIMIT, DHCP_FILE_LENGTH, DHCP_SERVER_PORT } from '../../wire/dhcp.ts';
import {
  BOOTFILE_NAME,
  BROADCAST_ADDRESS,
  CLASSLESS_ROUTES,
  CLIENT_IDENTIFIER,
  classlessRoutes,
  DOMAIN_NAME,
  DOMAIN_NAME_SERVER,
  DOMAIN_SEARCH,
  domainSearch,
  HOST_NAME,
  INTERFACE_MTU,
  ipv4List,
  LEASE_TIME,
  MAXIMUM_MESSAGE_SIZE,
  MESSAGE,
  MESSAGE_TYPE,
  messageType,
  NTP_SERVERS,
  PARAMETER_REQUEST_LIST,
  REBINDING_TIME,
  RENEWAL_TIME,
  ROUTER,
  SERVER_IDENTIFIER,
  SUBNET_MASK,
  TFTP_SERVER_NAME,
  text,
  textOf,
  uint16,
  uint16Of,
  uint32,
  uint32Of,
  VENDOR_CLASS,
} from '../../wire/dhcp-options.ts';
import type { Ipv4, Ipv4Interface } from '../../wire/ipv4-address.ts';
import { broadcastOf, formatIpv4, ipv4Mask, isOnLink, LIMITED_BROADCAST } from '../../wire/ipv4-address.ts';
import type { Mac } from '../../wire/mac.ts';
import { BROADCAST_MAC } from '../../wire/mac.ts';
import type { DhcpBoot, DhcpConfig } from './dhcp-config.ts';

/** For clients that send no option 55. */
const DEFAULT_PARAMETERS: readonly number[] = [DOMAIN_NAME_SERVER, HOST_NAME, DOMAIN_NAME, BROADCAST_ADDRESS];
/** Seconds; who asks for less gets this much. */
const MIN_LEASE_TIME = 60;
const IPV4_AND_UDP_HEADERS = 28;

export type DhcpReply =
  | { readonly kind: 'offer' | 'ack'; readonly address: Ipv4; readonly leaseTime: number }
  | { readonly kind: 'inform' }
  | { readonly kind: 'nak'; readonly why: string };

/** The lease time that a client gets: what it asks for, up to what is configured. */
export function leaseTimeFor(message: DhcpMessage, config: DhcpConfig): number {
  const asked = uint32Of(message.options, LEASE_TIME) ?? config.leaseTime;
  return Math.min(config.leaseTime, Math.max(asked, MIN_LEASE_TIME));
}

export function replyTo(
  message: DhcpMessage,
  reply: DhcpReply,
  config: DhcpConfig,
  server: Ipv4Interface,
): DhcpMessage {
  const boot = reply.kind === 'nak' ? undefined : config.boot;
  return {
    op: 'reply',
    hops: 0,
    xid: message.xid,
    secs: 0,
    // RFC 2131, 4.3.2: a relay broadcasts a NAK, because the client's address is wrong.
    isBroadcast: message.isBroadcast || (reply.kind === 'nak' && message.giaddr !== 0),
    ciaddr: reply.kind === 'ack' || reply.kind === 'inform' ? message.ciaddr : 0,
    yiaddr: reply.kind === 'offer' || reply.kind === 'ack' ? reply.address : 0,
    siaddr: boot === undefined ? 0 : (boot.server ?? server.address),
    giaddr: message.giaddr,
    chaddr: message.chaddr,
    sname: '',
    file: boot !== undefined && fitsFile(boot) ? boot.bootfile : '',
    options: new Map(
      reply.kind === 'nak' ? nakOptions(message, reply.why, server) : optionsFor(message, reply, config, server),
    ),
  };
}

function fitsFile(boot: DhcpBoot): boolean {
  return text(boot.bootfile).length <= DHCP_FILE_LENGTH;
}

type Option = readonly [code: number, value: Uint8Array];

function nakOptions(message: DhcpMessage, why: string, server: Ipv4Interface): readonly Option[] {
  return [
    [MESSAGE_TYPE, messageType('nak')],
    [SERVER_IDENTIFIER, uint32(server.address)],
    ...echoed(message.options),
    [MESSAGE, text(why)],
  ];
}

/** RFC 6842: the client identifier comes back in every reply. */
function echoed(options: DhcpOptions): readonly Option[] {
  const clientId = options.get(CLIENT_IDENTIFIER);
  return clientId === undefined ? [] : [[CLIENT_IDENTIFIER, clientId]];
}

/** In order of importance: what does not fit the client's message size is left out from the end. */
function* optionsFor(
  message: DhcpMessage,
  reply: Exclude<DhcpReply, { kind: 'nak' }>,
  config: DhcpConfig,
  server: Ipv4Interface,
): Iterable<Option> {
  const parameters = message.options.get(PARAMETER_REQUEST_LIST) ?? DEFAULT_PARAMETERS;
  const isAsked = (code: number): boolean => parameters.includes(code);
  yield [MESSAGE_TYPE, messageType(reply.kind === 'offer' ? 'offer' : 'ack')];
  yield [SERVER_IDENTIFIER, uint32(server.address)];
  yield* echoed(message.options);
  // RFC 2131, 4.3.5: who has an address by other means gets no lease.
  if (reply.kind !== 'inform') yield* leaseTimes(reply.leaseTime);
  yield [SUBNET_MASK, uint32(ipv4Mask(server.prefixLength))];
  if (config.routers.length > 0) yield [ROUTER, ipv4List(config.routers)];
  if (isAsked(CLASSLESS_ROUTES) && config.routes.length > 0)
    yield [CLASSLESS_ROUTES, classlessRoutes(routesOf(config))];
  if (isAsked(DOMAIN_NAME_SERVER) && config.dns.length > 0) yield [DOMAIN_NAME_SERVER, ipv4List(config.dns)];
  if (config.boot !== undefined) yield* bootOptions(message.options, config.boot, server, isAsked);
  if (isAsked(INTERFACE_MTU) && config.mtu !== undefined) yield [INTERFACE_MTU, uint16(config.mtu)];
  const reserved = config.reservations.find(({ mac }) => mac === message.chaddr)?.hostname;
  const hostname = reserved ?? config.hostnames?.get(message.chaddr) ?? config.hostname;
  if (isAsked(HOST_NAME) && hostname !== undefined) yield [HOST_NAME, text(hostname)];
  if (isAsked(DOMAIN_NAME) && config.domain !== undefined) yield [DOMAIN_NAME, text(config.domain)];
  if (isAsked(BROADCAST_ADDRESS)) yield [BROADCAST_ADDRESS, uint32(broadcastOf(server))];
  if (isAsked(NTP_SERVERS) && config.ntp.length > 0) yield [NTP_SERVERS, ipv4List(config.ntp)];
  if (isAsked(DOMAIN_SEARCH) && config.search.length > 0) yield [DOMAIN_SEARCH, domainSearch(config.search)];
}

/** RFC 2131, 4.4.5: T1 at half of the lease, T2 at seven eighths. */
function leaseTimes(leaseTime: number): readonly Option[] {
  return [
    [LEASE_TIME, uint32(leaseTime)],
    [RENEWAL_TIME, uint32(Math.floor(leaseTime * 0.5))],
    [REBINDING_TIME, uint32(Math.floor(leaseTime * 0.875))],
  ];
}

/** RFC 3442: a client that takes these ignores option 3, so the default route is among them. */
function routesOf({ routers, routes }: DhcpConfig): DhcpConfig['routes'] {
  const defaults = routers.slice(0, 1).map((gateway) => ({ destination: { address: 0, prefixLength: 0 }, gateway }));
  return [...defaults, ...routes];
}

function bootOptions(
  options: DhcpOptions,
  boot: DhcpBoot,
  server: Ipv4Interface,
  isAsked: (code: number) => boolean,
): readonly Option[] {
  const isPxe = textOf(options, VENDOR_CLASS)?.startsWith('PXEClient') ?? false;
  const serverName = boot.serverName ?? formatIpv4(boot.server ?? server.address);
  const chosen: Option[] = [];
  if (isPxe || isAsked(BOOTFILE_NAME) || !fitsFile(boot)) chosen.push([BOOTFILE_NAME, text(boot.bootfile)]);
  if (isPxe || isAsked(TFTP_SERVER_NAME)) chosen.push([TFTP_SERVER_NAME, text(serverName)]);
  return chosen;
}

/** Octets of UDP payload that the client takes (option 57), never more than a packet of the network holds unless that is tiny. */
export function sizeLimit(message: DhcpMessage, mtu: number): number {
  const maximum = uint16Of(message.options, MAXIMUM_MESSAGE_SIZE) ?? 0;
  return Math.max(DHCP_DEFAULT_LIMIT, Math.min(maximum, mtu) - IPV4_AND_UDP_HEADERS);
}

/** Where a reply goes. With `mac` nobody is asked for the link address. */
export interface Destination {
  readonly address: Ipv4;
  readonly port: number;
  readonly mac?: Mac;
}

/** RFC 2131, 4.1: to the relay, else to ciaddr, else by broadcast if the client wants that, else to yiaddr without ARP. */
export function destinationOf(message: DhcpMessage, reply: DhcpReply, server: Ipv4Interface): Destination {
  if (message.giaddr !== 0) return { address: message.giaddr, port: DHCP_SERVER_PORT };
  const everybody = { address: LIMITED_BROADCAST, port: DHCP_CLIENT_PORT, mac: BROADCAST_MAC };
  if (reply.kind === 'nak') return everybody;
  if (isOnLink(server, message.ciaddr)) return { address: message.ciaddr, port: DHCP_CLIENT_PORT };
  if (message.isBroadcast || reply.kind === 'inform') return everybody;
  return { address: reply.address, port: DHCP_CLIENT_PORT, mac: message.chaddr };
}

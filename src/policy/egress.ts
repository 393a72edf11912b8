/**
 * Whom a guest may talk to, and where a conversation with an address really goes.
 *
 * In this order: `restrict` refuses whatever leaves the network; an address behind the prefix of NAT64 is the IPv4 address that it
 * embeds; the gateway's own address, and 127.0.0.1 behind NAT64, stand for the host's loopback, as far as that is opened; the addresses
 * where clouds keep their metadata are refused; loopback and other addresses that mean something else on the host than for the guest are
 * refused; the rest is the world.
 */
import type { Endpoint } from '../base/endpoint.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { ipv4Octets, isOnLink, LOOPBACK, parseIpv4Interface } from '../wire/ipv4-address.ts';
import type { Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import {
  IPV6_ADDRESS_LENGTH,
  isInIpv6Prefix,
  isLinkLocalIpv6,
  isMulticastIpv6,
  isSameIpv6,
} from '../wire/ipv6-address.ts';
import { parseIpv6, parseIpv6Prefix } from '../wire/ipv6-text.ts';
import { readUint32 } from '../wire/octets.ts';

export type EgressProtocol = 'tcp' | 'udp' | 'echo';

/** Ports of the host's loopback that guests reach at the gateway's address. */
export interface HostAccess {
  readonly protocol: 'tcp' | 'udp';
  readonly first: number;
  readonly last: number;
}

/** What an operator decides about the way out. */
export interface EgressSettings {
  /** Nothing leaves the network. */
  readonly isRestricted: boolean;
  /** What of the host's loopback is open: everything, or these ports. */
  readonly hostAccess: 'all' | readonly HostAccess[];
  /** Lets guests reach link-local addresses, where clouds keep credentials. */
  readonly allowsMetadata: boolean;
}

export interface EgressConfig extends EgressSettings {
  /** The gateway's address and its network; undefined without IPv4. */
  readonly gateway?: Ipv4Interface | undefined;
  /** The same of IPv6. */
  readonly ipv6Gateway?: Ipv6Interface | undefined;
  /** Behind this prefix (/96) lies IPv4 (RFC 6052). */
  readonly nat64?: Ipv6Prefix | undefined;
}

/** Names of refusals, as they are counted. */
export type EgressRefusal = 'egress-restricted' | 'egress-host-closed' | 'egress-metadata' | 'egress-no-host';

export type EgressVerdict =
  /** The host's side of the conversation: the address as it is, loopback, or the IPv4 address that it embeds. */
  { readonly kind: 'allowed'; readonly to: Endpoint } | { readonly kind: 'refused'; readonly reason: EgressRefusal };

/** 169.254.0.0/16 (RFC 3927) has most of them; Alibaba's, Oracle's old one and Azure's agent lie elsewhere. */
const METADATA: readonly Ipv4Interface[] = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
].map((text) => parseIpv4Interface(text)!);

/** Amazon's services of a machine, which give credentials at several addresses; Google's, Oracle's and Scaleway's. */
const IPV6_METADATA: readonly Ipv6Prefix[] = [
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:42::42/128',
].map((text) => parseIpv6Prefix(text)!);

export class EgressPolicy {
  readonly #config: EgressConfig;
  readonly #isInside: (address: Uint8Array) => boolean;

  /** `isInside`: the address is the lab's, and nobody's in the world. */
  constructor(config: EgressConfig, isInside = (address: Uint8Array) => isInNetwork(config, address)) {
    this.#config = config;
    this.#isInside = isInside;
  }

  decide(protocol: EgressProtocol, to: Endpoint): EgressVerdict {
    const { isRestricted, nat64 } = this.#config;
    if (isRestricted) return refused('egress-restricted');
    const { address, port } = to;
    if (address.length !== IPV6_ADDRESS_LENGTH || nat64 === undefined || !isInIpv6Prefix(nat64, address))
      return this.#decide(protocol, to);
    const embedded = address.slice(IPV4_AT);
    // no guest means its own loopback by this: it is the host's
    if (readUint32(embedded, 0) === LOOPBACK) return this.#atLoopback(protocol, { address: embedded, port });
    return this.#decide(protocol, { address: embedded, port });
  }

  #atLoopback(protocol: EgressProtocol, to: Endpoint): EgressVerdict {
    return this.#isOpen(protocol, to.port) ? { kind: 'allowed', to } : refused('egress-host-closed');
  }

  #decide(protocol: EgressProtocol, to: Endpoint): EgressVerdict {
    const { address, port } = to;
    const loopback = this.#loopbackAt(address);
    if (loopback !== undefined) return this.#atLoopback(protocol, { address: loopback, port });
    if (!this.#config.allowsMetadata && isMetadata(address)) return refused('egress-metadata');
    if (this.#isInside(address) || !isWorldly(address)) return refused('egress-no-host');
    return { kind: 'allowed', to };
  }

  /** What the gateway's own address stands for. */
  #loopbackAt(address: Uint8Array): Uint8Array | undefined {
    const { gateway, ipv6Gateway } = this.#config;
    if (address.length === IPV6_ADDRESS_LENGTH)
      return ipv6Gateway !== undefined && isSameIpv6(address, ipv6Gateway.address) ? IPV6_LOOPBACK : undefined;
    return readUint32(address, 0) === gateway?.address ? ipv4Octets(LOOPBACK) : undefined;
  }

  #isOpen(protocol: EgressProtocol, port: number): boolean {
    const { hostAccess } = this.#config;
    if (hostAccess === 'all') return true;
    return hostAccess.some((open) => open.protocol === protocol && port >= open.first && port <= open.last);
  }
}

/** Where IPv4 lies in an address of NAT64, RFC 6052, 2.2. */
const IPV4_AT = 12;
const IPV6_LOOPBACK = parseIpv6('::1')!;

function refused(reason: EgressRefusal): EgressVerdict {
  return { kind: 'refused', reason };
}

function isInNetwork({ gateway, ipv6Gateway }: EgressConfig, address: Uint8Array): boolean {
  if (address.length === IPV6_ADDRESS_LENGTH) return ipv6Gateway !== undefined && isInIpv6Prefix(ipv6Gateway, address);
  return gateway !== undefined && isOnLink(gateway, readUint32(address, 0));
}

function isMetadata(address: Uint8Array): boolean {
  if (address.length !== IPV6_ADDRESS_LENGTH) return METADATA.some((range) => isOnLink(range, readUint32(address, 0)));
  if (IPV6_METADATA.some((range) => isInIpv6Prefix(range, address))) return true;
  // a NAT64 of the host's network would lead there
  return isInIpv6Prefix(WELL_KNOWN_NAT64, address) && isMetadata(address.subarray(IPV4_AT));
}

/** RFC 6052, 2.1. */
const WELL_KNOWN_NAT64: Ipv6Prefix = parseIpv6Prefix('64:ff9b::/96')!;
/** Unspecified, loopback, and IPv4 in other forms (RFC 4291, 2.5.5): a host could take it for its own. */
const NOT_WORLDLY: Ipv6Prefix = parseIpv6Prefix('::/16')!;

/** One host elsewhere: of IPv4 not 0/8, loopback, multicast, reserved (RFC 6890). */
function isWorldly(address: Uint8Array): boolean {
  if (address.length === IPV6_ADDRESS_LENGTH)
    return !isInIpv6Prefix(NOT_WORLDLY, address) && !isLinkLocalIpv6(address) && !isMulticastIpv6(address);
  const network = address[0]!;
  return network !== 0 && network !== 127 && network < 224;
}

/**
 * Whom a guest may talk to, and where a conversation with an address really goes.
 *
 * In this order: `restrict` refuses whatever leaves the network; the gateway's own address stands for the host's loopback, as far as
 * that is opened; the addresses where clouds keep their metadata are refused; loopback and other addresses that mean something else
 * on the host than for the guest are refused; the rest is the world.
 */
import type { Endpoint } from '../base/endpoint.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { ipv4Octets, isOnLink, LOOPBACK, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { readUint32 } from '../wire/octets.ts';

export type EgressProtocol = 'tcp' | 'udp' | 'echo';

/** Ports of the host's loopback that guests reach at the gateway's address. */
export interface HostAccess {
  readonly protocol: 'tcp' | 'udp';
  readonly first: number;
  readonly last: number;
}

export interface EgressConfig {
  /** Nothing leaves the network. */
  readonly isRestricted: boolean;
  /** What of the host's loopback is open: everything, or these ports. */
  readonly hostAccess: 'all' | readonly HostAccess[];
  /** Lets guests reach link-local addresses, where clouds keep credentials. */
  readonly allowsMetadata: boolean;
  /** The gateway's address and its network. */
  readonly gateway: Ipv4Interface;
}

/** Names of refusals, as they are counted. */
export type EgressRefusal = 'egress-restricted' | 'egress-host-closed' | 'egress-metadata' | 'egress-no-host';

export type EgressVerdict =
  /** The host's side of the conversation: the address as it is, or loopback. */
  { readonly kind: 'allowed'; readonly to: Endpoint } | { readonly kind: 'refused'; readonly reason: EgressRefusal };

/** 169.254.0.0/16 (RFC 3927) has most of them; Alibaba's, Oracle's old one and Azure's agent lie elsewhere. */
const METADATA: readonly Ipv4Interface[] = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
].map((text) => parseIpv4Interface(text)!);

export class EgressPolicy {
  readonly #config: EgressConfig;
  readonly #isInside: (address: Ipv4) => boolean;

  /** `isInside`: the address is the lab's, and nobody's in the world. */
  constructor(config: EgressConfig, isInside = (address: Ipv4) => isOnLink(config.gateway, address)) {
    this.#config = config;
    this.#isInside = isInside;
  }

  decide(protocol: EgressProtocol, to: Endpoint): EgressVerdict {
    const { isRestricted, allowsMetadata, gateway } = this.#config;
    if (isRestricted) return refused('egress-restricted');
    const address = readUint32(to.address, 0);
    if (address === gateway.address) {
      if (!this.#isOpen(protocol, to.port)) return refused('egress-host-closed');
      return { kind: 'allowed', to: { address: ipv4Octets(LOOPBACK), port: to.port } };
    }
    if (!allowsMetadata && METADATA.some((range) => isOnLink(range, address))) return refused('egress-metadata');
    if (this.#isInside(address) || !isWorldly(address)) return refused('egress-no-host');
    return { kind: 'allowed', to };
  }

  #isOpen(protocol: EgressProtocol, port: number): boolean {
    const { hostAccess } = this.#config;
    if (hostAccess === 'all') return true;
    return hostAccess.some((open) => open.protocol === protocol && port >= open.first && port <= open.last);
  }
}

function refused(reason: EgressRefusal): EgressVerdict {
  return { kind: 'refused', reason };
}

/** One host elsewhere: not 0/8, loopback, multicast, reserved (RFC 6890). */
function isWorldly(address: Ipv4): boolean {
  const network = address >>> 24;
  return network !== 0 && network !== 127 && network < 224;
}

/** Checks what a lab file says of IPv6 on its networks, and fills in what it leaves out. */
import type { IssuePath } from '../base/issue.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6, Ipv6Interface, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6Key, ipv6PrefixOf, isInIpv6Prefix, isSameIpv6 } from '../wire/ipv6-address.ts';
import { formatIpv6, formatIpv6Interface, parseIpv6Prefix } from '../wire/ipv6-text.ts';
import type { Fault } from './check-addresses.ts';
import { leadsOn } from './check-egress.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { Ipv6Range } from './derive-ipv6.ts';
import {
  compareIpv6,
  defaultIpv6Pool,
  derivePrefix,
  gatewayIpv6,
  holdsIpv6,
  prefixesOverlap,
  SLAAC_PREFIX_LENGTH,
} from './derive-ipv6.ts';
import { DEFAULT_MTU } from './plan.ts';
import type { Ipv6Entry } from './schema-ipv6.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NetworkEntry } from './schema-network.ts';

export interface CheckedIpv6 {
  readonly entry: Ipv6Entry;
  /** The gateway's; where there is none, its address is nobody's. */
  readonly interface: Ipv6Interface;
  /** Undefined where DHCPv6 gives no addresses. */
  readonly pool: Ipv6Range | undefined;
  readonly nat64: Ipv6Prefix | undefined;
}

/** The networks that have IPv6; one whose prefix is not known for faults is not among them. */
export function checkIpv6(
  lab: string,
  entries: readonly [string, NetworkEntry][],
  sound: SoundLab,
  report: Report,
): ReadonlyMap<string, CheckedIpv6> {
  const prefixes = choosePrefixes(lab, entries, sound, report);
  const checked = new Map<string, CheckedIpv6>();
  for (const [name, entry] of entries) {
    const path = ['networks', name];
    checkFamilies(entry, path, report);
    const prefix = prefixes.get(name);
    if (prefix !== undefined) checked.set(name, checkSettings(prefix, entry, [...path, 'ipv6'], report));
  }
  return checked;
}

/** What a network with a gateway says of IPv6; undefined where it has none. */
export function ipv6Of({ gateway, ipv6, mtu = DEFAULT_MTU }: NetworkEntry): Ipv6Entry | undefined {
  if (typeof ipv6 === 'object') return ipv6;
  const isWanted = ipv6 === undefined ? gateway !== 'none' : ipv6 === 'on';
  return isWanted && mtu >= IPV6_MIN_MTU ? {} : undefined;
}

function choosePrefixes(
  lab: string,
  entries: readonly [string, NetworkEntry][],
  sound: SoundLab,
  report: Report,
): ReadonlyMap<string, Ipv6Prefix> {
  const chosen = new Map<string, Ipv6Prefix>();
  for (const [name, entry] of entries) {
    const { prefix } = ipv6Of(entry) ?? {};
    if (prefix === undefined) continue;
    const isStateful = typeof entry.ipv6 === 'object' && entry.ipv6.dhcp === 'stateful';
    const fault = prefixFault(prefix, isStateful) ?? overlapFault(prefix, chosen);
    if (fault !== undefined) report({ ...fault, path: ['networks', name, 'ipv6', 'prefix'] });
    if (fault === undefined || fault.code === 'host-bits') chosen.set(name, ipv6PrefixOf(prefix));
  }
  for (const [name, entry] of entries) {
    const ipv6 = ipv6Of(entry);
    if (ipv6 === undefined || ipv6.prefix !== undefined || entry.gateway === 'none') continue;
    if (sound.isFaulty(['networks', name, 'ipv6']) || sound.isFaulty(['networks', name, 'ipv6', 'prefix'])) continue;
    chosen.set(name, derivePrefix(lab, name, [...chosen.values()]));
  }
  return chosen;
}

/** Why no machines can live in the prefix. */
export function prefixFault(prefix: Ipv6Interface, isStateful: boolean): Fault | undefined {
  const text = formatIpv6Interface(prefix);
  if (RESERVED.some((reserved) => prefixesOverlap(reserved, prefix))) {
    const hint = 'take one of fd00::/8, or leave it out';
    return { code: 'prefix-reserved', message: `${text} is not for stations`, hint };
  }
  if (!isStateful && prefix.prefixLength !== SLAAC_PREFIX_LENGTH) {
    const message = `machines make themselves addresses of a /64 only, not of ${text}`;
    const hint = `write ${formatIpv6(ipv6PrefixOf({ ...prefix, prefixLength: 64 }).address)}/64, or dhcp: stateful`;
    return { code: 'prefix-length', message, hint };
  }
  if (prefix.prefixLength > MAX_PREFIX) {
    const hint = `take a prefix of at most ${MAX_PREFIX}`;
    return { code: 'prefix-length', message: `${text} has no room for a gateway and machines`, hint };
  }
  return ipv6HostBitsFault(prefix);
}

const MAX_PREFIX = 124;

/** RFC 4291, 2.4, and RFC 6052: unspecified, loopback and what embeds IPv4; link-local; groups. */
const RESERVED: readonly Ipv6Prefix[] = ['::/8', 'fe80::/10', 'ff00::/8'].map((text) => parseIpv6Prefix(text)!);

/** Why the text names an address in a prefix and not the prefix. */
export function ipv6HostBitsFault(prefix: Ipv6Interface): Fault | undefined {
  const network = ipv6PrefixOf(prefix);
  if (isSameIpv6(network.address, prefix.address)) return undefined;
  return {
    code: 'host-bits',
    message: `${formatIpv6Interface(prefix)} is an address in a prefix`,
    hint: `write ${formatIpv6Interface(network)}`,
  };
}

function overlapFault(prefix: Ipv6Interface, chosen: ReadonlyMap<string, Ipv6Prefix>): Fault | undefined {
  for (const [name, other] of chosen) {
    if (!prefixesOverlap(prefix, other)) continue;
    const message = `${formatIpv6Interface(prefix)} overlaps ${formatIpv6Interface(other)} of ${name}`;
    return { code: 'prefix-overlap', message, hint: 'take another, or leave it out' };
  }
  return undefined;
}

/** Why no station of the prefix can have this address. */
export function ipv6HostFault(address: Ipv6, prefix: Ipv6Prefix): Fault | undefined {
  const network = ipv6PrefixOf(prefix);
  const hint = `take one of ${formatIpv6Interface(network)}`;
  if (!isInIpv6Prefix(network, address)) {
    const message = `${formatIpv6(address)} is outside ${formatIpv6Interface(network)}`;
    return { code: 'outside-prefix', message, hint };
  }
  if (!isSameIpv6(address, network.address)) return undefined;
  // RFC 4291, 2.6.1
  const message = `${formatIpv6(address)} means every router of ${formatIpv6Interface(network)}`;
  return { code: 'not-a-host', message, hint };
}

/** Why DHCPv6 cannot hand this address to a card. */
export function nicIpv6Fault(
  address: Ipv6,
  { name, entry, ipv6 }: CheckedNetwork,
  taken: ReadonlyMap<string, string>,
): Fault | undefined {
  const says = ipv6Of(entry);
  if (entry.gateway === 'none') {
    const hint = `remove it, or remove gateway: none in ${name}`;
    return { code: 'no-gateway', message: `${name} has no gateway that could hand out addresses`, hint };
  }
  if (says === undefined)
    return { code: 'ipv6-off', message: `${name} has no IPv6`, hint: `remove it, or write ipv6: on` };
  if (says.dhcp === 'off' || says.dhcp === 'stateless') {
    const hint = `remove it, or remove dhcp: ${says.dhcp} in ${name}`;
    return { code: 'no-dhcp', message: `${name} has no DHCPv6 that could hand out addresses`, hint };
  }
  if (ipv6 === undefined) return undefined;
  const fault = ipv6HostFault(address, ipv6.interface);
  if (fault !== undefined) return fault;
  const isGateway = isSameIpv6(address, ipv6.interface.address);
  const owner = isGateway ? `the gateway of ${name}` : taken.get(ipv6Key(address));
  if (owner === undefined) return undefined;
  const message = `${formatIpv6(address)} belongs to ${owner}`;
  return { code: 'address-taken', message, hint: 'take another, or leave it out' };
}

/** Words of one family that the network does not have. */
const FOR_IPV4 = ['subnet', 'address', 'dhcp', 'source'] as const satisfies (keyof NetworkEntry)[];

function checkFamilies(entry: NetworkEntry, path: IssuePath, report: Report): void {
  const { ipv4, ipv6, mtu = DEFAULT_MTU } = entry;
  const isTooSmall = mtu < IPV6_MIN_MTU;
  if (isTooSmall && ipv6 !== undefined && ipv6 !== 'off') {
    const message = `IPv6 needs packets of ${IPV6_MIN_MTU} octets, and the mtu is ${mtu}`;
    report({ code: 'mtu-too-small', path: [...path, 'ipv6'], message, hint: 'write ipv6: off, or a larger mtu' });
  }
  if (ipv4 !== 'off') return;
  if (ipv6 === 'off' || isTooSmall) {
    const hint = ipv6 === 'off' ? 'remove one of the two' : `remove it, or take an mtu of at least ${IPV6_MIN_MTU}`;
    report({ code: 'no-family', path: [...path, 'ipv4'], message: 'without IPv4 and IPv6 nothing is left', hint });
  }
  for (const key of FOR_IPV4) {
    const value = entry[key];
    if (value === undefined || value === false) continue;
    const message = `without IPv4 nobody would act on ${key}`;
    report({ code: 'ipv4-off', path: [...path, key], message, hint: 'remove it, or ipv4: off', isAboutKey: true });
  }
}

function checkSettings(prefix: Ipv6Prefix, network: NetworkEntry, path: IssuePath, report: Report): CheckedIpv6 {
  const entry = ipv6Of(network)!;
  const fault = entry.address && ipv6HostFault(entry.address, prefix);
  if (fault !== undefined) report({ ...fault, path: [...path, 'address'] });
  const address = entry.address === undefined || fault !== undefined ? gatewayIpv6(prefix) : entry.address;
  const own = { address, prefixLength: prefix.prefixLength };
  checkWayOut(network, entry, path, report);
  if (entry.dhcp === 'off' && entry.managed === true) {
    const message = 'without DHCPv6 nobody would answer whom managed sends there';
    report({ code: 'no-dhcp', path: [...path, 'managed'], message, hint: 'remove it, or dhcp: off', isAboutKey: true });
  }
  for (const [i, route] of (entry.routes ?? []).entries()) {
    const routeFault = route && ipv6HostBitsFault(route);
    if (routeFault !== undefined) report({ ...routeFault, path: [...path, 'routes', i] });
  }
  const nat64 = entry.nat64 === 'on' ? WELL_KNOWN_NAT64 : entry.nat64;
  const nat64Fault = nat64 && nat64PrefixFault(nat64, prefix);
  if (nat64Fault !== undefined) report({ ...nat64Fault, path: [...path, 'nat64'] });
  return { entry, interface: own, pool: poolOf(entry, own, path, report), nat64 };
}

function checkWayOut(network: NetworkEntry, entry: Ipv6Entry, path: IssuePath, report: Report): void {
  const isOut = (network.gateway ?? 'nat') === 'nat' && network.restrict !== true;
  const keys = [
    ...(!isOut && entry.nat64 !== undefined ? (['nat64'] as const) : []),
    ...(!isOut && entry.source !== undefined ? (['source'] as const) : []),
    ...(!leadsOn(network) && entry.router === 'on' ? (['router'] as const) : []),
  ];
  for (const key of keys)
    report({
      code: 'no-way-out',
      path: [...path, key],
      message: `the network has no way out, so ${key} means nothing`,
      hint: 'remove it, or write gateway: nat without restrict',
      isAboutKey: true,
    });
}

/** RFC 6052, 2.1. */
const WELL_KNOWN_NAT64: Ipv6Prefix = parseIpv6Prefix('64:ff9b::/96')!;

function nat64PrefixFault(nat64: Ipv6Interface, own: Ipv6Prefix): Fault | undefined {
  const text = formatIpv6Interface(nat64);
  const hint = 'write on, or 64:ff9b::/96';
  // RFC 6052, 2.2: octet 8 is 0 in every such address
  if (nat64.prefixLength !== 96 || nat64.address[8] !== 0)
    return { code: 'bad-prefix', message: `${text} cannot have IPv4 addresses behind it`, hint };
  if (prefixesOverlap(nat64, own)) {
    const message = `${text} is in ${formatIpv6Interface(own)} of the network itself`;
    return { code: 'prefix-overlap', message, hint };
  }
  return ipv6HostBitsFault(nat64);
}

function poolOf({ dhcp = {} }: Ipv6Entry, own: Ipv6Interface, path: IssuePath, report: Report): Ipv6Range | undefined {
  if (dhcp === 'off' || dhcp === 'stateless') return undefined;
  const range = dhcp === 'stateful' ? undefined : dhcp.range;
  if (range === undefined) return defaultIpv6Pool(ipv6PrefixOf(own));
  const fault = rangeFault(range, own);
  if (fault !== undefined) report({ ...fault, path: [...path, 'dhcp', 'range'] });
  return range;
}

function rangeFault(range: Ipv6Range, own: Ipv6Interface): Fault | undefined {
  const { first, last } = range;
  if (compareIpv6(first, last) > 0) {
    const hint = `write ${formatIpv6(last)}-${formatIpv6(first)}`;
    return { code: 'reversed-range', message: 'the range ends before it begins', hint };
  }
  const fault = ipv6HostFault(first, own) ?? ipv6HostFault(last, own);
  if (fault !== undefined || !holdsIpv6(range, own.address)) return fault;
  const message = `the gateway's own address ${formatIpv6(own.address)} is in the range`;
  return { code: 'address-taken', message, hint: 'let the range begin behind it, or give the gateway another address' };
}

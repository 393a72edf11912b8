/** What follows from a lab's names and subnets when nothing else is said: link addresses, the gateway's address and the pool. */
import { fnv1a } from '../base/fnv1a.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { broadcastOf, networkOf } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';

const QEMU_OUI: Mac = 0x5254_0000_0000;
const GATEWAY_PREFIX: Mac = 0x5255_0000_0000;
const IPV6_GATEWAY_PREFIX: Mac = 0x5256_0000_0000;

/** 52:54:00 and three octets that follow from lab, node and card, so that two machines never share one; adds it to `taken`. */
export function deriveMac(lab: string, node: string, nic: string, taken: Set<Mac>): Mac {
  const name = `${lab}/${node}/${nic}`;
  let mac = QEMU_OUI + hash24(name);
  for (let attempt = 2; taken.has(mac); attempt++) mac = QEMU_OUI + hash24(`${name}/${attempt}`);
  taken.add(mac);
  return mac;
}

/** 52:55 and the IPv4 address, as QEMU's user network does. */
export function gatewayMac(address: Ipv4): Mac {
  return GATEWAY_PREFIX + address;
}

/** 52:56 and what follows from lab and network, where there is no IPv4. */
export function derivedGatewayMac(lab: string, network: string): Mac {
  return IPV6_GATEWAY_PREFIX + fnv1a(`${lab}/${network}`);
}

/** What a machine of the lab is known by when it runs without us: a UUID of version 8 (RFC 9562, 5.8) that follows from lab and node. */
export function deriveUuid(lab: string, node: string): string {
  const words = [1, 2, 3, 4].map((part) => fnv1a(`${part}/${lab}/${node}`));
  words[1] = ((words[1]! & 0xffff_0fff) | 0x8000) >>> 0;
  words[2] = ((words[2]! & 0x3fff_ffff) | 0x8000_0000) >>> 0;
  const digits = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** FNV-1a folded to 24 bits, as its authors advise. */
function hash24(text: string): number {
  const hash = fnv1a(text);
  return ((hash >>> 24) ^ hash) & 0xff_ffff;
}

/** The first and last address that a station can have. */
export function hostsOf(subnet: Ipv4Interface): AddressRange {
  return { first: networkOf(subnet) + 1, last: broadcastOf(subnet) - 1 };
}

export interface AddressRange {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

export function holds({ first, last }: AddressRange, address: Ipv4): boolean {
  return address >= first && address <= last;
}

/** The gateway is the second host, as in QEMU's user network. */
const GATEWAY_HOST = 2;
/** The pool begins here, so that a few addresses below it are free for reservations. */
const POOL_HOST = 15;

export function gatewayAddress(subnet: Ipv4Interface): Ipv4 {
  return networkOf(subnet) + GATEWAY_HOST;
}

/** From `.15` to the last host. Where the gateway lies in between, or the subnet is too small for that, the longest stretch beside the gateway. */
export function defaultPool(subnet: Ipv4Interface, gateway: Ipv4): AddressRange {
  const hosts = hostsOf(subnet);
  const start = networkOf(subnet) + POOL_HOST;
  const first = start <= hosts.last ? start : hosts.first;
  if (!holds({ first, last: hosts.last }, gateway)) return { first, last: hosts.last };
  const below = { first, last: gateway - 1 };
  const above = { first: gateway + 1, last: hosts.last };
  return below.last - below.first > above.last - above.first ? below : above;
}

/** 10.0.2.0/24, 10.0.3.0/24, …: the first that overlaps none of `taken`; undefined where all are used up. */
export function freeSubnet(taken: readonly Ipv4Interface[]): Ipv4Interface | undefined {
  for (let third = 2; third <= 255; third++) {
    const subnet = { address: 0x0a00_0000 + third * 256, prefixLength: 24 };
    if (!taken.some((other) => overlap(subnet, other))) return subnet;
  }
  return undefined;
}

export function overlap(a: Ipv4Interface, b: Ipv4Interface): boolean {
  return networkOf(a) <= broadcastOf(b) && networkOf(b) <= broadcastOf(a);
}

/** Which network a forward leads into, and which of its machines is meant: by the name of a node, `NODE:NIC`, or an address. */
import type { Issue, IssuePath } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import type { HostForward } from '../nat/forward-spec.ts';
import type { Fault } from '../nat/forward-text.ts';
import { fault, readForward } from '../nat/forward-text.ts';
import type { Ip } from '../wire/ip-address.ts';
import { formatIp, isSameIp } from '../wire/ip-address.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { isOnLink } from '../wire/ipv4-address.ts';
import type { Ipv6, Ipv6Interface } from '../wire/ipv6-address.ts';
import { isInIpv6Prefix } from '../wire/ipv6-address.ts';
import { hostFault } from './check-addresses.ts';
import { ipv6HostFault } from './check-ipv6.ts';
import type { LabPlan } from './plan.ts';

/** Where forwards may lead. */
export interface ForwardPlaces {
  /** Networks with a gateway. */
  readonly networks: readonly ForwardNetwork[];
  /** The cards of a lab. Where there are none, machines go by the names that they tell DHCP. */
  readonly nics: readonly ForwardNic[];
}

export interface ForwardNetwork {
  readonly name: string;
  /** Undefined without IPv4. */
  readonly interface?: Ipv4Interface;
  readonly ipv6?: Ipv6Interface;
  /** Names of machines are known here: from DHCP or, without IPv4, from neighbour discovery. */
  readonly hasDhcp: boolean;
  /** Networks that its gateway reaches by routers. */
  readonly behind?: readonly (Ipv4Interface | Ipv6Interface)[];
}

export interface ForwardNic {
  readonly node: string;
  readonly name: string;
  readonly network: string;
  /** The addresses that are reserved for it. */
  readonly address: Ipv4 | undefined;
  readonly ipv6?: Ipv6 | undefined;
}

export interface PlacedForward {
  readonly network: string;
  readonly forward: HostForward;
}

/** Reads a rule and finds its guest, on `network` where that is given; undefined where something is wrong, which then is the last of `issues`. */
export function placeForward(
  text: string,
  places: ForwardPlaces,
  network: string | undefined,
  path: IssuePath,
  issues: Issue[],
): PlacedForward | undefined {
  const { rule, nic } = withoutNic(text);
  const forward = readForward(rule, path, issues);
  if (forward === undefined) return undefined;
  const wanted = places.networks.filter(({ name }) => network === undefined || name === network);
  const place =
    typeof forward.guest === 'string'
      ? placeOfName(forward.guest, nic, { ...places, networks: wanted })
      : placeOfAddress(forward.guest, wanted);
  if ('code' in place) {
    issues.push({ ...place, path });
    return undefined;
  }
  return { network: place.network, forward: { ...forward, guest: place.guest } };
}

/** Where forwards may lead in a lab. */
export function forwardPlaces(plan: LabPlan): ForwardPlaces {
  const gateways = plan.networks.flatMap(({ name, gateway }) => (gateway === undefined ? [] : [{ name, gateway }]));
  const reservations = new Map(
    gateways.flatMap(({ gateway }) => (gateway.dhcp?.reservations ?? []).map(({ mac, address }) => [mac, address])),
  );
  const ipv6Reservations = new Map(
    gateways.flatMap(({ gateway: { ipv6 } }) =>
      (ipv6?.dhcp?.reservations ?? []).map(({ mac, address }) => [mac, address]),
    ),
  );
  return {
    networks: gateways.map(({ name, gateway: { interface: own, dhcp, ipv6, routes = [], ipv6Routes = [] } }) => ({
      name,
      ...(own !== undefined && { interface: own }),
      ...(ipv6 !== undefined && { ipv6: ipv6.interface }),
      hasDhcp: dhcp !== undefined || (own === undefined && ipv6 !== undefined),
      behind: [...routes, ...ipv6Routes].map(({ to }) => to),
    })),
    nics: plan.nics.map(({ node, name, network, mac }) => ({
      node,
      name,
      network,
      address: reservations.get(mac),
      ipv6: ipv6Reservations.get(mac),
    })),
  };
}

/** `NODE:NIC:PORT` as the rule with `NODE:PORT`, and the card. */
function withoutNic(text: string): { readonly rule: string; readonly nic?: string } {
  const match = /^(.*->\s*[a-z0-9-]+):([a-z0-9-]+)(:\d+(?:\s.*)?)$/is.exec(text);
  return match === null ? { rule: text } : { rule: `${match[1]}${match[3]}`, nic: match[2]! };
}

type Place = { readonly network: string; readonly guest: Ip | string };

function placeOfAddress(address: Ip, networks: ForwardPlaces['networks']): Place | Fault {
  const there = networks.flatMap((network) => {
    const own = ownOn(network, address);
    return own !== undefined && isWithin(own, address) ? [{ name: network.name, own }] : [];
  })[0];
  const leading = networks.find(({ behind = [] }) => behind.some((to) => to.prefixLength > 0 && isWithin(to, address)));
  if (there === undefined && leading !== undefined) return { network: leading.name, guest: address };
  if (there === undefined) {
    const known = networks.flatMap((network) => {
      const own = ownOn(network, address);
      return own === undefined ? [] : [`${network.name} (${formatIp(own.address)})`];
    });
    const hint =
      known.length === 0 ? 'give a network a gateway' : `take an address of a machine beside ${known.join(', ')}`;
    return fault('outside-subnet', `${formatIp(address)} is on no network with a gateway`, hint);
  }
  const wrong = stationFault(address, there.own);
  if (wrong !== undefined) return wrong;
  if (!isSameIp(address, there.own.address)) return { network: there.name, guest: address };
  return fault(
    'address-taken',
    `${formatIp(address)} is the gateway itself`,
    'take the name or the address of a machine',
  );
}

/** The gateway's interface in the family of the address. */
function ownOn(network: ForwardNetwork, address: Ip): Ipv4Interface | Ipv6Interface | undefined {
  return typeof address === 'number' ? network.interface : network.ipv6;
}

function isWithin(own: Ipv4Interface | Ipv6Interface, address: Ip): boolean {
  if (typeof address === 'number') return isIpv4(own) && isOnLink(own, address);
  return !isIpv4(own) && isInIpv6Prefix(own, address);
}

function isIpv4(own: Ipv4Interface | Ipv6Interface): own is Ipv4Interface {
  return typeof own.address === 'number';
}

/** Why no station of the network can have the address, which is of its family. */
export function stationFault(address: Ip, own: Ipv4Interface | Ipv6Interface): Fault | undefined {
  if (typeof address === 'number') return isIpv4(own) ? hostFault(address, own) : undefined;
  return isIpv4(own) ? undefined : ipv6HostFault(address, own);
}

function placeOfName(guest: string, nic: string | undefined, { networks, nics }: ForwardPlaces): Place | Fault {
  if (nics.length === 0) return placeOfStranger(guest, networks);
  const own = nics.filter(({ node }) => node === guest);
  if (own.length === 0) return unknown('node', guest, [...new Set(nics.map(({ node }) => node))]);
  const meant = nic === undefined ? own : own.filter(({ name }) => name === nic);
  if (meant.length === 0)
    return unknown(
      'nic',
      `${guest}:${nic}`,
      own.map(({ name }) => `${guest}:${name}`),
    );
  const reachable = meant.filter(({ network }) => networks.some(({ name }) => name === network));
  const [first, second] = reachable;
  if (first === undefined) {
    const message = `${guest} is on no network with a gateway that could forward`;
    return fault('no-gateway', message, 'give one of its networks a gateway, or plug it in elsewhere');
  }
  if (second !== undefined) {
    const message = `${guest} has several cards: ${reachable.map(({ name }) => name).join(', ')}`;
    return fault('ambiguous-guest', message, `say which one, as ${guest}:${first.name}:PORT`);
  }
  return placeOfNic(first, own, networks);
}

/** The name stands where it means this card; otherwise its address does. */
function placeOfNic(nic: ForwardNic, own: readonly ForwardNic[], networks: ForwardPlaces['networks']): Place | Fault {
  const { node, name, network, address, ipv6 } = nic;
  const isAlone = own.every((other) => other === nic || other.network !== network);
  const hasDhcp = networks.find((each) => each.name === network)?.hasDhcp === true;
  if (isAlone && hasDhcp) return { network, guest: node };
  const reserved = address ?? ipv6;
  if (reserved !== undefined) return { network, guest: reserved };
  if (!hasDhcp) {
    const message = `${network} has no DHCP, so nobody knows the address of ${node}`;
    return fault('no-dhcp', message, `write its address in place of ${node}`);
  }
  const message = `${node} has several cards on ${network}, and no address is reserved for ${node}:${name}`;
  return fault('ambiguous-guest', message, 'give the card an address');
}

/** Without nodes any machine may have told DHCP its name. */
function placeOfStranger(guest: string, networks: ForwardPlaces['networks']): Place | Fault {
  const [network] = networks;
  if (network?.hasDhcp === true) return { network: network.name, guest };
  return fault('no-gateway', `nobody knows the address of ${guest}`, 'write its address, on a network with a gateway');
}

function unknown(kind: 'node' | 'nic', given: string, known: readonly string[]): Fault {
  const meant = nearestWord(given, known);
  const hint = meant === undefined ? `take one of ${known.join(', ')}` : `did you mean ${meant}?`;
  return fault(`unknown-${kind}`, `there is no ${kind === 'node' ? 'node' : 'card'} ${given}`, hint);
}

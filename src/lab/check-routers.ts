/** Checks the routers of a lab file: where they are plugged in, what they are called, and where they lead. */
import type { IssuePath } from '../base/issue.ts';
import type { StaticIpv6Route, StaticRoute } from '../router/router.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv4, isOnLink } from '../wire/ipv4-address.ts';
import type { Ipv6Interface } from '../wire/ipv6-address.ts';
import { isInIpv6Prefix, isSameIpv6 } from '../wire/ipv6-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import { formatMac } from '../wire/mac.ts';
import type { Fault } from './check-addresses.ts';
import { hostFault, subnetText } from './check-addresses.ts';
import { ipv6HostFault } from './check-ipv6.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { reportBadName } from './check-networks.ts';
import { reportUnknownNetwork } from './check-nics.ts';
import type { GatewayRoutes } from './check-routing.ts';
import { checkRoutes, IPV4_ROUTES, IPV6_ROUTES, prefixText, routesByFamily, withoutIndex } from './check-routing.ts';
import { derivedGatewayMac, gatewayMac, overlap } from './derive.ts';
import { isName } from './names.ts';
import type { RouterInterfacePlan } from './plan.ts';
import type { SoundLab } from './schema-issues.ts';
import type { RouterEntry } from './schema-router.ts';
import type { CaptureEntry } from './schema-values.ts';

export interface CheckedRouter extends GatewayRoutes {
  readonly name: string;
  readonly interfaces: readonly CheckedInterface[];
}

export interface CheckedInterface extends RouterInterfacePlan {
  readonly router: string;
  readonly capture: CaptureEntry | undefined;
  readonly path: IssuePath;
}

export function checkRouters(
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  report: Report,
): readonly CheckedRouter[] {
  const nodes = Object.keys(sound.lab?.nodes ?? {});
  const entries = Object.entries(sound.lab?.routers ?? {});
  const hosts = new Map([
    ...nodes.map((name) => [name, `the node ${name}`] as const),
    ...entries.map(([name]) => [name, `the router ${name}`] as const),
  ]);
  const others: CheckedInterface[] = [];
  return entries.map(([name, entry]) => {
    const path = ['routers', name];
    if (!isName(name)) reportBadName(name, path, report);
    if (nodes.includes(name)) {
      const message = `there is a node ${name}, too`;
      report({ code: 'name-taken', path, message, hint: 'give one of them another name', isAboutKey: true });
    }
    const interfaces = checkInterfaces(name, entry, { sound, networks, hosts, others }, report);
    others.push(...interfaces);
    return { name, interfaces, ...routesOf(entry, name, interfaces, sound, report) };
  });
}

interface Surroundings {
  readonly sound: SoundLab;
  readonly networks: readonly CheckedNetwork[];
  /** Names that name servers know, and whose they are. */
  readonly hosts: ReadonlyMap<string, string>;
  /** Those of the routers before. */
  readonly others: readonly CheckedInterface[];
}

function checkInterfaces(
  router: string,
  { interfaces }: RouterEntry,
  { sound, networks, hosts, others }: Surroundings,
  report: Report,
): readonly CheckedInterface[] {
  const at = ['routers', router, 'interfaces'];
  if (interfaces.length === 0)
    report({
      code: 'empty',
      path: at,
      message: 'a router needs interfaces',
      hint: 'write [{ network: lan, address: 10.0.2.1 }]',
    });
  const found: CheckedInterface[] = [];
  for (const [i, entry] of interfaces.entries()) {
    if (entry === undefined) continue;
    const path = [...at, i];
    const name = entry.name ?? entry.network;
    const network = networks.find((other) => other.name === entry.network);
    if (network === undefined)
      reportUnknownNetwork({ entry, networkPath: [...path, 'network'] }, sound, networks, report);
    for (const fault of nameFaults(router, name, found, hosts, networks)) report({ ...fault, path });
    const mac =
      entry.mac ?? (entry.address === undefined ? derivedGatewayMac(router, name) : gatewayMac(entry.address));
    const macOwner = [...others, ...found].find((other) => other.mac === mac && other.network === entry.network);
    if (entry.mac !== undefined && macOwner !== undefined) {
      const message = `${formatMac(mac)} belongs to ${macOwner.router}:${macOwner.name}`;
      report({ code: 'mac-taken', path: [...path, 'mac'], message, hint: 'take another, or leave it out' });
    }
    if (network === undefined) continue;
    if (entry.address === undefined && entry.ipv6 === undefined && !sound.hasFaultIn(path)) {
      const hint = 'write address: 10.0.2.1, or ipv6: with one of the prefix';
      report({ code: 'missing-key', path: [...path, 'address'], message: 'address is missing', hint });
    }
    const own = ipv4Interface(router, entry, network, found, others, path, sound, report);
    const ipv6 = ipv6Interface(entry, network, [...others, ...found], path, sound, report);
    if (own === undefined && ipv6 === undefined) continue;
    found.push({
      router,
      name,
      network: network.name,
      mac,
      ...(own !== undefined && { interface: own }),
      ...(ipv6 !== undefined && { ipv6 }),
      capture: entry.capture,
      path,
    });
  }
  return found;
}

type InterfaceEntry = NonNullable<RouterEntry['interfaces'][number]>;

function ipv4Interface(
  router: string,
  { address }: InterfaceEntry,
  network: CheckedNetwork,
  found: readonly CheckedInterface[],
  others: readonly CheckedInterface[],
  path: IssuePath,
  sound: SoundLab,
  report: Report,
): Ipv4Interface | undefined {
  if (address === undefined) return undefined;
  const { name, subnet, entry } = network;
  if (entry.ipv4 === 'off') {
    const hint = `remove it, or ipv4: off in ${name}`;
    report({ code: 'ipv4-off', path: [...path, 'address'], message: `${name} has no IPv4`, hint });
    return undefined;
  }
  if (subnet === undefined) {
    if (entry.gateway === 'none' && !sound.isFaulty(['networks', name, 'subnet'])) {
      const message = `${name} has no subnet that the address could be in`;
      report({ code: 'no-subnet', path: [...path, 'network'], message, hint: `give ${name} a subnet` });
    }
    return undefined;
  }
  const own = { address, prefixLength: subnet.prefixLength };
  const fault = addressFault(own, network, subnet, [...others, ...found]);
  if (fault !== undefined) report({ ...fault, path: [...path, 'address'] });
  const twin = found.find((other) => other.interface !== undefined && overlap(other.interface, subnet));
  if (twin !== undefined) {
    const message = `${router}:${twin.name} is in ${subnetText(subnet)}, too`;
    report({ code: 'subnet-overlap', path: [...path, 'network'], message, hint: 'remove one of the interfaces' });
  }
  return own;
}

function ipv6Interface(
  { ipv6: address }: InterfaceEntry,
  { name, entry, ipv6 }: CheckedNetwork,
  others: readonly CheckedInterface[],
  path: IssuePath,
  sound: SoundLab,
  report: Report,
): Ipv6Interface | undefined {
  if (address === undefined) return undefined;
  const at = [...path, 'ipv6'];
  if (ipv6 === undefined) {
    if (sound.hasFaultIn(['networks', name])) return undefined;
    const hint = `write ipv6: ${entry.gateway === 'none' ? '{ prefix: fd00:1:2:3::/64 }' : 'on'} in ${name}`;
    report({ code: 'no-prefix', path: at, message: `${name} has no prefix that the address could be in`, hint });
    return undefined;
  }
  const twin = others.find((other) => other.network === name && other.ipv6 && isSameIpv6(other.ipv6.address, address));
  const isGateway = entry.gateway !== 'none' && isSameIpv6(address, ipv6.interface.address);
  const owner = isGateway ? `the gateway of ${name}` : twin && `${twin.router}:${twin.name}`;
  const fault = ipv6HostFault(address, ipv6.interface);
  if (fault !== undefined) report({ ...fault, path: at });
  else if (owner !== undefined) {
    const message = `${formatIpv6(address)} belongs to ${owner}`;
    report({ code: 'address-taken', path: at, message, hint: 'take another' });
  }
  return { address, prefixLength: ipv6.interface.prefixLength };
}

/** A port is `ROUTER:NAME`, and name servers know `ROUTER-NAME`. */
function nameFaults(
  router: string,
  name: string,
  own: readonly CheckedInterface[],
  hosts: ReadonlyMap<string, string>,
  networks: readonly CheckedNetwork[],
): readonly Fault[] {
  const faults: Fault[] = [];
  if (own.some((other) => other.name === name))
    faults.push({
      code: 'nic-name-taken',
      message: `${router} has an interface named ${name} already`,
      hint: 'take another name',
    });
  const host = hosts.get(`${router}-${name}`);
  if (host !== undefined)
    faults.push({
      code: 'name-taken',
      message: `its name ${router}-${name} is that of ${host}`,
      hint: 'give the interface another name',
    });
  if (name === 'gateway' && networks.some((other) => other.name === router && other.gateway !== undefined)) {
    const message = `the port ${router}:gateway is that of the gateway of ${router}`;
    faults.push({ code: 'port-taken', message, hint: 'give the interface another name, or rename the router' });
  }
  return faults;
}

function addressFault(
  { address }: Ipv4Interface,
  { name, gateway }: CheckedNetwork,
  subnet: Ipv4Interface,
  others: readonly CheckedInterface[],
): Fault | undefined {
  const fault = hostFault(address, subnet);
  if (fault !== undefined) return fault;
  const other = others.find((each) => each.network === name && each.interface?.address === address);
  const owner =
    address === gateway?.interface?.address ? `the gateway of ${name}` : other && `${other.router}:${other.name}`;
  if (owner === undefined) return undefined;
  return { code: 'address-taken', message: `${formatIpv4(address)} belongs to ${owner}`, hint: 'take another' };
}

function routesOf(
  { routes = [], interfaces }: RouterEntry,
  router: string,
  found: readonly CheckedInterface[],
  sound: SoundLab,
  report: Report,
): GatewayRoutes {
  const path = ['routers', router, 'routes'];
  const isKnown = found.length === interfaces.length && !sound.hasFaultIn(['routers', router, 'interfaces']);
  const itself = {
    code: 'address-taken',
    message: `that is ${router} itself`,
    hint: 'name another router of the network',
  };
  const written = routesByFamily(routes, path, report);
  const links = found.flatMap(({ interface: own, network }) => (own === undefined ? [] : [{ own, network }]));
  const viaFault = ({ via }: StaticRoute): Fault | undefined => {
    const link = links.find(({ own }) => isOnLink(own, via));
    if (link !== undefined) return link.own.address === via ? itself : hostFault(via, link.own);
    const known = links.map(({ network, own }) => `${network} (${subnetText(own)})`);
    return isKnown ? onNoNetwork(router, formatIpv4(via), known) : undefined;
  };
  const ipv6Links = found.flatMap(({ ipv6: own, network }) => (own === undefined ? [] : [{ own, network }]));
  const ipv6ViaFault = ({ via }: StaticIpv6Route): Fault | undefined => {
    const link = ipv6Links.find(({ own }) => isInIpv6Prefix(own, via));
    if (link !== undefined) return isSameIpv6(link.own.address, via) ? itself : ipv6HostFault(via, link.own);
    const known = ipv6Links.map(({ network, own }) => `${network} (${prefixText(own)})`);
    return isKnown ? onNoNetwork(router, formatIpv6(via), known) : undefined;
  };
  const taken = [
    ...links.map(({ own, network }) => ({ to: subnetText(own), by: `the network ${network}` })),
    ...ipv6Links.map(({ own, network }) => ({ to: prefixText(own), by: `the network ${network}` })),
  ];
  return {
    routes: checkRoutes(written.ipv4, IPV4_ROUTES, viaFault, taken, path, report).map(withoutIndex),
    ipv6Routes: checkRoutes(written.ipv6, IPV6_ROUTES, ipv6ViaFault, taken, path, report).map(withoutIndex),
  };
}

function onNoNetwork(router: string, via: string, known: readonly string[]): Fault {
  const hint =
    known.length === 0 ? 'give an interface an address of that family' : `take a router on ${known.join(', ')}`;
  return { code: 'outside-subnet', message: `${via} is on no network of ${router}`, hint };
}

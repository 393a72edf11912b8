/** Checks the routers of a lab file: where they are plugged in, what they are called, and where they lead. */
import type { IssuePath } from '../base/issue.ts';
import type { StaticRoute } from '../router/router.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv4, isOnLink } from '../wire/ipv4-address.ts';
import { formatMac } from '../wire/mac.ts';
import type { Fault } from './check-addresses.ts';
import { hostFault, subnetText } from './check-addresses.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { reportBadName } from './check-networks.ts';
import { reportUnknownNetwork } from './check-nics.ts';
import { checkRoutes } from './check-routing.ts';
import { gatewayMac, overlap } from './derive.ts';
import { isName } from './names.ts';
import type { RouterInterfacePlan } from './plan.ts';
import type { SoundLab } from './schema-issues.ts';
import type { RouterEntry } from './schema-router.ts';
import type { CaptureEntry } from './schema-values.ts';

export interface CheckedRouter {
  readonly name: string;
  readonly interfaces: readonly CheckedInterface[];
  readonly routes: readonly StaticRoute[];
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
    return { name, interfaces, routes: routesOf(entry, name, interfaces, sound, report) };
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
    const mac = entry.mac ?? gatewayMac(entry.address);
    const macOwner = [...others, ...found].find((other) => other.mac === mac && other.network === entry.network);
    if (entry.mac !== undefined && macOwner !== undefined) {
      const message = `${formatMac(mac)} belongs to ${macOwner.router}:${macOwner.name}`;
      report({ code: 'mac-taken', path: [...path, 'mac'], message, hint: 'take another, or leave it out' });
    }
    if (network === undefined) continue;
    const { subnet } = network;
    if (subnet === undefined) {
      if (network.entry.gateway === 'none' && !sound.isFaulty(['networks', network.name, 'subnet'])) {
        const message = `${network.name} has no subnet that the address could be in`;
        report({ code: 'no-subnet', path: [...path, 'network'], message, hint: `give ${network.name} a subnet` });
      }
      continue;
    }
    const own = { address: entry.address, prefixLength: subnet.prefixLength };
    const fault = addressFault(own, network, subnet, [...others, ...found]);
    if (fault !== undefined) report({ ...fault, path: [...path, 'address'] });
    const twin = found.find((other) => overlap(other.interface, subnet));
    if (twin !== undefined) {
      const message = `${router}:${twin.name} is in ${subnetText(subnet)}, too`;
      report({ code: 'subnet-overlap', path: [...path, 'network'], message, hint: 'remove one of the interfaces' });
    }
    found.push({ router, name, network: network.name, mac, interface: own, capture: entry.capture, path });
  }
  return found;
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
  const other = others.find((each) => each.network === name && each.interface.address === address);
  const owner =
    address === gateway?.interface.address ? `the gateway of ${name}` : other && `${other.router}:${other.name}`;
  if (owner === undefined) return undefined;
  return { code: 'address-taken', message: `${formatIpv4(address)} belongs to ${owner}`, hint: 'take another' };
}

function routesOf(
  { routes = [], interfaces }: RouterEntry,
  router: string,
  found: readonly CheckedInterface[],
  sound: SoundLab,
  report: Report,
): readonly StaticRoute[] {
  const path = ['routers', router];
  const isKnown = found.length === interfaces.length && !sound.hasFaultIn([...path, 'interfaces']);
  const taken = found.map(({ interface: own, network }) => ({ to: own, by: `the network ${network}` }));
  const viaFault = ({ via }: StaticRoute): Fault | undefined => {
    const link = found.find(({ interface: own }) => isOnLink(own, via));
    if (link !== undefined && link.interface.address === via)
      return { code: 'address-taken', message: `that is ${router} itself`, hint: 'name another router of the network' };
    if (link !== undefined) return hostFault(via, link.interface);
    if (!isKnown) return undefined;
    const links = found.map(({ network, interface: own }) => `${network} (${subnetText(own)})`).join(', ');
    return {
      code: 'outside-subnet',
      message: `${formatIpv4(via)} is on no network of ${router}`,
      hint: `take a router on ${links}`,
    };
  };
  return checkRoutes(routes, viaFault, taken, [...path, 'routes'], report).map(({ to, via }) => ({ to, via }));
}

/** Checks the cards of a lab file, and gives names and link addresses to those that have none. */
import type { IssuePath } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ipv6Key } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import { formatMac } from '../wire/mac.ts';
import type { Fault } from './check-addresses.ts';
import { hostFault } from './check-addresses.ts';
import { nicIpv6Fault } from './check-ipv6.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { reportBadName } from './check-networks.ts';
import type { CheckedRouter } from './check-routers.ts';
import { deriveMac } from './derive.ts';
import { isName } from './names.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NicEntry } from './schema-node.ts';
import type { CaptureEntry } from './schema-values.ts';

export interface CheckedNic {
  readonly node: string;
  readonly name: string;
  readonly network: string;
  readonly mac: Mac;
  readonly address: Ipv4 | undefined;
  readonly ipv6: Ipv6 | undefined;
  readonly capture: CaptureEntry | undefined;
  readonly path: IssuePath;
}

/** A card as it stands in the file. */
interface WrittenNic {
  readonly node: string;
  readonly entry: NicEntry;
  readonly path: IssuePath;
  /** Where the network's name stands. */
  readonly networkPath: IssuePath;
}

export function checkNics(
  lab: string,
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  routers: readonly CheckedRouter[],
  report: Report,
): readonly CheckedNic[] {
  const written = writtenNics(sound, report);
  const names = nameNics(written, report);
  const macs = giveMacs(lab, written, names, networks, routers, report);
  const isServed = (name: string) => networks.some((network) => network.name === name && network.gateway !== undefined);
  const addresses = new Map<Ipv4, string>(
    routers
      .flatMap(({ interfaces }) => interfaces)
      .filter(({ network }) => isServed(network))
      .flatMap(({ router, name, interface: own }) => (own === undefined ? [] : [[own.address, `${router}:${name}`]])),
  );
  const ipv6Addresses = new Map(
    routers
      .flatMap(({ interfaces }) => interfaces)
      .flatMap(({ router, name, ipv6 }) => (ipv6 === undefined ? [] : [[ipv6Key(ipv6.address), `${router}:${name}`]])),
  );
  return written.map((nic, i) => {
    const { node, entry, path } = nic;
    const network = networks.find(({ name }) => name === entry.network);
    if (network === undefined) reportUnknownNetwork(nic, sound, networks, report);
    const name = names[i]!;
    if (network !== undefined && entry.address !== undefined) {
      const fault = addressFault(entry.address, network, addresses);
      if (fault !== undefined) report({ ...fault, path: [...path, 'address'] });
      else addresses.set(entry.address, `${node}:${name}`);
    }
    if (network !== undefined && entry.ipv6 !== undefined) {
      const fault = nicIpv6Fault(entry.ipv6, network, ipv6Addresses);
      if (fault !== undefined) report({ ...fault, path: [...path, 'ipv6'] });
      else ipv6Addresses.set(ipv6Key(entry.ipv6), `${node}:${name}`);
    }
    if (name === 'gateway' && networks.some((other) => other.name === node && other.entry.gateway !== 'none')) {
      const message = `the port ${node}:gateway is that of the gateway of ${node}`;
      report({ code: 'port-taken', path, message, hint: 'give the card another name, or rename the node' });
    }
    return {
      node,
      name,
      network: entry.network,
      mac: macs[i]!,
      address: entry.address,
      ipv6: entry.ipv6,
      capture: entry.capture,
      path,
    };
  });
}

function writtenNics(sound: SoundLab, report: Report): readonly WrittenNic[] {
  const nodes = Object.entries(sound.lab?.nodes ?? {});
  if (nodes.length === 0 && !sound.hasFaultIn(['nodes'])) {
    report({
      code: 'empty',
      path: ['nodes'],
      message: 'a lab needs a node',
      hint: 'write nodes: { vm: { nics: [lan] } }',
    });
  }
  return nodes.flatMap(([node, { nics }]) => {
    const path = ['nodes', node];
    if (!isName(node)) reportBadName(node, path, report);
    if (nics.length === 0)
      report({
        code: 'empty',
        path: [...path, 'nics'],
        message: 'a node needs a card',
        hint: 'name a network in nics',
      });
    return nics.flatMap((nic, i): WrittenNic[] => {
      const at = [...path, 'nics', i];
      if (nic === undefined) return [];
      if (typeof nic === 'string') return [{ node, entry: { network: nic }, path: at, networkPath: at }];
      return [{ node, entry: nic, path: at, networkPath: [...at, 'network'] }];
    });
  });
}

/** A card is named for its network unless it says otherwise: `lan`, then `lan-2`. Given names come first. */
function nameNics(written: readonly WrittenNic[], report: Report): readonly string[] {
  const taken = new Set<string>();
  for (const { node, entry, path } of written) {
    if (entry.name === undefined) continue;
    const port = `${node}:${entry.name}`;
    if (taken.has(port)) {
      report({
        code: 'nic-name-taken',
        path: [...path, 'name'],
        message: `${node} has a card named ${entry.name} already`,
        hint: 'take another name',
      });
    }
    taken.add(port);
  }
  return written.map(({ node, entry }) => {
    if (entry.name !== undefined) return entry.name;
    let name = entry.network;
    for (let number = 2; taken.has(`${node}:${name}`); number++) name = `${entry.network}-${number}`;
    taken.add(`${node}:${name}`);
    return name;
  });
}

function giveMacs(
  lab: string,
  written: readonly WrittenNic[],
  names: readonly string[],
  networks: readonly CheckedNetwork[],
  routers: readonly CheckedRouter[],
  report: Report,
): readonly Mac[] {
  const owners = new Map<Mac, string>();
  for (const { name, gateway } of networks) {
    if (gateway !== undefined) owners.set(gateway.mac, `the gateway of ${name}`);
  }
  for (const { router, name, mac } of routers.flatMap(({ interfaces }) => interfaces))
    owners.set(mac, `${router}:${name}`);
  for (const [i, { node, entry, path }] of written.entries()) {
    if (entry.mac === undefined) continue;
    const owner = owners.get(entry.mac);
    if (owner !== undefined) {
      const message = `${formatMac(entry.mac)} belongs to ${owner}`;
      report({ code: 'mac-taken', path: [...path, 'mac'], message, hint: 'take another, or leave it out' });
    }
    owners.set(entry.mac, owner ?? `${node}:${names[i]}`);
  }
  const taken = new Set(owners.keys());
  return written.map(({ node, entry }, i) => entry.mac ?? deriveMac(lab, node, names[i]!, taken));
}

export function reportUnknownNetwork(
  { entry, networkPath }: Pick<WrittenNic, 'entry' | 'networkPath'>,
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  report: Report,
): void {
  if (sound.isFaulty(['networks', entry.network])) return;
  const names = networks.map(({ name }) => name);
  const meant = nearestWord(entry.network, names);
  const hint =
    meant === undefined ? `take one of ${names.join(', ')}, or add it to networks` : `did you mean ${meant}?`;
  report({
    code: 'unknown-network',
    path: networkPath,
    message: `there is no network ${JSON.stringify(entry.network)}`,
    hint,
  });
}

/** Why DHCP cannot hand this address to the card. */
function addressFault(
  address: Ipv4,
  { name, entry, gateway }: CheckedNetwork,
  taken: ReadonlyMap<Ipv4, string>,
): Fault | undefined {
  if (entry.gateway === 'none') {
    return {
      code: 'no-gateway',
      message: `${name} has no gateway that could hand out addresses`,
      hint: `remove it, or remove gateway: none in ${name}`,
    };
  }
  if (entry.dhcp === false) {
    return {
      code: 'no-dhcp',
      message: `${name} has no DHCP that could hand out addresses`,
      hint: `remove it, or remove dhcp: false in ${name}`,
    };
  }
  if (entry.ipv4 === 'off') {
    const hint = `remove it, or ipv4: off in ${name}`;
    return { code: 'ipv4-off', message: `${name} has no IPv4`, hint };
  }
  if (gateway?.interface === undefined) return undefined;
  const fault = hostFault(address, gateway.interface);
  if (fault !== undefined) return fault;
  const owner = address === gateway.interface.address ? `the gateway of ${name}` : taken.get(address);
  if (owner === undefined) return undefined;
  return {
    code: 'address-taken',
    message: `${formatIpv4(address)} belongs to ${owner}`,
    hint: 'take another, or leave it out',
  };
}

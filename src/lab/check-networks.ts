/** Checks the networks of a lab file against each other and in themselves, and fills in what they leave out. */
import type { IssuePath } from '../base/issue.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { Fault } from './check-addresses.ts';
import { hostBitsFault, hostFault, subnetFault, subnetText } from './check-addresses.ts';
import { checkEgress } from './check-egress.ts';
import type { CheckedIpv6 } from './check-ipv6.ts';
import { checkIpv6 } from './check-ipv6.ts';
import type { AddressRange } from './derive.ts';
import { defaultPool, derivedGatewayMac, freeSubnet, gatewayAddress, gatewayMac, holds, overlap } from './derive.ts';
import type { Finding } from './issue.ts';
import { badName, isName } from './names.ts';
import type { BootEntry, DhcpEntry } from './schema-dhcp.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NetworkEntry } from './schema-network.ts';

export interface CheckedNetwork {
  readonly name: string;
  readonly entry: NetworkEntry;
  /** Undefined where it is not known for faults, without IPv4, or where there is neither a gateway nor a router that needs one. */
  readonly subnet: Ipv4Interface | undefined;
  /** Undefined where there is none, or where its subnet is not known for faults. */
  readonly gateway: CheckedGateway | undefined;
  /** Undefined without IPv6, or where its prefix is not known for faults. */
  readonly ipv6: CheckedIpv6 | undefined;
}

export interface CheckedGateway {
  /** Undefined without IPv4. */
  readonly interface: Ipv4Interface | undefined;
  readonly mac: Mac;
  /** Undefined without DHCP. */
  readonly pool: AddressRange | undefined;
}

export type Report = (finding: Finding) => void;

export function checkNetworks(lab: string, sound: SoundLab, report: Report): readonly CheckedNetwork[] {
  const entries = Object.entries(sound.lab?.networks ?? {});
  if (entries.length === 0 && !sound.hasFaultIn(['networks'])) {
    report({
      code: 'empty',
      path: ['networks'],
      message: 'a lab needs a network',
      hint: 'write networks: { lan: {} }',
    });
  }
  const subnets = chooseSubnets(entries, sound, report);
  const prefixes = checkIpv6(lab, entries, sound, report);
  const routers = Object.values(sound.lab?.routers ?? {});
  const routed = new Set(routers.flatMap(({ interfaces }) => interfaces.map((each) => each?.network)));
  return entries.map(([name, entry]) => {
    const path = ['networks', name];
    if (!isName(name)) reportBadName(name, path, report);
    if (name === 'all')
      report({
        code: 'bad-name',
        path,
        message: '`vmlan capture all` means all networks',
        hint: 'choose another name',
        isAboutKey: true,
      });
    if (entry.gateway === 'none') {
      const hasRouter = routed.has(name);
      reportUseless(hasRouter ? { ...entry, subnet: undefined, ipv6: undefined } : entry, path, report);
      const subnet = hasRouter ? subnetOfRouters(entry, path, report) : undefined;
      return { name, entry, subnet, gateway: undefined, ipv6: prefixes.get(name) };
    }
    const subnet = subnets.get(name);
    checkEgress(entry, path, report);
    if (entry.boot !== undefined) checkBoot(entry.boot, entry, path, report);
    return {
      name,
      entry,
      subnet,
      gateway:
        entry.ipv4 === 'off'
          ? { interface: undefined, pool: undefined, mac: derivedGatewayMac(lab, name) }
          : subnet && checkGateway(subnet, entry, path, report),
      ipv6: prefixes.get(name),
    };
  });
}

/** Without a gateway the subnet is said where routers need it. */
function subnetOfRouters({ subnet }: NetworkEntry, path: IssuePath, report: Report): Ipv4Interface | undefined {
  const fault = subnet && subnetFault(subnet);
  if (fault !== undefined) report({ ...fault, path: [...path, 'subnet'] });
  return fault === undefined || fault.code === 'host-bits' ? subnet : undefined;
}

export function reportBadName(name: string, path: IssuePath, report: Report): void {
  const [message, hint] = badName(name).split('; ') as [string, string];
  report({ code: 'bad-name', path, message, hint, isAboutKey: true });
}

/** Each network with a gateway has a subnet of its own; those without get the free ones that come first. */
function chooseSubnets(
  entries: readonly [string, NetworkEntry][],
  sound: SoundLab,
  report: Report,
): ReadonlyMap<string, Ipv4Interface> {
  const chosen = new Map<string, Ipv4Interface>();
  const withGateway = entries.filter(([, entry]) => entry.gateway !== 'none' && entry.ipv4 !== 'off');
  for (const [name, { subnet }] of withGateway) {
    if (subnet === undefined) continue;
    const path = ['networks', name, 'subnet'];
    const fault = subnetFault(subnet) ?? overlapFault(subnet, chosen);
    if (fault !== undefined) report({ ...fault, path });
    if (fault === undefined || fault.code === 'host-bits') chosen.set(name, subnet);
  }
  for (const [name, { subnet }] of withGateway) {
    if (subnet !== undefined || sound.isFaulty(['networks', name, 'subnet'])) continue;
    const free = freeSubnet([...chosen.values()]);
    if (free !== undefined) chosen.set(name, free);
    else
      report({
        code: 'no-free-subnet',
        path: ['networks', name],
        message: 'no subnet from 10.0.2.0/24 to 10.0.255.0/24 is free',
        hint: 'give it one',
      });
  }
  return chosen;
}

function overlapFault(subnet: Ipv4Interface, chosen: ReadonlyMap<string, Ipv4Interface>): Fault | undefined {
  for (const [name, other] of chosen) {
    if (!overlap(subnet, other)) continue;
    const message = `${subnetText(subnet)} overlaps ${subnetText(other)} of ${name}`;
    return { code: 'subnet-overlap', message, hint: 'take another, or leave it out' };
  }
  return undefined;
}

const FOR_A_GATEWAY = [
  'subnet',
  'address',
  'ipv6',
  'dhcp',
  'dns',
  'boot',
  'host-access',
  'restrict',
  'metadata',
  'source',
  'guest-forwards',
  'routes',
] as const satisfies (keyof NetworkEntry)[];

/** What only a gateway could do is not silently left undone. */
function reportUseless(entry: NetworkEntry, path: IssuePath, report: Report): void {
  for (const key of FOR_A_GATEWAY) {
    const value = entry[key];
    if (value === undefined || value === false || value === 'refuse' || value === 'off') continue;
    const message = `without a gateway nobody would act on ${key}`;
    report({
      code: 'no-gateway',
      path: [...path, key],
      message,
      hint: `remove it (${key}: null where it is inherited), or remove gateway: none`,
      isAboutKey: true,
    });
  }
}

function checkGateway(subnet: Ipv4Interface, entry: NetworkEntry, path: IssuePath, report: Report): CheckedGateway {
  const fault = entry.address === undefined ? undefined : hostFault(entry.address, subnet);
  if (fault !== undefined) report({ ...fault, path: [...path, 'address'] });
  const address = entry.address === undefined || fault !== undefined ? gatewayAddress(subnet) : entry.address;
  const own = { address, prefixLength: subnet.prefixLength };
  const pool = entry.dhcp === false ? undefined : checkDhcp(entry.dhcp ?? {}, own, [...path, 'dhcp'], report);
  return { interface: own, pool, mac: gatewayMac(address) };
}

function checkDhcp({ range, routes }: DhcpEntry, own: Ipv4Interface, path: IssuePath, report: Report): AddressRange {
  for (const [i, route] of (routes ?? []).entries()) {
    if (route === undefined) continue;
    const { to, via } = route;
    const toFault = hostBitsFault(to);
    if (toFault !== undefined) report({ ...toFault, path: [...path, 'routes', i, 'to'] });
    const viaFault = hostFault(via, own);
    if (viaFault !== undefined) report({ ...viaFault, path: [...path, 'routes', i, 'via'] });
  }
  if (range === undefined) return defaultPool(own, own.address);
  const fault = rangeFault(range, own);
  if (fault !== undefined) report({ ...fault, path: [...path, 'range'] });
  return range;
}

function rangeFault(range: AddressRange, own: Ipv4Interface): Fault | undefined {
  const { first, last } = range;
  if (first > last) {
    return {
      code: 'reversed-range',
      message: 'the range ends before it begins',
      hint: `write ${formatIpv4(last)}-${formatIpv4(first)}`,
    };
  }
  const hostsFault = hostFault(first, own) ?? hostFault(last, own);
  if (hostsFault !== undefined) return hostsFault;
  if (!holds(range, own.address)) return undefined;
  const message = `the gateway's own address ${formatIpv4(own.address)} is in the range`;
  return { code: 'address-taken', message, hint: 'let the range begin behind it, or give the gateway another address' };
}

function checkBoot(boot: BootEntry, entry: NetworkEntry, path: IssuePath, report: Report): void {
  const at = [...path, 'boot'];
  if (Object.keys(boot).length === 0) {
    report({
      code: 'empty',
      path: at,
      message: 'there is nothing to boot from',
      hint: 'give tftp a folder and bootfile a name',
    });
  }
  if (boot.bootfile === undefined) {
    for (const key of ['server', 'server-name'] as const) {
      if (boot[key] === undefined) continue;
      report({
        code: 'no-bootfile',
        path: [...at, key],
        message: 'a server is told only together with a bootfile',
        hint: 'add bootfile',
        isAboutKey: true,
      });
    }
    return;
  }
  const bootfile = [...at, 'bootfile'];
  if (entry.dhcp === false) {
    report({
      code: 'no-dhcp',
      path: bootfile,
      message: 'without DHCP nobody is told the bootfile',
      hint: 'remove it, or remove dhcp: false',
    });
  }
  const isElsewhere =
    boot.server !== undefined || boot['server-name'] !== undefined || /^[a-z]+:\/\//i.test(boot.bootfile);
  if (boot.tftp === undefined && !isElsewhere) {
    report({
      code: 'no-tftp',
      path: bootfile,
      message: 'nobody offers the bootfile',
      hint: 'add tftp: FOLDER, or name the server that has it',
    });
  }
}

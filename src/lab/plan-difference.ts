/**
 * What lies between the plan by which a lab runs and another: what comes, what goes, and what cannot change as long as it runs.
 *
 * A network is the same as long as it has the same name. What is told about one of its settings is a change of the gateway's services, or
 * it cannot change. A card that differs in anything goes and comes again.
 */
import type { IssuePath } from '../base/issue.ts';
import type { HostForward } from '../nat/forward-spec.ts';
import { formatForward } from '../nat/forward-text.ts';
import { samePath } from './file-name.ts';
import type { Finding } from './issue.ts';
import type { MachinePlan } from './machine-plan.ts';
import type { CapturePlan, GatewayPlan, LabPlan, LinkPlan, NetworkPlan, NicPlan, RouterPlan } from './plan.ts';
import { portName } from './plan.ts';
import { sameValue } from './same-value.ts';
import type { SeedPlan } from './seed-plan.ts';

export interface PlanDifference {
  readonly networks: {
    readonly added: readonly NetworkPlan[];
    readonly removed: readonly NetworkPlan[];
    /** Whose gateway is to answer otherwise: the plans that they get. */
    readonly changed: readonly NetworkPlan[];
  };
  readonly nics: Changes<NicPlan>;
  /** Of networks that stay. */
  readonly forwards: Changes<PlannedForward>;
  /** Of nodes that had none, or have none any more. */
  readonly machines: Changes<MachinePlan>;
  readonly captures: Changes<CapturePlan>;
  /** One that differs in anything goes and comes again. */
  readonly routers: Changes<RouterPlan>;
  /** What links do now that did something else; one that is told of no more does nothing. */
  readonly links: readonly LinkPlan[];
  /** What cannot change, by its place in the lab file. */
  readonly impossible: readonly Finding[];
}

export interface PlannedForward {
  readonly network: string;
  readonly forward: HostForward;
}

interface Changes<Thing> {
  readonly added: readonly Thing[];
  readonly removed: readonly Thing[];
}

export function planDifference(before: LabPlan, now: LabPlan): PlanDifference {
  const kept = now.networks.flatMap((network) => {
    const earlier = before.networks.find(({ name }) => name === network.name);
    return earlier === undefined ? [] : [{ earlier, network }];
  });
  const [earlierMachines, machines] = [before.machines ?? [], now.machines ?? []];
  return {
    networks: {
      added: now.networks.filter(({ name }) => !before.networks.some((network) => network.name === name)),
      removed: before.networks.filter(({ name }) => !now.networks.some((network) => network.name === name)),
      changed: kept.filter(({ earlier, network }) => !sameValue(earlier, network)).map(({ network }) => network),
    },
    nics: changes(before.nics, now.nics),
    forwards: changes(
      kept.flatMap(({ earlier }) => forwardsOf(earlier)),
      kept.flatMap(({ network }) => forwardsOf(network)),
    ),
    machines: {
      added: machines.filter(({ node }) => !earlierMachines.some((machine) => machine.node === node)),
      removed: earlierMachines.filter(({ node }) => !machines.some((machine) => machine.node === node)),
    },
    captures: changes(before.captures, now.captures),
    routers: changes(before.routers ?? [], now.routers ?? []),
    links: changedLinks(before.links ?? [], now.links ?? []),
    impossible: [
      ...(before.name === now.name ? [] : [fixed(['name'], 'the name of the lab')]),
      ...kept
        .flatMap(({ earlier, network }) => fixedOfNetwork(earlier, network))
        // another name is another prefix: that is said already
        .filter(({ path }) => before.name === now.name || path[2] !== 'ipv6'),
      ...machines
        .filter((machine) => earlierMachines.some(({ node }) => node === machine.node))
        .filter((machine) => !earlierMachines.some((earlier) => sameValue(earlier, machine)))
        .map(({ node }) => fixed(['nodes', node, 'qemu'], `the machine of node ${node}`)),
      ...[...changedSeeds(before.seeds ?? [], now.seeds ?? [])].map((node) =>
        fixed(['nodes', node, 'cloud-init'], `what cloud-init of node ${node} finds`),
      ),
      ...now.captures
        .filter((capture) => isRewritten(capture, before))
        .map(({ file }) => fixed(['capture'], `what is recorded to ${file}`)),
      ...Object.keys({ ...before, ...now }).flatMap((key) => fixedOfLab(key as keyof LabPlan, before, now)),
    ],
  };
}

/** For people: a phrase for each change. */
export function changeTexts({
  networks,
  nics,
  forwards,
  machines,
  captures,
  routers,
  links,
}: PlanDifference): readonly string[] {
  return [
    ...networks.added.map(({ name }) => `network ${name} comes`),
    ...networks.changed.map(({ name }) => `network ${name} answers otherwise`),
    ...routers.added.map(({ name }) => `router ${name} comes`),
    ...nics.added.map((nic) => `card ${portName(nic)} comes`),
    ...forwards.added.map(({ forward }) => `forward ${formatForward(forward)} comes`),
    ...machines.added.map(({ node }) => `machine ${node} comes`),
    ...captures.added.map(({ file }) => `capture ${file} comes`),
    ...links.map(({ port }) => `link of ${port} changes`),
    ...machines.removed.map(({ node }) => `machine ${node} goes`),
    ...nics.removed.map((nic) => `card ${portName(nic)} goes`),
    ...forwards.removed.map(({ forward }) => `forward ${formatForward(forward)} goes`),
    ...captures.removed.map(({ file }) => `capture ${file} goes`),
    ...routers.removed.map(({ name }) => `router ${name} goes`),
    ...networks.removed.map(({ name }) => `network ${name} goes`),
  ];
}

function changes<Thing>(before: readonly Thing[], now: readonly Thing[]): Changes<Thing> {
  return {
    added: now.filter((thing) => !before.some((other) => sameValue(thing, other))),
    removed: before.filter((thing) => !now.some((other) => sameValue(thing, other))),
  };
}

function changedLinks(before: readonly LinkPlan[], now: readonly LinkPlan[]): readonly LinkPlan[] {
  const { added, removed } = changes(before, now);
  const gone = removed.filter(({ port }) => !added.some((link) => link.port === port));
  return [...added, ...gone.map(({ port }) => ({ port, fromGuest: {}, toGuest: {} }))];
}

/** The nodes whose seed comes, goes or is another. */
function changedSeeds(before: readonly SeedPlan[], now: readonly SeedPlan[]): ReadonlySet<string> {
  const { added, removed } = changes(before, now);
  return new Set([...added, ...removed].map(({ node }) => node));
}

/** Whether the file of a capture that goes would be that of one that comes. */
function isRewritten(capture: CapturePlan, before: LabPlan): boolean {
  return before.captures.some((other) => samePath(other.file, capture.file) && !sameValue(other, capture));
}

function forwardsOf({ name, gateway }: NetworkPlan): readonly PlannedForward[] {
  return (gateway?.hostForwards ?? []).map((forward) => ({ network: name, forward }));
}

/** Parts of a lab's plan whose changes are told above. */
const LAB_PARTS: ReadonlySet<keyof LabPlan> = new Set([
  'name',
  'networks',
  'nics',
  'captures',
  'routers',
  'machines',
  'links',
  'seeds',
]);

function fixedOfLab(key: keyof LabPlan, before: LabPlan, now: LabPlan): readonly Finding[] {
  return LAB_PARTS.has(key) || sameValue(before[key], now[key]) ? [] : [fixed([key], key)];
}

/** What a gateway takes over as it runs. */
const LIVE: ReadonlySet<keyof GatewayPlan> = new Set(['hostForwards', 'routes', 'ipv6Routes', 'knows', 'hosts']);
/** The same, where it had such a service before. */
const LIVE_SERVICES: ReadonlySet<keyof GatewayPlan> = new Set(['dhcp', 'dns']);

/** Where a setting of a gateway stands in the lab file, and what it is called. */
const SETTINGS: Partial<Record<keyof GatewayPlan, readonly [string, string]>> = {
  interface: ['subnet', 'the subnet or the address of the gateway'],
  mac: ['subnet', 'the subnet or the address of the gateway'],
  tftpFolder: ['boot', 'the folder of TFTP'],
  nat: ['gateway', 'what the way out allows'],
  guestForwards: ['guest-forwards', 'guest-forwards'],
  dhcp: ['dhcp', 'whether there is DHCP'],
  dns: ['dns', 'whether there is a name server'],
  ipv6: ['ipv6', 'the prefix, the addresses, NAT64 or whether there is DHCPv6'],
};

function fixedOfNetwork(before: NetworkPlan, now: NetworkPlan): readonly Finding[] {
  const path = ['networks', now.name];
  const findings = (['kind', 'mtu'] as const)
    .filter((key) => before[key] !== now[key])
    .map((key) => fixed([...path, key], `the ${key} of network ${now.name}`));
  const [had, has] = [before.gateway, now.gateway];
  if ((had === undefined) !== (has === undefined)) {
    findings.push(fixed([...path, 'gateway'], `whether network ${now.name} has a gateway`));
  }
  if (had === undefined || has === undefined) return findings;
  const places = new Map<string, string>();
  for (const key of Object.keys({ ...had, ...has }) as (keyof GatewayPlan)[]) {
    const isService = LIVE_SERVICES.has(key) && had[key] !== undefined && has[key] !== undefined;
    if (LIVE.has(key) || isService || sameValue(had[key], has[key])) continue;
    if (key === 'ipv6' && sameValue(fixedOfIpv6(had.ipv6), fixedOfIpv6(has.ipv6))) continue;
    const [place, what] = SETTINGS[key] ?? [key, key];
    if (!places.has(place)) places.set(place, what);
  }
  return [
    ...findings,
    ...[...places].map(([place, what]) => fixed([...path, place], `${what} of network ${now.name}`)),
  ];
}

/** What is advertised, and what DHCPv6 gives, changes as a gateway runs; the rest does not. */
function fixedOfIpv6(ipv6: GatewayPlan['ipv6']): unknown {
  if (ipv6 === undefined) return undefined;
  const { advertisement, dhcp, ...rest } = ipv6;
  return { ...rest, hasDhcp: dhcp !== undefined };
}

function fixed(path: IssuePath, what: string): Finding {
  const message = `${what} cannot change while the lab runs`;
  return { code: 'cannot-change', path, message, hint: 'change it back, or stop the lab and start it again' };
}

/** Checks what must fit together in a lab file and makes the plan of it; a plan holds only where nothing was reported. */
import type { IssuePath } from '../base/issue.ts';
import type { NamedHost } from '../gateway/lab-names.ts';
import type { HostForward } from '../nat/forward-spec.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { DhcpRoute } from '../wire/dhcp-options.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { captureFormat } from './capture-file.ts';
import { checkDns, domainOf } from './check-dns.ts';
import { leadsOn, natPlan } from './check-egress.ts';
import type { AddressHolder } from './check-forwards.ts';
import { checkForwards, checkGuestForwards } from './check-forwards.ts';
import { checkLinks } from './check-links.ts';
import { checkMachines } from './check-machines.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { checkNetworks } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import { checkNics } from './check-nics.ts';
import type { CheckedInterface, CheckedRouter } from './check-routers.ts';
import { checkRouters } from './check-routers.ts';
import type { GatewayRoutes } from './check-routing.ts';
import { checkGatewayRoutes, joinedNetworks } from './check-routing.ts';
import { checkSeeds } from './check-seeds.ts';
import { samePath } from './file-name.ts';
import { ipv6GatewayPlan } from './ipv6-plan.ts';
import { labNameOf } from './names.ts';
import type { CapturePlan, CaptureTarget, GatewayPlan, LabPlan, NetworkPlan, RouterPlan } from './plan.ts';
import { DEFAULT_LEASE_TIME, DEFAULT_MTU, portName } from './plan.ts';
import type { BootEntry } from './schema-dhcp.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NetworkEntry } from './schema-network.ts';
import type { CaptureEntry } from './schema-values.ts';

/** `firstOpenPort`: of the host, below it nobody may listen. */
export function checkLab(sound: SoundLab, fileName: string, firstOpenPort: number, report: Report): LabPlan {
  const name = sound.lab?.name ?? labNameOf(fileName);
  const networks = checkNetworks(name, sound, report);
  const routes = checkGatewayRoutes(networks, report);
  const routers = checkRouters(sound, networks, report);
  const joined = joinedNetworks(
    networks,
    routers.map(({ interfaces }) => interfaces.map(({ network }) => network)),
  );
  const nics = checkNics(name, sound, networks, routers, report);
  const forwards = checkForwards(sound, networks, nics, routes, firstOpenPort, report);
  const seeds = checkSeeds(name, sound, networks, nics, report);
  const machines = checkMachines(name, sound, seeds, report);
  const links = checkLinks(sound, networks, routers, nics, report);
  return {
    name,
    networks: networks.map((network) =>
      networkPlan(
        network,
        nics.filter((nic) => nic.network === network.name),
        forwards.filter((forward) => forward.network === network.name).map(({ forward }) => forward),
        { routes: routes.get(network.name), knows: joined.get(network.name)!, routers },
        sound,
        report,
      ),
    ),
    ...(routers.length > 0 && { routers: routers.map(routerPlan) }),
    nics: nics.map(({ node, name: nicName, network, mac }) => ({ node, name: nicName, network, mac })),
    ...(machines.length > 0 && { machines }),
    ...(seeds.length > 0 && { seeds }),
    captures: checkCaptures(sound, networks, nics, routers, report),
    ...(links.length > 0 && { links }),
    ...(sound.lab?.seed !== undefined && { seed: sound.lab.seed }),
  };
}

function routerPlan({ name, interfaces, routes, ipv6Routes }: CheckedRouter): RouterPlan {
  return {
    name,
    interfaces: interfaces.map(({ name: own, network, mac, interface: at, ipv6 }) => ({
      name: own,
      network,
      mac,
      ...(at !== undefined && { interface: at }),
      ...(ipv6 !== undefined && { ipv6 }),
    })),
    routes,
    ...(ipv6Routes.length > 0 && { ipv6Routes }),
  };
}

/** How a network is joined with others. */
interface Joints {
  readonly routes: GatewayRoutes | undefined;
  readonly knows: readonly string[];
  /** All of the lab. */
  readonly routers: readonly CheckedRouter[];
}

/** The routers that are found by name on the network: by `ROUTER-INTERFACE` each interface, by ROUTER all, the nearest first. */
function hostsOf(network: string, { knows, routers }: Joints): readonly NamedHost[] {
  const near = routers.flatMap(({ interfaces }) =>
    interfaces.some((each) => each.network === network || knows.includes(each.network)) ? interfaces : [],
  );
  return near
    .toSorted((a, b) => Number(b.network === network) - Number(a.network === network))
    .flatMap(({ router, name, interface: own, ipv6 }) =>
      [own, ipv6].flatMap((at) =>
        at === undefined ? [] : [`${router}-${name}`, router].map((each) => ({ name: each, address: at.address })),
      ),
    );
}

function networkPlan(
  { name, entry, gateway, ipv6 }: CheckedNetwork,
  nics: readonly CheckedNic[],
  hostForwards: readonly HostForward[],
  { routes, knows, routers }: Joints,
  sound: SoundLab,
  report: Report,
): NetworkPlan {
  const plan = { name, kind: entry.kind ?? 'switch', mtu: entry.mtu ?? DEFAULT_MTU };
  if (gateway === undefined) return plan;
  const { interface: own, pool, mac } = gateway;
  const boot = entry.boot ?? {};
  const nat = natPlan(entry);
  const path = ['networks', name];
  const hosts = hostsOf(name, { routes, knows, routers });
  const names = new Set([...nics.map(({ node }) => node), ...hosts.map((host) => host.name)]);
  const dns = checkDns(entry, { own, ipv6 }, names, path, sound, report);
  const here = routers.flatMap(({ interfaces }) => interfaces).filter(({ network }) => network === name);
  const texts = entry['guest-forwards'] ?? [];
  const holders = [...nics.flatMap(holdersOf), ...here.flatMap(holdersOfInterface)];
  const families = { name, ...(own && { interface: own }), ...(ipv6 && { ipv6: ipv6.interface }) };
  const guestForwards = checkGuestForwards(texts, families, holders, [...path, 'guest-forwards'], report);
  const forwarded = guestForwards.map(({ address }) => address);
  const stations = here.flatMap(({ interface: at }) => at?.address ?? []);
  const excluded = [...new Set([...forwarded.filter((address) => typeof address === 'number'), ...stations])];
  const dhcp = own &&
    pool && {
      ...pool,
      ...(excluded.length > 0 && { excluded }),
      ...dhcpSettings(entry, own.address, stations[0]),
      ...dhcpCards(nics),
      ...dhcpBoot(boot),
    };
  const told = {
    network: entry,
    nics,
    stations: [
      ...here.flatMap(({ ipv6: at }) => at?.address ?? []),
      ...forwarded.filter((each) => typeof each !== 'number'),
    ],
    domain: domainOf(entry),
    search: entriesOf(entry.dhcp ? entry.dhcp.search : undefined),
    answersNames: answersNames(entry),
  };
  const gatewayPlan: GatewayPlan = {
    mac,
    ...(own !== undefined && { interface: own }),
    ...(ipv6 !== undefined && { ipv6: ipv6GatewayPlan(ipv6, told) }),
    ...(dhcp !== undefined && { dhcp: { ...dhcp, mtu: plan.mtu } }),
    ...(boot.tftp !== undefined && { tftpFolder: boot.tftp }),
    ...(nat !== undefined && { nat }),
    ...(dns !== undefined && { dns }),
    hostForwards,
    guestForwards,
    ...(routes !== undefined && { routes: routes.routes }),
    ...(routes !== undefined && routes.ipv6Routes.length > 0 && { ipv6Routes: routes.ipv6Routes }),
    ...(knows.length > 0 && { knows }),
    ...(hosts.length > 0 && { hosts }),
  };
  return { ...plan, gateway: gatewayPlan };
}

function holdersOf({ node, name, address, ipv6 }: CheckedNic): readonly AddressHolder[] {
  return [address, ipv6].map((each) => ({ node, name, address: each }));
}

function holdersOfInterface({ router, name, interface: own, ipv6 }: CheckedInterface): readonly AddressHolder[] {
  return [own?.address, ipv6?.address].map((address) => ({ node: router, name, address }));
}

/** Machines are told to ask the gateway for names. */
function answersNames({ dhcp, dns }: NetworkEntry): boolean {
  return dns !== false && (dhcp === undefined || dhcp === false || dhcp.dns === undefined);
}

type DhcpSettings = Pick<DhcpConfig, 'leaseTime' | 'routers' | 'routes' | 'dns' | 'domain' | 'search' | 'ntp'>;

/** A gateway that leads on is the router of its guests, unless one of them is; without one the network's first router is. */
function dhcpSettings(entry: NetworkEntry, own: Ipv4, router: Ipv4 | undefined): DhcpSettings {
  const { lease, dns, search, ntp, routes } = entry.dhcp || {};
  const given = entriesOf(routes).map(({ to, via }) => ({ destination: to, gateway: via }));
  const isDefault = ({ destination }: DhcpRoute) => destination.prefixLength === 0;
  const routers = given.filter(isDefault).map(({ gateway }) => gateway);
  const domain = domainOf(entry);
  return {
    leaseTime: lease ?? DEFAULT_LEASE_TIME,
    routers: routers.length > 0 ? routers : leadsOn(entry) ? [own] : router === undefined ? [] : [router],
    routes: given.filter((route) => !isDefault(route)),
    dns: answersNames(entry) ? [own] : entriesOf(dns),
    ...(domain !== undefined && { domain }),
    search: entriesOf(search),
    ntp: entriesOf(ntp),
  };
}

function entriesOf<Entry>(list: readonly (Entry | undefined)[] | undefined): readonly Entry[] {
  return (list ?? []).filter((entry) => entry !== undefined);
}

/** Each card is told its node's name, whether its address is reserved or comes from the pool. */
function dhcpCards(nics: readonly CheckedNic[]): Pick<DhcpConfig, 'reservations' | 'hostnames'> {
  return {
    reservations: nics.flatMap(({ mac, address, node }) =>
      address === undefined ? [] : [{ mac, address, hostname: node }],
    ),
    hostnames: new Map(nics.map(({ mac, node }) => [mac, node])),
  };
}

function dhcpBoot({ bootfile, server, 'server-name': serverName }: BootEntry): Pick<DhcpConfig, 'boot'> {
  if (bootfile === undefined) return {};
  return {
    boot: { bootfile, ...(server !== undefined && { server }), ...(serverName !== undefined && { serverName }) },
  };
}

function checkCaptures(
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  nics: readonly CheckedNic[],
  routers: readonly CheckedRouter[],
  report: Report,
): readonly CapturePlan[] {
  const written: { readonly entry: CaptureEntry | undefined; readonly of: CaptureTarget; readonly path: IssuePath }[] =
    [
      { entry: sound.lab?.capture, of: { kind: 'lab' }, path: ['capture'] },
      ...networks.map(({ name, entry }) => ({
        entry: entry.capture,
        of: { kind: 'network', network: name } as const,
        path: ['networks', name, 'capture'],
      })),
      ...nics.map((nic) => ({
        entry: nic.capture,
        of: { kind: 'port', port: portName(nic) } as const,
        path: [...nic.path, 'capture'],
      })),
      ...routers.flatMap(({ interfaces }) =>
        interfaces.map(({ router, name, capture, path }) => ({
          entry: capture,
          of: { kind: 'port', port: `${router}:${name}` } as const,
          path: [...path, 'capture'],
        })),
      ),
    ];
  const plans: CapturePlan[] = [];
  for (const { entry, of, path } of written) {
    if (entry === undefined) continue;
    const { file, 'snap-length': snapLength } = typeof entry === 'string' ? { file: entry } : entry;
    if (plans.some((other) => samePath(other.file, file))) {
      const filePath = typeof entry === 'string' ? path : [...path, 'file'];
      report({
        code: 'capture-taken',
        path: filePath,
        message: `another capture writes ${file}`,
        hint: 'take another file',
      });
    }
    plans.push({ file, format: captureFormat(file), of, ...(snapLength !== undefined && { snapLength }) });
  }
  return plans;
}

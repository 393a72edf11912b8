/** Checks what must fit together in a lab file and makes the plan of it; a plan holds only where nothing was reported. */
import type { IssuePath } from '../base/issue.ts';
import type { HostForward } from '../nat/forward-spec.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { DhcpRoute } from '../wire/dhcp-options.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { captureFormat } from './capture-file.ts';
import { checkDns, domainOf } from './check-dns.ts';
import { natPlan } from './check-egress.ts';
import { checkForwards, checkGuestForwards } from './check-forwards.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { checkNetworks } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import { checkNics } from './check-nics.ts';
import { checkGatewayRoutes, joinedNetworks, leadsOn } from './check-routing.ts';
import { gatewayMac } from './derive.ts';
import { samePath } from './file-name.ts';
import { labNameOf } from './names.ts';
import type { CapturePlan, CaptureTarget, GatewayPlan, LabPlan, NetworkPlan } from './plan.ts';
import { DEFAULT_LEASE_TIME, DEFAULT_MTU, portName } from './plan.ts';
import type { BootEntry } from './schema-dhcp.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NetworkEntry } from './schema-network.ts';
import type { CaptureEntry } from './schema-values.ts';

/** `firstOpenPort`: of the host, below it nobody may listen. */
export function checkLab(sound: SoundLab, fileName: string, firstOpenPort: number, report: Report): LabPlan {
  const name = sound.lab?.name ?? labNameOf(fileName);
  const networks = checkNetworks(sound, report);
  const routes = checkGatewayRoutes(networks, report);
  const joined = joinedNetworks(networks, []);
  const nics = checkNics(name, sound, networks, report);
  const forwards = checkForwards(sound, networks, nics, routes, firstOpenPort, report);
  return {
    name,
    networks: networks.map((network) =>
      networkPlan(
        network,
        nics.filter((nic) => nic.network === network.name),
        forwards.filter((forward) => forward.network === network.name).map(({ forward }) => forward),
        { routes: routes.get(network.name), knows: joined.get(network.name)! },
        sound,
        report,
      ),
    ),
    nics: nics.map(({ node, name: nicName, network, mac }) => ({ node, name: nicName, network, mac })),
    captures: checkCaptures(sound, networks, nics, report),
  };
}

function networkPlan(
  { name, entry, gateway }: CheckedNetwork,
  nics: readonly CheckedNic[],
  hostForwards: readonly HostForward[],
  { routes, knows }: { readonly routes: GatewayPlan['routes']; readonly knows: readonly string[] },
  sound: SoundLab,
  report: Report,
): NetworkPlan {
  const plan = { name, kind: entry.kind ?? 'switch', mtu: entry.mtu ?? DEFAULT_MTU };
  if (gateway === undefined) return plan;
  const { interface: own, pool } = gateway;
  const boot = entry.boot ?? {};
  const nat = natPlan(entry);
  const path = ['networks', name];
  const dns = checkDns(entry, own, new Set(nics.map(({ node }) => node)), path, sound, report);
  const texts = entry['guest-forwards'] ?? [];
  const guestForwards = checkGuestForwards(texts, own, nics, [...path, 'guest-forwards'], report);
  const excluded = [...new Set(guestForwards.map(({ address }) => address))];
  const dhcp = pool && {
    ...pool,
    ...(excluded.length > 0 && { excluded }),
    ...dhcpSettings(entry, own.address),
    ...dhcpCards(nics),
    ...dhcpBoot(boot),
  };
  const gatewayPlan: GatewayPlan = {
    mac: gatewayMac(own.address),
    interface: own,
    ...(dhcp !== undefined && { dhcp: { ...dhcp, mtu: plan.mtu } }),
    ...(boot.tftp !== undefined && { tftpFolder: boot.tftp }),
    ...(nat !== undefined && { nat }),
    ...(dns !== undefined && { dns }),
    hostForwards,
    guestForwards,
    ...(routes !== undefined && { routes }),
    ...(knows.length > 0 && { knows }),
  };
  return { ...plan, gateway: gatewayPlan };
}

type DhcpSettings = Pick<DhcpConfig, 'leaseTime' | 'routers' | 'routes' | 'dns' | 'domain' | 'search' | 'ntp'>;

/** A gateway with a way out is the router of its guests, unless one of them is; without one it leads nowhere. */
function dhcpSettings(entry: NetworkEntry, own: Ipv4): DhcpSettings {
  const { lease, dns, search, ntp, routes } = entry.dhcp || {};
  const given = entriesOf(routes).map(({ to, via }) => ({ destination: to, gateway: via }));
  const isDefault = ({ destination }: DhcpRoute) => destination.prefixLength === 0;
  const routers = given.filter(isDefault).map(({ gateway }) => gateway);
  const answersNames = dns === undefined && entry.dns !== false;
  const domain = domainOf(entry);
  return {
    leaseTime: lease ?? DEFAULT_LEASE_TIME,
    routers: routers.length === 0 && leadsOn(entry) ? [own] : routers,
    routes: given.filter((route) => !isDefault(route)),
    dns: answersNames ? [own] : entriesOf(dns),
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

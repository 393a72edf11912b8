/** Checks what must fit together in a lab file and makes the plan of it; a plan holds only where nothing was reported. */
import type { IssuePath } from '../base/issue.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { DhcpRoute } from '../wire/dhcp-options.ts';
import { captureFormat, samePath } from './capture-file.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import { checkNetworks } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import { checkNics } from './check-nics.ts';
import { gatewayMac } from './derive.ts';
import { labNameOf } from './names.ts';
import type { CapturePlan, CaptureTarget, GatewayPlan, LabPlan, NetworkPlan } from './plan.ts';
import { DEFAULT_LEASE_TIME, DEFAULT_MTU, portName } from './plan.ts';
import type { BootEntry, CaptureEntry, DhcpEntry } from './schema.ts';
import type { SoundLab } from './schema-issues.ts';

export function checkLab(sound: SoundLab, fileName: string, report: Report): LabPlan {
  const name = sound.lab?.name ?? labNameOf(fileName);
  const networks = checkNetworks(sound, report);
  const nics = checkNics(name, sound, networks, report);
  return {
    name,
    networks: networks.map((network) =>
      networkPlan(
        network,
        nics.filter((nic) => nic.network === network.name),
      ),
    ),
    nics: nics.map(({ node, name: nicName, network, mac }) => ({ node, name: nicName, network, mac })),
    captures: checkCaptures(sound, networks, nics, report),
  };
}

function networkPlan({ name, entry, gateway }: CheckedNetwork, nics: readonly CheckedNic[]): NetworkPlan {
  const mtu = entry.mtu ?? DEFAULT_MTU;
  const plan = { name, kind: entry.kind ?? 'switch', mtu };
  if (gateway === undefined) return plan;
  const boot = entry.boot ?? {};
  const { interface: own, pool } = gateway;
  const gatewayPlan: GatewayPlan = {
    mac: gatewayMac(own.address),
    interface: own,
    ...(pool !== undefined && {
      dhcp: { ...pool, ...dhcpSettings(entry.dhcp || {}), ...dhcpCards(nics), ...dhcpBoot(boot), mtu },
    }),
    ...(boot.tftp !== undefined && { tftpFolder: boot.tftp }),
    hostForwards: [],
    guestForwards: [],
  };
  return { ...plan, gateway: gatewayPlan };
}

type DhcpSettings = Pick<DhcpConfig, 'leaseTime' | 'routers' | 'routes' | 'dns' | 'domain' | 'search' | 'ntp'>;

/** An isolated gateway leads nowhere, so it is no router of its guests; one of them may be. */
function dhcpSettings({ lease, dns, domain, search, ntp, routes }: DhcpEntry): DhcpSettings {
  const given = entriesOf(routes).map(({ to, via }) => ({ destination: to, gateway: via }));
  const isDefault = ({ destination }: DhcpRoute) => destination.prefixLength === 0;
  return {
    leaseTime: lease ?? DEFAULT_LEASE_TIME,
    routers: given.filter(isDefault).map(({ gateway }) => gateway),
    routes: given.filter((route) => !isDefault(route)),
    dns: entriesOf(dns),
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

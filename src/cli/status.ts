import { getControl } from '../control/client.ts';
import type { StatusAnswer } from '../control/statuses.ts';
import { controlSocket } from '../host/folders.ts';
import type {
  Ipv6Status,
  NatStatus,
  NetworkStatus,
  PortStatus,
  RouterStatus,
  RouteStatus,
} from '../lab/status-schemas.ts';
import { cleanDeadLabs, findLab, runningLabs } from './find-lab.ts';
import { hostAccessSentence } from './openings.ts';
import { portState } from './port-state.ts';
import { print, table } from './report.ts';
import { watch } from './watch.ts';

export interface StatusCommand {
  readonly all?: true;
  readonly watch?: true;
  readonly json?: true;
}

export async function status(lab: string | undefined, { all, watch: isWatch, json }: StatusCommand): Promise<void> {
  await cleanDeadLabs();
  if (lab === undefined) {
    const labs = await runningLabs();
    if (all || (labs.length > 1 && !json && !isWatch)) return printLabs(labs, json);
  }
  const socket = await findLab(lab, 'NAME');
  if (isWatch) return watch(socket, json);
  const answer = await getControl<StatusAnswer>(socket, '/v1/status');
  if (json) print(JSON.stringify(answer, undefined, 2));
  else printStatus(answer);
}

async function printLabs(names: readonly string[], json: true | undefined): Promise<void> {
  const answers = await Promise.all(
    names.map((name) => getControl<StatusAnswer>(controlSocket(name), '/v1/status').catch(() => undefined)),
  );
  const labs = answers.filter((answer) => answer !== undefined); // one may have ended meanwhile
  if (json) {
    print(JSON.stringify({ labs }, undefined, 2));
    return;
  }
  const rows = labs.map(({ name, pid, networks, ports, file }) => [
    name,
    String(pid),
    networks.map((network) => network.name).join(' '),
    `${ports.filter(({ connected }) => connected).length} of ${ports.length}`,
    file ?? '-',
  ]);
  print(table(['LAB', 'PID', 'NETWORKS', 'CONNECTED', 'FILE'], rows));
}

function printStatus({ name, networks, routers, ports, captures, forwards }: StatusAnswer): void {
  print(`lab ${name}`);
  for (const network of networks) {
    print(networkLine(network));
    for (const line of gatewayLines(network)) print(`  ${line}`);
  }
  for (const router of routers) print(routerLine(router));
  for (const { id, rule } of forwards) print(`forward ${id}: ${rule}`);
  print();
  const rows = ports.map((port) => [
    port.port,
    portState(port),
    port.mac ?? heardAt(port, networks) ?? '-',
    String(port.fromGuest.frames),
    String(port.fromGuest.octets),
    String(port.toGuest.frames),
    String(port.toGuest.octets),
    countsText(port.drops),
  ]);
  print(table(['PORT', 'STATE', 'MAC', 'FRAMES IN', 'OCTETS IN', 'FRAMES OUT', 'OCTETS OUT', 'DROPS'], rows));
  for (const capture of captures) print(`capture ${capture.capture}: ${capture.frames} frames, ${capture.lost} lost`);
}

/** Where a port was given no address: those of the stations that the switch heard there. */
function heardAt({ port, network }: PortStatus, networks: readonly NetworkStatus[]): string | undefined {
  const stations =
    networks.find(({ name }) => name === network)?.stations.filter((station) => station.port === port) ?? [];
  if (stations.length === 0) return undefined;
  return stations.length === 1 ? stations[0]!.mac : `${stations[0]!.mac} and ${stations.length - 1} more`;
}

function networkLine({ name, kind, mtu, subnet, gateway, drops, stations }: NetworkStatus): string {
  const about = [
    kind,
    `mtu ${mtu}`,
    ...(subnet ? [subnet] : []),
    gateway ? `gateway ${both(gateway.address, gateway.ipv6?.address)}` : 'no gateway',
    ...(kind === 'switch' ? [`${stations.length} stations`] : []),
  ];
  const dropped = Object.keys(drops).length > 0 ? `, drops ${countsText(drops)}` : '';
  return `network ${name}: ${about.join(', ')}${dropped}`;
}

function routerLine({ name, interfaces, routes }: RouterStatus): string {
  const places = interfaces.map(({ network, address, ipv6 }) => `${network} ${both(address, ipv6)}`);
  return `router ${name}: ${[...places, ...routes.map(routeText)].join(', ')}`;
}

/** What there is of both families. */
function both(ipv4: string | undefined, ipv6: string | undefined): string {
  return [ipv4, ipv6].filter((address) => address !== undefined).join(' and ');
}

function routeText({ to, via }: RouteStatus): string {
  return `${to} via ${via}`;
}

/** What the gateway does beyond its network. */
function gatewayLines(network: NetworkStatus): readonly string[] {
  const { gateway } = network;
  if (gateway === undefined) return [];
  const { nat, dns, flows, routes, ipv6 } = gateway;
  const hostAccess = hostAccessSentence(network);
  const counts = Object.fromEntries(Object.entries(flows).filter(([, count]) => count > 0));
  return [
    ...(nat === undefined ? [] : [natLine(nat)]),
    ...(ipv6 === undefined ? [] : [ipv6Line(ipv6)]),
    ...(routes === undefined ? [] : [["leads to the lab's other networks", ...routes.map(routeText)].join(', ')]),
    ...(dns === undefined
      ? []
      : [`names at ${both(dns.address, dns.ipv6)}${dns.domain === undefined ? '' : `, in ${dns.domain}`}`]),
    ...(hostAccess === undefined ? [] : [hostAccess.replace(/\.$/, '')]),
    `flows ${countsText(counts)}`,
  ];
}

function natLine({ restricted, metadata, source }: NatStatus): string {
  if (restricted) return 'restricted: nothing leaves but by forwards';
  const remarks = [...(source === undefined ? [] : [`from ${source}`]), ...(metadata ? ['metadata allowed'] : [])];
  return ['NAT to the world', ...remarks].join(', ');
}

function ipv6Line({ prefix, router, dhcp, nat64, source }: Ipv6Status): string {
  const remarks = [
    ...(router ? [] : ['no router']),
    ...(dhcp === undefined ? ['no DHCPv6'] : dhcp === 'stateless' ? ['DHCPv6 without addresses'] : []),
    ...(nat64 === undefined ? [] : [`NAT64 at ${nat64}`]),
    ...(source === undefined ? [] : [`from ${source}`]),
  ];
  return [`IPv6 ${prefix}`, ...remarks].join(', ');
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return parts.length > 0 ? parts.join(', ') : '-';
}

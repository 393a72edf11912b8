import { getControl } from '../control/client.ts';
import type { LabStatus, NatStatus, NetworkStatus, PortStatus } from '../lab/status-schemas.ts';
import { findLab } from './find-lab.ts';
import { hostAccessSentence } from './openings.ts';
import { print, table } from './report.ts';

export async function status(lab: string | undefined, options: { readonly json?: true }): Promise<void> {
  const answer = await getControl<LabStatus>(await findLab(lab, 'NAME'), '/v1/status');
  if (options.json) print(JSON.stringify(answer, undefined, 2));
  else printStatus(answer);
}

function printStatus({ name, networks, ports, captures, forwards }: LabStatus): void {
  print(`lab ${name}`);
  for (const network of networks) {
    print(networkLine(network));
    for (const line of gatewayLines(network)) print(`  ${line}`);
  }
  for (const { id, rule } of forwards) print(`forward ${id}: ${rule}`);
  print();
  const rows = ports.map((port) => [
    port.port,
    port.connected ? 'connected' : 'waiting',
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
    gateway ? `gateway ${gateway.address}` : 'no gateway',
    ...(kind === 'switch' ? [`${stations.length} stations`] : []),
  ];
  const dropped = Object.keys(drops).length > 0 ? `, drops ${countsText(drops)}` : '';
  return `network ${name}: ${about.join(', ')}${dropped}`;
}

/** What the gateway does beyond its network. */
function gatewayLines(network: NetworkStatus): readonly string[] {
  const { gateway } = network;
  if (gateway === undefined) return [];
  const { nat, dns, flows } = gateway;
  const hostAccess = hostAccessSentence(network);
  const counts = Object.fromEntries(Object.entries(flows).filter(([, count]) => count > 0));
  return [
    ...(nat === undefined ? [] : [natLine(nat)]),
    ...(dns === undefined ? [] : [`names at ${dns.address}${dns.domain === undefined ? '' : `, in ${dns.domain}`}`]),
    ...(hostAccess === undefined ? [] : [hostAccess.replace(/\.$/, '')]),
    `flows ${countsText(counts)}`,
  ];
}

function natLine({ restricted, metadata, source }: NatStatus): string {
  if (restricted) return 'restricted: nothing leaves but by forwards';
  const remarks = [...(source === undefined ? [] : [`from ${source}`]), ...(metadata ? ['metadata allowed'] : [])];
  return ['NAT to the world', ...remarks].join(', ');
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return parts.length > 0 ? parts.join(', ') : '-';
}

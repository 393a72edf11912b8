/** `vmlan proxy`: SOCKS 5 and HTTP into a running lab. */
import { formatIssue, type Issue } from '../base/issue.ts';
import { getControl } from '../control/client.ts';
import { joinStation } from '../host/proxy/joined-station.ts';
import { listenAsProxy } from '../host/proxy/proxy-server.ts';
import { WayIn } from '../host/proxy/way-in.ts';
import type { LabStatus, NetworkStatus } from '../lab/status-schemas.ts';
import type { Station } from '../station/station.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { EXIT_USAGE, Exit, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { invite } from './invite.ts';
import { logTo } from './report.ts';
import { stopSignal } from './stop-signal.ts';

export interface ProxyCommand {
  readonly lab?: string;
  readonly port: number;
  readonly network?: readonly string[];
  readonly address?: readonly string[];
  readonly json?: true;
}

/** Milliseconds: nobody answers DHCP. */
const LEASE_PATIENCE = 10_000;

export async function proxy({ lab: name, port, network = [], address = [], json }: ProxyCommand): Promise<void> {
  const stopped = stopSignal();
  const lab = await findLab(name, '--lab NAME');
  const status = await getControl<LabStatus>(lab, '/v1/status');
  const fixed = readAddresses(address);
  const networks = chosen(status, [...network, ...fixed.keys()]);
  let onGone: () => void = () => undefined;
  const gone = new Promise<'gone'>((resolve) => {
    onGone = () => resolve('gone');
  });
  const stations = await Promise.all(networks.map((each) => join(lab, each, fixed.get(each.name), onGone)));
  const server = await listenAsProxy(port, new WayIn(status.name, stations));
  const where = `127.0.0.1:${server.port}`;
  const into = networks.map((each) => each.name).join(', ');
  const message = `SOCKS 5 and HTTP at ${where} into ${status.name} (${into}); curl -x socks5h://${where} http://NAME/`;
  logTo(json === true)({ event: 'ready', message, port: server.port, networks: networks.map((each) => each.name) });
  const end = await Promise.race([stopped, gone]);
  server.close();
  if (end === 'gone') fail(`${status.name} has ended, and so does its proxy`);
  for (const station of stations) station.shutDown();
}

/** Those that were named, or all where a station gets an address. */
function chosen({ name, networks }: LabStatus, named: readonly string[]): readonly NetworkStatus[] {
  const known = networks.map((network) => network.name);
  const unknown = named.find((each) => !known.includes(each));
  if (unknown !== undefined) fail(`${name} has no network ${unknown}; it has ${known.join(', ')}`, EXIT_USAGE);
  const taken = networks.filter((network) => (named.length > 0 ? named.includes(network.name) : network.gateway));
  if (taken.length === 0) {
    fail(`no network of ${name} has a gateway; give --address ${known[0]}=ADDRESS/LENGTH`, EXIT_USAGE);
  }
  return taken;
}

async function join(
  lab: string,
  { name, gateway }: NetworkStatus,
  fixed: Ipv4Interface | undefined,
  onGone: () => void,
): Promise<Station> {
  const station = await joinStation(await invite(lab, name, { kind: 'proxy' }), onGone);
  if (fixed === undefined) {
    if ((await station.boot(LEASE_PATIENCE)) !== undefined) return station;
    return fail(`nobody answers DHCP on ${name}; give --address ${name}=ADDRESS/LENGTH`);
  }
  const router = parseIpv4(gateway?.address ?? '');
  const dns = parseIpv4(gateway?.dns?.address ?? '');
  station.take({ interface: fixed, ...(router !== undefined && { router }), dns: dns === undefined ? [] : [dns] });
  return station;
}

function readAddresses(texts: readonly string[]): ReadonlyMap<string, Ipv4Interface> {
  const issues: Issue[] = [];
  const read = texts.flatMap((text) => {
    const [network = '', address = ''] = text.split('=', 2);
    const own = parseIpv4Interface(address);
    if (network !== '' && own !== undefined) return [[network, own] as const];
    const message = `${text} is no network with an address`;
    issues.push({ code: 'bad-value', path: ['--address'], message, hint: 'write cable=10.9.0.9/24' });
    return [];
  });
  if (issues.length === 0) return new Map(read);
  for (const issue of issues) process.stderr.write(`vmlan proxy: ${formatIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

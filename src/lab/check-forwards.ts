/** Checks the forwards of a lab file: from the host to its machines, and from its machines to the host. */
import { isSameAddress } from '../base/endpoint.ts';
import type { Issue, IssuePath } from '../base/issue.ts';
import type { ForwardListen, GuestForward, HostForward } from '../nat/forward-spec.ts';
import { forwardKey } from '../nat/forward-text.ts';
import { readGuestForward } from '../nat/guest-forward-text.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';
import type { Ip } from '../wire/ip-address.ts';
import { formatIp, isSameIp, octetsOf } from '../wire/ip-address.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import type { GatewayRoutes } from './check-routing.ts';
import type { ForwardNetwork, ForwardPlaces, PlacedForward } from './forward-place.ts';
import { placeForward, stationFault } from './forward-place.ts';
import type { SoundLab } from './schema-issues.ts';

/** `firstOpenPort`: those below may be listened at by others only. */
export function checkForwards(
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  nics: readonly CheckedNic[],
  routes: RoutesByNetwork,
  firstOpenPort: number,
  report: Report,
): readonly PlacedForward[] {
  const places = placesOf(networks, nics, routes);
  const placed: { readonly forward: HostForward; readonly path: IssuePath; readonly network: string }[] = [];
  for (const [i, text] of (sound.lab?.forwards ?? []).entries()) {
    if (text === undefined) continue;
    const path = ['forwards', i];
    const issues: Issue[] = [];
    const found = placeForward(text, places, undefined, path, issues);
    for (const issue of issues) if (!isConsequence(issue, sound)) report(issue);
    if (found === undefined) continue;
    const { forward } = found;
    const owner = placed.findIndex((other) => clash(other.forward, forward));
    if (owner >= 0) {
      const message = `${forwardKey(forward)} is taken by forwards[${placed[owner]!.path[1]}]`;
      report({ code: 'port-taken', path, message, hint: 'take another port' });
    }
    const port = privilegedPort(forward.listen, firstOpenPort);
    if (port !== undefined) {
      const message = `you may not listen at port ${port}`;
      const hint = `take one from ${firstOpenPort}, or allow it with sysctl net.ipv4.ip_unprivileged_port_start=${port}`;
      report({ code: 'privileged-port', path, message, hint });
    }
    placed.push({ ...found, path });
  }
  return placed.map(({ network, forward }) => ({ network, forward }));
}

type RoutesByNetwork = ReadonlyMap<string, GatewayRoutes>;

function behindOf(routes: GatewayRoutes | undefined): NonNullable<ForwardNetwork['behind']> {
  return [...(routes?.routes ?? []), ...(routes?.ipv6Routes ?? [])].map(({ to }) => to);
}

function placesOf(
  networks: readonly CheckedNetwork[],
  nics: readonly CheckedNic[],
  routes: RoutesByNetwork,
): ForwardPlaces {
  return {
    networks: networks.flatMap(({ name, gateway, ipv6 }) =>
      gateway === undefined
        ? []
        : [
            {
              name,
              ...(gateway.interface !== undefined && { interface: gateway.interface }),
              ...(ipv6 !== undefined && { ipv6: ipv6.interface }),
              hasDhcp: gateway.pool !== undefined || (gateway.interface === undefined && ipv6 !== undefined),
              behind: behindOf(routes.get(name)),
            },
          ],
    ),
    nics,
  };
}

/** Nodes and networks with faults are not all known. */
function isConsequence({ code }: Issue, sound: SoundLab): boolean {
  const concerned: Readonly<Record<string, readonly string[]>> = {
    'unknown-node': ['nodes'],
    'unknown-nic': ['nodes'],
    'no-gateway': ['nodes', 'networks'],
    'outside-subnet': ['networks'],
  };
  return (concerned[code] ?? []).some((section) => sound.hasFaultIn([section]));
}

function clash(a: HostForward, b: HostForward): boolean {
  if (a.listen.kind === 'unix' || b.listen.kind === 'unix')
    return a.listen.kind === b.listen.kind && forwardKey(a) === forwardKey(b);
  if (a.protocol !== b.protocol || a.listen.first === 0 || b.listen.first === 0) return false;
  const [one, other] = [a.listen.address, b.listen.address];
  const isSharedAddress =
    one.length === other.length && (isSameAddress(one, other) || [one, other].some((all) => all.every((o) => o === 0)));
  return isSharedAddress && a.listen.first <= b.listen.last && b.listen.first <= a.listen.last;
}

function privilegedPort(listen: ForwardListen, firstOpenPort: number): number | undefined {
  return listen.kind === 'ip' && listen.first > 0 && listen.first < firstOpenPort ? listen.first : undefined;
}

/** Whom an address belongs to. */
export interface AddressHolder {
  readonly node: string;
  readonly name: string;
  readonly address: Ip | undefined;
}

/** What answers guests at addresses that no machine has. */
export function checkGuestForwards(
  texts: readonly (string | undefined)[],
  network: Pick<ForwardNetwork, 'name' | 'interface' | 'ipv6'>,
  holders: readonly AddressHolder[],
  path: IssuePath,
  report: Report,
): readonly GuestForward[] {
  const found: GuestForward[] = [];
  for (const [i, text] of texts.entries()) {
    if (text === undefined) continue;
    const at = [...path, i];
    const issues: Issue[] = [];
    const rule = readGuestForward(text, at, issues);
    for (const issue of issues) report(issue);
    if (rule === undefined) continue;
    const { address, port } = rule;
    const own = typeof address === 'number' ? network.interface : network.ipv6;
    if (own === undefined) {
      const family = typeof address === 'number' ? 'IPv4' : 'IPv6';
      const message = `${network.name} has no ${family}`;
      report({ code: 'no-family', path: at, message, hint: `take an address of its other family` });
      continue;
    }
    const fault = stationFault(address, own);
    const holder = holders.find((each) => each.address !== undefined && isSameIp(each.address, address));
    const owner = isSameIp(address, own.address)
      ? 'the gateway, where host-access opens ports'
      : holder && `${holder.node}:${holder.name}`;
    if (fault !== undefined) report({ ...fault, path: at });
    else if (owner !== undefined) {
      const message = `${formatIp(address)} belongs to ${owner}`;
      report({ code: 'address-taken', path: at, message, hint: 'take an address that nobody has' });
    } else if (found.some((other) => isSameIp(other.address, address) && other.port === port)) {
      const message = `${formatEndpoint({ address: octetsOf(address), port })} is forwarded already`;
      report({ code: 'port-taken', path: at, message, hint: 'take another port or address' });
    }
    found.push(rule);
  }
  return found;
}

/** The plan of `vmlan serve`: one network without a file, whose ports appear as machines arrive. */
import type { Issue } from '../base/issue.ts';
import { parseUserOptions } from '../qemu/user-options.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { parseIpv4Interface } from '../wire/ipv4-address.ts';
import { captureFormat } from './capture-file.ts';
import { subnetFault } from './check-addresses.ts';
import { placeForward } from './forward-place.ts';
import { badName, isName } from './names.ts';
import type { GatewayPlan, LabPlan } from './plan.ts';
import { DEFAULT_MTU, MAX_MTU, MIN_MTU } from './plan.ts';
import { userGateway } from './user-gateway.ts';

export interface ServeSettings {
  readonly name: string;
  readonly hub: boolean;
  readonly gateway: boolean;
  /** `10.0.2.0/24`. */
  readonly subnet?: string;
  readonly mtu?: number;
  /** The option string of QEMU's `-netdev user`. */
  readonly user?: string;
  /** Rules such as `tcp 2222 -> 10.0.2.15:22`. */
  readonly forwards?: readonly string[];
  /** Takes every frame once, where it came in. */
  readonly capture?: string;
}

/** What the one network is called. */
export const SERVE_NETWORK = 'lan';

/** Paths of issues are options of the command, `--user.net` for one inside the user network's. */
export function servePlan(settings: ServeSettings): { readonly plan: LabPlan } | { readonly issues: readonly Issue[] } {
  const { name, hub, mtu = DEFAULT_MTU, capture } = settings;
  const issues = [...nameIssues(name), ...mtuIssues(mtu)];
  const gateway = gatewayOf(settings, mtu, issues);
  if (issues.length > 0) return { issues };
  const network = { name: SERVE_NETWORK, kind: hub ? 'hub' : 'switch', mtu, ...(gateway && { gateway }) } as const;
  const captures =
    capture === undefined ? [] : [{ file: capture, format: captureFormat(capture), of: { kind: 'lab' } } as const];
  return { plan: { name, networks: [network], nics: [], captures } };
}

function gatewayOf(
  { gateway: isWanted, subnet, user, forwards = [] }: ServeSettings,
  mtu: number,
  issues: Issue[],
): GatewayPlan | undefined {
  if (!isWanted) {
    const useless = [
      ...(subnet === undefined ? [] : ['--subnet']),
      ...(user === undefined ? [] : ['--user']),
      ...(forwards.length === 0 ? [] : ['--forward']),
    ];
    for (const option of useless) {
      issues.push({
        code: 'no-gateway',
        path: [option],
        message: 'without a gateway nobody would act on it',
        hint: 'leave it or --no-gateway out',
      });
    }
    return undefined;
  }
  const { options, issues: optionIssues } = parseUserOptions(user ?? '');
  issues.push(...optionIssues.map(insideUser));
  if (subnet !== undefined && options.net !== undefined) {
    issues.push({
      code: 'subnet-twice',
      path: ['--subnet'],
      message: '--user has a net of its own',
      hint: 'leave one of them out',
    });
  }
  const chosen = subnet === undefined ? undefined : subnetOf(subnet, issues);
  const { gateway, issues: addressIssues } = userGateway(options, {
    mtu,
    ...(chosen !== undefined && { network: chosen }),
    hostAccess: user === undefined ? [] : 'all',
  });
  issues.push(...addressIssues.map(insideUser));
  const { interface: own, ipv6 } = gateway;
  const places = {
    networks: [
      {
        name: SERVE_NETWORK,
        ...(own !== undefined && { interface: own }),
        ...(ipv6 !== undefined && { ipv6: ipv6.interface }),
        hasDhcp: true,
      },
    ],
    nics: [],
  };
  const placed = forwards.flatMap((rule) => placeForward(rule, places, undefined, ['--forward'], issues) ?? []);
  return { ...gateway, hostForwards: [...gateway.hostForwards, ...placed.map(({ forward }) => forward)] };
}

function subnetOf(text: string, issues: Issue[]): Ipv4Interface | undefined {
  const subnet = parseIpv4Interface(text);
  const bad = {
    code: 'bad-subnet',
    message: `${JSON.stringify(text)} is not an IPv4 subnet`,
    hint: 'write it as 10.0.2.0/24',
  };
  const fault = subnet === undefined ? bad : subnetFault(subnet);
  if (fault !== undefined) issues.push({ ...fault, path: ['--subnet'] });
  return fault === undefined ? subnet : undefined;
}

function insideUser(issue: Issue): Issue {
  return { ...issue, path: ['--user', ...issue.path] };
}

function nameIssues(name: string): readonly Issue[] {
  if (isName(name)) return [];
  const [message, hint] = badName(name).split('; ') as [string, string];
  return [{ code: 'bad-name', path: ['--name'], message, hint }];
}

function mtuIssues(mtu: number): readonly Issue[] {
  if (Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU) return [];
  return [
    {
      code: 'out-of-range',
      path: ['--mtu'],
      message: `no network has an MTU of ${mtu}`,
      hint: `take one from ${MIN_MTU} to ${MAX_MTU}`,
    },
  ];
}

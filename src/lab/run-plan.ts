/** The plan of `vmlan run`: each user network of a QEMU command, on its own as in QEMU. */
import type { Issue } from '../base/issue.ts';
import type { UserNetwork } from '../qemu/command-line.ts';
import { captureFormat } from './capture-file.ts';
import { badName, isName, nameFrom } from './names.ts';
import type { LabPlan, NetworkPlan } from './plan.ts';
import { DEFAULT_MTU } from './plan.ts';
import { userGateway } from './user-gateway.ts';

export interface RunSettings {
  readonly name: string;
  readonly networks: readonly UserNetwork[];
  /** Takes every frame of all networks once, where it came in. */
  readonly capture?: string;
  /** A hostfwd that names no host address listens on all of them, as QEMU's does. */
  readonly listensEverywhere: boolean;
}

/** `plan.networks[i]` is `networks[i]`. Paths of issues begin with the label of a network. */
export function runPlan({
  name,
  networks,
  capture,
  listensEverywhere,
}: RunSettings): { readonly plan: LabPlan } | { readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  if (!isName(name)) {
    const [message, hint] = badName(name).split('; ') as [string, string];
    issues.push({ code: 'bad-name', path: ['--name'], message, hint });
  }
  const names = namesOf(networks);
  const planned = networks.map(({ label, options }, i): NetworkPlan => {
    const { gateway, issues: inside } = userGateway(options, {
      mtu: DEFAULT_MTU,
      hostAccess: 'all',
      listensEverywhere,
    });
    issues.push(...inside.map((issue) => ({ ...issue, path: [label, ...issue.path] })));
    return { name: names[i]!, kind: 'switch', mtu: DEFAULT_MTU, gateway };
  });
  if (issues.length > 0) return { issues };
  const captures =
    capture === undefined ? [] : [{ file: capture, format: captureFormat(capture), of: { kind: 'lab' } } as const];
  return { plan: { name, networks: planned, nics: [], captures } };
}

/** A network is called as its netdev, or by its number. */
function namesOf(networks: readonly UserNetwork[]): readonly string[] {
  const taken = new Set<string>();
  return networks.map(({ id }, i) => {
    const wished = id === undefined ? undefined : nameFrom(id);
    let name = wished === undefined || taken.has(wished) ? `net${i}` : wished;
    while (taken.has(name)) name = `${name}-x`;
    taken.add(name);
    return name;
  });
}

/** What a lab file says of the way out of a network. */
import type { IssuePath } from '../base/issue.ts';
import type { Report } from './check-networks.ts';
import type { NatPlan } from './plan.ts';
import type { NetworkEntry } from './schema-network.ts';

/** Whether the gateway leads to the lab's other networks: nat and routed do, unless nothing may leave. */
export function leadsOn({ gateway = 'nat', restrict }: NetworkEntry): boolean {
  return (gateway === 'nat' || gateway === 'routed') && restrict !== true;
}

/** Undefined where there is no way out. */
export function natPlan(entry: NetworkEntry): NatPlan | undefined {
  const { gateway = 'nat', 'host-access': hostAccess, metadata, source } = entry;
  if (gateway !== 'nat') return undefined;
  return {
    isRestricted: entry.restrict === true,
    hostAccess: hostAccess === 'all' ? 'all' : (hostAccess ?? []).filter((ports) => ports !== undefined),
    allowsMetadata: metadata === 'allow',
    ...(source !== undefined && { source }),
  };
}

const NO_WAY_OUT = { routed: 'a routed network', isolated: 'an isolated network', none: undefined } as const;

/** What needs a way out is not silently left undone. */
export function checkEgress(entry: NetworkEntry, path: IssuePath, report: Report): void {
  const { gateway = 'nat' } = entry;
  const why = gateway !== 'nat' ? NO_WAY_OUT[gateway] : entry.restrict === true ? 'restrict' : undefined;
  if (why === undefined) return;
  const keys = ['host-access', 'metadata', 'source', ...(gateway === 'routed' ? [] : ['routes' as const])] as const;
  for (const key of keys) {
    const value = entry[key];
    if (value === undefined || value === 'refuse' || (Array.isArray(value) && value.length === 0)) continue;
    report({
      code: 'no-way-out',
      path: [...path, key],
      message: `${why} lets nothing out${gateway === 'routed' ? ' to the world' : ''}, so ${key} means nothing`,
      hint: why === 'restrict' ? 'remove one of the two' : 'remove it, or write gateway: nat',
      isAboutKey: true,
    });
  }
  if (gateway === 'routed' && entry.restrict === true)
    report({
      code: 'no-way-out',
      path: [...path, 'restrict'],
      message: 'restrict leaves a routed network nothing to lead to',
      hint: 'remove it, or write gateway: isolated in its place',
      isAboutKey: true,
    });
}

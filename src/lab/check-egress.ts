/** What a lab file says of the way out of a network. */
import type { IssuePath } from '../base/issue.ts';
import type { Report } from './check-networks.ts';
import type { NatPlan } from './plan.ts';
import type { NetworkEntry } from './schema-network.ts';

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

/** What needs a way out is not silently left undone. */
export function checkEgress(entry: NetworkEntry, path: IssuePath, report: Report): void {
  const why = entry.gateway === 'isolated' ? 'an isolated network' : entry.restrict === true ? 'restrict' : undefined;
  if (why === undefined) return;
  for (const key of ['host-access', 'metadata', 'source'] as const) {
    const value = entry[key];
    if (value === undefined || value === 'refuse' || (Array.isArray(value) && value.length === 0)) continue;
    report({
      code: 'no-way-out',
      path: [...path, key],
      message: `${why} lets nothing out, so ${key} means nothing`,
      hint: why === 'restrict' ? 'remove one of the two' : 'remove it, or write gateway: nat',
      isAboutKey: true,
    });
  }
}

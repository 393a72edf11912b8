/** Checks the links of a lab file: which port each is about, and what it does to the frames of each direction. */
import type { IssuePath } from '../base/issue.ts';
import { formatPath } from '../base/issue.ts';
import type { ImpairmentSpec } from '../link/impairment.ts';
import { DIRECTIONS } from '../link/link.ts';
import type { Direction } from '../link/probe.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import type { CheckedRouter } from './check-routers.ts';
import { impairmentFault, mergeImpairments } from './impairment-plan.ts';
import type { LinkPlan } from './plan.ts';
import { gatewayPort, portName } from './plan.ts';
import type { KnownPort } from './port-place.ts';
import { findPort } from './port-place.ts';
import type { SoundLab } from './schema-issues.ts';
import type { LinkEntry } from './schema-link.ts';

export function checkLinks(
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  routers: readonly CheckedRouter[],
  nics: readonly CheckedNic[],
  report: Report,
): readonly LinkPlan[] {
  const ports: readonly KnownPort[] = [
    ...nics.map((nic) => ({ port: portName(nic), node: nic.node })),
    ...routers.flatMap(({ interfaces }) => interfaces.map(({ router, name }) => ({ port: `${router}:${name}` }))),
    ...networks.flatMap(({ name, entry }) => (entry.gateway === 'none' ? [] : [{ port: gatewayPort(name) }])),
  ];
  const plans: LinkPlan[] = [];
  for (const [text, entry] of Object.entries(sound.lab?.links ?? {})) {
    const path = ['links', text];
    const plan = { fromGuest: impairmentOf(entry, 'from-guest'), toGuest: impairmentOf(entry, 'to-guest') };
    if (!sound.hasFaultIn(path)) reportFaults(entry, path, report);
    const found = findPort(text, ports);
    if ('code' in found) {
      const areAllKnown = !['nodes', 'networks', 'routers'].some((section) => sound.hasFaultIn([section]));
      if (areAllKnown) report({ ...found, path, isAboutKey: true });
      continue;
    }
    const { port } = found;
    if (plans.some((other) => other.port === port)) {
      const message = `the link of ${port} is described already`;
      report({ code: 'link-twice', path, message, hint: 'put both into one', isAboutKey: true });
    }
    plans.push({ port, ...plan });
  }
  return plans;
}

function impairmentOf(entry: LinkEntry, direction: Direction): ImpairmentSpec {
  const { 'from-guest': _from, 'to-guest': _to, ...both } = entry;
  return mergeImpairments(both, entry[direction] ?? {});
}

/** What is said once for both directions is reported once. */
function reportFaults(entry: LinkEntry, path: IssuePath, report: Report): void {
  const reported = new Set<string>();
  for (const direction of DIRECTIONS) {
    const fault = impairmentFault(impairmentOf(entry, direction));
    if (fault === undefined) continue;
    const at = [...path, ...(entry[direction]?.jitter === undefined ? [] : [direction]), 'jitter'];
    if (!reported.has(formatPath(at))) report({ ...fault, path: at });
    reported.add(formatPath(at));
  }
}

import { dirname, resolve } from 'node:path';
import { missingFiles } from '../host/lab-files.ts';
import { labSurroundings } from '../host/lab-surroundings.ts';
import { seedAt } from '../host/seed-files.ts';
import type { Finding, LabIssue } from '../lab/issue.ts';
import { formatLabIssue } from '../lab/issue.ts';
import type { LabPlan } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { EXIT_USAGE, Exit } from './exit.ts';
import { print } from './report.ts';

export type LoadedLab =
  | { readonly plan: LabPlan; locate(finding: Finding): LabIssue }
  | { readonly issues: readonly LabIssue[] };

/** The plan of a lab file whose files are there, named from the root; or everything that is wrong with it. */
export function loadLabFile(file: string): LoadedLab {
  const surroundings = labSurroundings(file);
  const read = surroundings.read(file);
  if ('fault' in read) {
    const place = { path: [], file, line: 1, column: 1 };
    return { issues: [{ code: 'cannot-read', message: read.fault, hint: 'name another', ...place }] };
  }
  const result = readLab(read.text, file, surroundings);
  if ('issues' in result) return result;
  const folder = dirname(resolve(file));
  const missing = missingFiles(result.plan, folder).map((finding) => result.locate(finding));
  return missing.length > 0 ? { issues: missing } : { ...result, plan: atFolder(result.plan, folder) };
}

/** As `loadLabFile`; ends the program with every issue where something is wrong. */
export function readLabFile(file: string, options: { readonly json?: true }): LabPlan {
  const loaded = loadLabFile(file);
  return 'issues' in loaded ? refuse(file, loaded.issues, options) : loaded.plan;
}

/** On one line as JSON, or a line for each issue. */
function refuse(file: string, issues: readonly LabIssue[], { json }: { readonly json?: true }): never {
  if (json) print(JSON.stringify({ event: 'lab-refused', file, issues }));
  else for (const issue of issues) process.stderr.write(`${formatLabIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

/** Files in a lab file are meant from where it lies. */
function atFolder(plan: LabPlan, folder: string): LabPlan {
  return {
    ...plan,
    ...(plan.seeds && { seeds: plan.seeds.map((seed) => seedAt(seed, folder)) }),
    ...(plan.machines && { machines: plan.machines.map((machine) => ({ ...machine, folder })) }),
    captures: plan.captures.map((capture) => ({ ...capture, file: resolve(folder, capture.file) })),
    networks: plan.networks.map((network) => {
      const { gateway } = network;
      if (gateway?.tftpFolder === undefined) return network;
      return { ...network, gateway: { ...gateway, tftpFolder: resolve(folder, gateway.tftpFolder) } };
    }),
  };
}

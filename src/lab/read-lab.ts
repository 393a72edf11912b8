/**
 * From the text of a lab file to a plan, or to everything that is wrong with it.
 *
 *     text ──document──> data ──schema──> entries ──check──> plan
 *               └───────────────┴────────────────┴──> issues, each with its line
 *
 * Each stage works on what the one before found sound, so one reading reports all there is to correct.
 */
import { checkLab } from './check.ts';
import { LabDocument } from './document.ts';
import type { Finding, LabIssue } from './issue.ts';
import type { LabPlan } from './plan.ts';
import { readSoundLab } from './schema-issues.ts';

/**
 * Files in the plan are named as in the text; they are relative to the lab file's folder. `locate` puts line and column to what is found
 * wrong with them later. At ports of the host below `firstOpenPort` whoever runs the lab may not listen.
 */
export function readLab(
  text: string,
  fileName: string,
  firstOpenPort = 0,
): { readonly plan: LabPlan; locate(finding: Finding): LabIssue } | { readonly issues: readonly LabIssue[] } {
  const document = new LabDocument(text);
  if (document.value === undefined) return { issues: inOrder(document.issues) };
  const sound = readSoundLab(document.value ?? {});
  const findings: Finding[] = [...sound.findings];
  const plan =
    sound.lab === undefined ? undefined : checkLab(sound, fileName, firstOpenPort, (finding) => findings.push(finding));
  const issues = [...document.issues, ...findings.map((finding) => document.locate(finding))];
  if (plan === undefined || issues.length > 0) return { issues: inOrder(issues) };
  return { plan, locate: (finding) => document.locate(finding) };
}

function inOrder(issues: readonly LabIssue[]): readonly LabIssue[] {
  return issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * From the text of a lab file to a plan, or to everything that is wrong with it.
 *
 *     text ──document──> data ──extends, defaults──> lab ──schema──> entries ──check──> plan
 *               └─────────────────────┴──────────────────────┴──────────┴──> issues, each with its line
 *
 * Each stage works on what the one before found sound, so one reading reports all there is to correct.
 */
import { formatPath } from '../base/issue.ts';
import { checkLab } from './check.ts';
import { withDefaults } from './defaults.ts';
import { readLayers } from './extends.ts';
import { fitted } from './fit.ts';
import type { Finding, LabIssue } from './issue.ts';
import type { LabPlan } from './plan.ts';
import { labSchema } from './schema.ts';
import { readSoundLab } from './schema-issues.ts';
import type { LabSurroundings } from './surroundings.ts';
import { NO_SURROUNDINGS } from './surroundings.ts';
import { faultsIn, locate, plainOf } from './written.ts';

/**
 * `file` is its name as issues shall tell it. Files in the plan are named as in the text; they are relative to the lab file's folder.
 * `locate` puts file, line and column to what is found wrong with them later.
 */
export function readLab(
  text: string,
  file: string,
  surroundings: LabSurroundings = NO_SURROUNDINGS,
): { readonly plan: LabPlan; locate(finding: Finding): LabIssue } | { readonly issues: readonly LabIssue[] } {
  const layers = readLayers(text, file, surroundings);
  if (layers.lab === undefined) return { issues: inOrder(layers.issues, file) };
  const lab = withDefaults(fitted(layers.lab, [labSchema]));
  const sound = readSoundLab(plainOf(lab), faultsIn(lab));
  const findings: Finding[] = [...sound.findings];
  const report = (finding: Finding) => findings.push(finding);
  const plan = sound.lab === undefined ? undefined : checkLab(sound, file, surroundings.firstOpenPort, report);
  const issues = [...layers.issues, ...findings.map((finding) => locate(lab, finding))];
  if (plan === undefined || issues.length > 0) return { issues: inOrder(issues, file) };
  return { plan, locate: (finding) => locate(lab, finding) };
}

/** Those of the lab file first. What is wrong with a default is told once, not of each entry that has it. */
function inOrder(issues: readonly LabIssue[], file: string): readonly LabIssue[] {
  const told = issues.filter((issue, i) => !issues.some((other, j) => isRepeated(issue, i, other, j)));
  const rank = (issue: LabIssue) => (issue.file === file ? '' : issue.file);
  const byFile = (a: LabIssue, b: LabIssue) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);
  return told.toSorted((a, b) => byFile(a, b) || a.line - b.line || a.column - b.column);
}

function isRepeated(issue: LabIssue, i: number, other: LabIssue, j: number): boolean {
  const isSamePlace = issue.file === other.file && issue.line === other.line && issue.column === other.column;
  if (!isSamePlace || issue.code !== other.code || i === j) return false;
  if (other.path[0] === 'defaults' && issue.path[0] !== 'defaults') return true;
  return j < i && formatPath(issue.path) === formatPath(other.path) && issue.message === other.message;
}

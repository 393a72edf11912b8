import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { LabIssue } from '../lab/issue.ts';
import { formatLabIssue } from '../lab/issue.ts';
import type { LabPlan } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { EXIT_USAGE, Exit, fail } from './exit.ts';
import { print } from './report.ts';

/** The plan of a lab file; ends the program with every issue where it is wrong. */
export function readLabFile(file: string, options: { readonly json?: true }): LabPlan {
  const result = readLab(readText(file), basename(file));
  if ('plan' in result) return result.plan;
  printIssues(file, result.issues, options.json === true);
  throw new Exit(EXIT_USAGE);
}

export function printIssues(file: string, issues: readonly LabIssue[], json: boolean): void {
  if (json) print(JSON.stringify({ file, issues }, undefined, 2));
  else for (const issue of issues) process.stderr.write(`${formatLabIssue(file, issue)}\n`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    fail(`${file} cannot be read: ${(error as Error).message}`, EXIT_USAGE);
  }
}

import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { firstOpenPort } from '../host/first-open-port.ts';
import { missingFiles } from '../host/lab-files.ts';
import type { LabIssue } from '../lab/issue.ts';
import { formatLabIssue } from '../lab/issue.ts';
import type { LabPlan } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { EXIT_USAGE, Exit } from './exit.ts';
import { print } from './report.ts';

/** The plan of a lab file whose files are there; ends the program with every issue where something is wrong. */
export function readLabFile(file: string, options: { readonly json?: true }): LabPlan {
  const text = readText(file, options);
  const result = readLab(text, basename(file), firstOpenPort());
  if ('issues' in result) return refuse(file, result.issues, options);
  const missing = missingFiles(result.plan, dirname(resolve(file))).map((finding) => result.locate(finding));
  return missing.length > 0 ? refuse(file, missing, options) : result.plan;
}

/** On one line as JSON, or a line for each issue. */
function refuse(file: string, issues: readonly LabIssue[], { json }: { readonly json?: true }): never {
  if (json) print(JSON.stringify({ event: 'lab-refused', file, issues }));
  else for (const issue of issues) process.stderr.write(`${formatLabIssue(file, issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

function readText(file: string, options: { readonly json?: true }): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = isAbsent ? 'there is no such file' : `it cannot be read: ${(error as Error).message}`;
    return refuse(file, [{ code: 'cannot-read', path: [], message, line: 1, column: 1 }], options);
  }
}

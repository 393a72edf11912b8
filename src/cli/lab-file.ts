import { dirname, resolve } from 'node:path';
import { missingFiles } from '../host/lab-files.ts';
import { labSurroundings } from '../host/lab-surroundings.ts';
import type { LabIssue } from '../lab/issue.ts';
import { formatLabIssue } from '../lab/issue.ts';
import type { LabPlan } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { EXIT_USAGE, Exit } from './exit.ts';
import { print } from './report.ts';

/** The plan of a lab file whose files are there; ends the program with every issue where something is wrong. */
export function readLabFile(file: string, options: { readonly json?: true }): LabPlan {
  const surroundings = labSurroundings(file);
  const read = surroundings.read(file);
  if ('fault' in read) {
    const issue = {
      code: 'cannot-read',
      path: [],
      message: read.fault,
      hint: 'name another',
      file,
      line: 1,
      column: 1,
    };
    return refuse(file, [issue], options);
  }
  const result = readLab(read.text, file, surroundings);
  if ('issues' in result) return refuse(file, result.issues, options);
  const missing = missingFiles(result.plan, dirname(resolve(file))).map((finding) => result.locate(finding));
  return missing.length > 0 ? refuse(file, missing, options) : result.plan;
}

/** On one line as JSON, or a line for each issue. */
function refuse(file: string, issues: readonly LabIssue[], { json }: { readonly json?: true }): never {
  if (json) print(JSON.stringify({ event: 'lab-refused', file, issues }));
  else for (const issue of issues) process.stderr.write(`${formatLabIssue(issue)}\n`);
  throw new Exit(EXIT_USAGE);
}

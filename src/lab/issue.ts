/** What is wrong with a lab file, and where. */
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';

export interface LabIssue extends Issue {
  /** The lab file, or one that it extends. */
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** An issue whose place in the text is not looked up yet. */
export interface Finding extends Issue {
  /** Set where the key itself is wrong; otherwise its value is. */
  readonly isAboutKey?: true;
}

/** One line as compilers write it: `lab.yaml:4:13 networks.lan.subnet: message; hint`. */
export function formatLabIssue(issue: LabIssue): string {
  return `${issue.file}:${issue.line}:${issue.column} ${formatIssue(issue)}`;
}

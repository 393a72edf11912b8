/** How a running lab takes over its edited file. */
import type { Log } from '../base/log.ts';
import type { LabChange } from '../control/route.ts';
import { runtimeFolder } from '../host/folders.ts';
import type { LabIssue } from '../lab/issue.ts';
import { formatLabIssue } from '../lab/issue.ts';
import { changeTexts, planDifference } from '../lab/plan-difference.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import { loadLabFile } from './lab-file.ts';
import { labDoors } from './sockets.ts';

/**
 * Reads the file anew, in the surroundings that the lab was started in, and carries the lab over to it; all that is wrong with it, and
 * all that cannot change, is told before anything is done. With `isTrial` nothing is done in any case.
 */
export async function reloadLab(lab: RunningLab, file: string, isTrial: boolean, log: Log): Promise<LabChange> {
  const loaded = loadLabFile(file);
  if ('issues' in loaded) return { refused: 'lab-refused', issues: loaded.issues, text: textOf(loaded.issues) };
  const difference = planDifference(lab.plan, loaded.plan);
  const issues = difference.impossible.map((finding) => loaded.locate(finding));
  if (issues.length > 0) return { refused: 'cannot-change', issues, text: textOf(issues) };
  const changes = changeTexts(difference);
  if (!isTrial) {
    await lab.change(loaded.plan, labDoors(loaded.plan, runtimeFolder(loaded.plan.name)));
    for (const change of changes) log({ event: 'lab-changed', message: `reload: ${change}` });
  }
  return { changes };
}

function textOf(issues: readonly LabIssue[]): string {
  return issues.map((issue) => formatLabIssue(issue)).join('\n');
}

import type { LabPlan } from '../../src/lab/plan.ts';
import { readLab } from '../../src/lab/read-lab.ts';

/** The plan of a sound lab file. */
export function planOf(text: string): LabPlan {
  const read = readLab(text, 'office.yaml');
  if ('issues' in read) throw new Error(JSON.stringify(read.issues));
  return read.plan;
}

/** The library's public names. */
export type { LabIssue } from './lab/issue.ts';
export { formatLabIssue } from './lab/issue.ts';
export type { LabPlan } from './lab/plan.ts';
export { readLab } from './lab/read-lab.ts';
export type { LabStatus, LeaseStatus } from './lab/status-schemas.ts';

/** What another process uses, as Linux's /proc tells it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of all its threads so far, user and kernel, in milliseconds; of threads that have ended it knows nothing. */
export function cpuMillis(pid: number): number {
  return sumOfTasks(pid, 'schedstat', /^(\d+)/) / 1e6;
}

/** How often its threads went to sleep, and so woke up. */
export function sleeps(pid: number): number {
  return sumOfTasks(pid, 'status', /^voluntary_ctxt_switches:\s+(\d+)/m);
}

/** Resident memory in octets. */
export function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

export function mib(octets: number): string {
  return `${(octets / 2 ** 20).toFixed(0)} MiB`;
}

function sumOfTasks(pid: number, file: string, number: RegExp): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce(
    (sum, task) => sum + Number(number.exec(readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8'))![1]),
    0,
  );
}

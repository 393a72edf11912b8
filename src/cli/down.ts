/** `vmlan down`: stops a running lab and waits until nothing of it is left. */
import { setTimeout as delay } from 'node:timers/promises';
import { ControlError, callControl, getControl } from '../control/client.ts';
import { EXIT_USAGE, fail } from './exit.ts';
import { cleanDeadLabs, findLab } from './find-lab.ts';
import { print } from './report.ts';

export interface DownCommand {
  readonly force?: true;
  readonly json?: true;
}

/** Milliseconds that a lab may need to stop, its machines included. */
const PATIENCE = 60_000;
/** Milliseconds between two looks at its process. */
const LOOK_INTERVAL = 20;

export async function down(lab: string | undefined, { force, json }: DownCommand): Promise<void> {
  const socket = await findLab(lab, 'NAME');
  const { name, pid } = await getControl<{ name: string; pid: number }>(socket, '/v1/status');
  if (force) process.kill(pid, 'SIGKILL');
  else {
    await callControl(socket, 'POST', '/v1/stop').catch((error: Error) =>
      fail(error.message, error instanceof ControlError ? EXIT_USAGE : undefined),
    );
  }
  const deadline = performance.now() + PATIENCE;
  while (isRunning(pid)) {
    if (performance.now() > deadline) fail(`${name} has not stopped within ${PATIENCE / 1000} s; --force kills it`);
    await delay(LOOK_INTERVAL);
  }
  await cleanDeadLabs();
  print(json ? JSON.stringify({ event: 'down', lab: name, pid }) : `lab ${name} is down`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // it is gone
  }
}

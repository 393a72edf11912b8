/** Runs a lab in the foreground, until Ctrl-C or a signal. */
import { rmdirSync } from 'node:fs';
import type { Log } from '../base/log.ts';
import { removeDeadSocket } from '../host/dead-socket.ts';
import { controlSocket, makeRuntimeFolder, stateFolder } from '../host/folders.ts';
import { nodeEnvironment } from '../host/node-environment.ts';
import { StartError } from '../host/start-error.ts';
import type { DoorPlan, LabPlan } from '../lab/plan.ts';
import { RunningLab } from '../lab/running-lab.ts';
import { fail } from './report.ts';
import { version } from './version.ts';

/** Milliseconds that readers of live captures have to take what is left for them. */
const READER_PATIENCE = 2000;

/** Starts the lab, calls `onReady` as soon as machines can plug in, and resolves when it was stopped and everything is on disk. */
export async function runLab(
  plan: LabPlan,
  doors: readonly DoorPlan[],
  log: Log,
  onReady: (lab: RunningLab) => Promise<void>,
): Promise<void> {
  const stopped = stopSignal();
  const lab = await startLab(plan, doors, log);
  const { serveControl } = await import('../control/server.ts');
  const control = await serveControl(lab, controlSocket(plan.name), { pid: process.pid, version: version() });
  await onReady(lab);
  const signal = await stopped;
  log({ event: 'stopping', message: `${plan.name} stops`, signal });
  // A reader of a live capture that has stopped reading would be waited for without end.
  const patience = setTimeout(() => control.cutOff(), READER_PATIENCE);
  await lab.stop();
  await control.close();
  clearTimeout(patience);
  removeEmptyFolder(plan.name);
  log({ event: 'stopped', message: `${plan.name} stopped; captures and leases are complete` });
  process.exit(0);
}

async function startLab(plan: LabPlan, doors: readonly DoorPlan[], log: Log): Promise<RunningLab> {
  try {
    makeRuntimeFolder(plan.name);
    if (!(await removeDeadSocket(controlSocket(plan.name)))) {
      throw new StartError(
        'already-running',
        `a lab named ${plan.name} is running; stop it, or give this one another name`,
      );
    }
    return await RunningLab.start(plan, doors, nodeEnvironment(stateFolder(plan.name), log));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    log({ event: 'start-failed', message: error.message, code: error.code });
    fail(error.message);
  }
}

/** The first of these signals; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(130));
      });
    }
  });
}

/** A QEMU that still listens in the folder keeps it. */
function removeEmptyFolder(lab: string): void {
  try {
    rmdirSync(makeRuntimeFolder(lab));
  } catch {
    // it holds a machine's socket
  }
}

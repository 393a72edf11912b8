/** Runs a lab in the foreground, until Ctrl-C or a signal. */
import { rmdirSync } from 'node:fs';
import type { Log } from '../base/log.ts';
import { ControlServer } from '../control/server.ts';
import { removeDeadSocket, removeDeadSockets } from '../host/dead-socket.ts';
import { controlSocket, makeRuntimeFolder, runtimeFolder, stateFolder } from '../host/folders.ts';
import { nodeEnvironment } from '../host/node-environment.ts';
import { checkUnixPath } from '../host/unix-path.ts';
import type { Environment } from '../lab/environment.ts';
import type { DoorPlan, LabPlan } from '../lab/plan.ts';
import { RunningLab } from '../lab/running-lab.ts';
import { fail } from './exit.ts';
import { stopSignal } from './stop-signal.ts';
import { version } from './version.ts';

/** Milliseconds that readers of live captures have to take what is left for them. */
const READER_PATIENCE = 2000;

/** The name and its control socket are this process's from now on; undefined where a running lab has the name. */
export async function claimLab(name: string): Promise<ControlServer | undefined> {
  makeRuntimeFolder(name);
  const path = controlSocket(name);
  checkUnixPath(path);
  if (!(await removeDeadSocket(path))) return undefined;
  await removeDeadSockets(runtimeFolder(name)); // of a vmlan that was killed
  try {
    return await ControlServer.claim(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

export async function claimNamedLab(name: string): Promise<ControlServer> {
  return (await claimLab(name)) ?? refuseSecond(name);
}

export function refuseSecond(name: string): never {
  return fail(`a lab named ${name} is running; stop it, or give this one another name`);
}

/** Starts the lab of `file`, calls `onReady` when machines can plug in, and resolves when it was stopped and everything is on disk. */
export async function runLab(
  plan: LabPlan,
  doors: readonly DoorPlan[],
  control: ControlServer,
  log: Log,
  onReady: (lab: RunningLab, log: Log) => Promise<void> | void,
  file?: string,
): Promise<void> {
  let hurry = (): void => process.exit(130);
  const stopped = stopSignal(() => hurry());
  const environment = nodeEnvironment(runtimeFolder(plan.name), stateFolder(plan.name), log);
  await withLab(plan, doors, control, environment, async (lab) => {
    const order = stopOrder();
    hurry = () => lab.machines.kill();
    const about = { pid: process.pid, version: version(), ...(file !== undefined && { file }) };
    const again = async (path: string, isTrial: boolean) =>
      (await import('./lab-reload.ts')).reloadLab(lab, path, isTrial, environment.log);
    const reload = file === undefined ? {} : { reload: (isTrial: boolean) => again(file, isTrial) };
    control.serve({ lab, ...about, stop: order.give, ...reload });
    await onReady(lab, environment.log);
    const signal = await Promise.race([stopped, order.given]);
    environment.log({ event: 'stopping', message: `${plan.name} stops`, signal });
  });
  log({ event: 'stopped', message: `${plan.name} stopped; captures and leases are complete` });
}

/** What `vmlan down` gives. */
function stopOrder(): { readonly give: () => void; readonly given: Promise<'asked'> } {
  let give: () => void = () => undefined;
  const given = new Promise<'asked'>((resolve) => {
    give = () => resolve('asked');
  });
  return { give, given };
}

/** Starts the lab, and stops it when `use` is done with it; resolves when everything is on disk. */
export async function withLab<T>(
  plan: LabPlan,
  doors: readonly DoorPlan[],
  control: ControlServer,
  environment: Environment,
  use: (lab: RunningLab) => Promise<T>,
): Promise<T> {
  try {
    const lab = await RunningLab.start(plan, doors, environment);
    try {
      return await use(lab);
    } finally {
      await stop(lab, control);
    }
  } finally {
    control.cutOff();
    void control.close(); // unlinks the socket, where that was not done yet
    removeEmptyFolder(plan.name);
  }
}

/** A reader of a live capture or of events who has stopped reading is waited for a while only. */
async function stop(lab: RunningLab, control: ControlServer): Promise<void> {
  const closed = control.close();
  const patience = setTimeout(() => control.cutOff(), READER_PATIENCE);
  await lab.stop();
  control.finish();
  await closed;
  clearTimeout(patience);
}

/** A QEMU that still listens in the folder keeps it. */
function removeEmptyFolder(lab: string): void {
  try {
    rmdirSync(runtimeFolder(lab));
  } catch {
    // it holds a machine's socket
  }
}

import { resolve } from 'node:path';
import type { Log, LogEntry } from '../base/log.ts';
import { isAnswered } from '../host/dead-socket.ts';
import { controlSocket, runtimeFolder } from '../host/folders.ts';
import type { LabPlan } from '../lab/plan.ts';
import { portName } from '../lab/plan.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import { boundedLog, startInBackground } from './background.ts';
import { readLabFile } from './lab-file.ts';
import { tellOpenings } from './openings.ts';
import { logTo, print } from './report.ts';
import { claimNamedLab, refuseSecond, runLab } from './run-lab.ts';
import { labDoors } from './sockets.ts';

export interface UpCommand {
  readonly detach?: true;
  /** Whether this is the process that `detach` made. */
  readonly background?: true;
  readonly json?: true;
}

export async function up(file: string, options: UpCommand): Promise<void> {
  const plan = readLabFile(file, options);
  if (options.detach) return detach(plan, file, options);
  const control = await claimNamedLab(plan.name);
  const ownLog = logTo(options.json === true);
  const log = options.background ? boundedLog(plan.name, ownLog) : ownLog;
  const onReady = (lab: RunningLab, tell: Log) => {
    tell(readyEvent(plan, process.pid));
    tellOpenings(lab, options.json ? tell : undefined);
    if (!options.json && !options.background) printNextSteps(plan, 'Ctrl-C stops the lab.');
  };
  await runLab(plan, labDoors(plan, runtimeFolder(plan.name)), control, log, onReady, resolve(file));
}

async function detach(plan: LabPlan, file: string, { json }: UpCommand): Promise<void> {
  if (await isAnswered(controlSocket(plan.name))) return refuseSecond(plan.name);
  const words = ['up', resolve(file), '--background', ...(json ? ['--json'] : [])];
  const pid = await startInBackground(plan.name, words);
  const event = readyEvent(plan, pid);
  if (json) return print(JSON.stringify(event));
  print(event.message);
  printNextSteps(plan, `vmlan logs -f shows what happens, vmlan down ${plan.name} stops the lab.`);
}

function readyEvent({ name, nics }: LabPlan, pid: number): LogEntry {
  return { event: 'ready', message: `lab ${name} is up`, lab: name, pid, ports: nics.map(portName) };
}

function printNextSteps(plan: LabPlan, end: string): void {
  const ours = new Set((plan.machines ?? []).map(({ node }) => node));
  const yours = [...new Set(plan.nics.map(({ node }) => node))].filter((node) => !ours.has(node));
  if (yours.length > 0) {
    print(`In another terminal, start each machine with the arguments of its cards:`);
    for (const node of yours) print(`  qemu-system-x86_64 -m 512 … $(vmlan qemu-args ${node})`);
  }
  const [first] = ours;
  if (first !== undefined)
    print(`Machines of this lab: vmlan node ls, vmlan console ${first}, vmlan node restart ${first}`);
  print(
    `Then: vmlan status, vmlan leases, vmlan capture ${plan.nics[0] ? portName(plan.nics[0]) : 'PORT'} -w - | wireshark -k -i -`,
  );
  print(end);
}

import { dirname, resolve } from 'node:path';
import { runtimeFolder } from '../host/folders.ts';
import type { LabPlan } from '../lab/plan.ts';
import { portName } from '../lab/plan.ts';
import { readLabFile } from './lab-file.ts';
import { tellOpenings } from './openings.ts';
import { logTo, print } from './report.ts';
import { claimNamedLab, runLab } from './run-lab.ts';
import { labDoors } from './sockets.ts';

export async function up(file: string, options: { readonly json?: true }): Promise<void> {
  const plan = atFolder(readLabFile(file, options), dirname(resolve(file)));
  const log = logTo(options.json === true);
  const control = await claimNamedLab(plan.name);
  await runLab(plan, labDoors(plan, runtimeFolder(plan.name)), control, log, async (lab) => {
    log({
      event: 'ready',
      message: `lab ${plan.name} is up`,
      lab: plan.name,
      pid: process.pid,
      ports: plan.nics.map(portName),
    });
    tellOpenings(lab, options.json ? log : undefined);
    if (!options.json) printNextSteps(plan);
  });
}

/** Files in a lab file are meant from where it lies. */
function atFolder(plan: LabPlan, folder: string): LabPlan {
  return {
    ...plan,
    captures: plan.captures.map((capture) => ({ ...capture, file: resolve(folder, capture.file) })),
    networks: plan.networks.map((network) => {
      const { gateway } = network;
      if (gateway?.tftpFolder === undefined) return network;
      return { ...network, gateway: { ...gateway, tftpFolder: resolve(folder, gateway.tftpFolder) } };
    }),
  };
}

function printNextSteps(plan: LabPlan): void {
  const nodes = [...new Set(plan.nics.map(({ node }) => node))];
  print(`In another terminal, start each machine with the arguments of its cards:`);
  for (const node of nodes) print(`  qemu-system-x86_64 -m 512 … $(vmlan qemu-args ${node})`);
  print(
    `Then: vmlan status, vmlan leases, vmlan capture ${plan.nics[0] ? portName(plan.nics[0]) : 'PORT'} -w - | wireshark -k -i -`,
  );
  print('Ctrl-C stops the lab.');
}

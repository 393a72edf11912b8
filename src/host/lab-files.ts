/** What a lab file names on this machine and is not there, found before anything starts. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { IssuePath } from '../base/issue.ts';
import type { Finding } from '../lab/issue.ts';
import type { CapturePlan, LabPlan, NetworkPlan } from '../lab/plan.ts';
import { portName } from '../lab/plan.ts';
import { machineFindings } from './machine-files.ts';
import { seedFindings } from './seed-files.ts';

/** Relative names are meant from `folder`, where the lab file lies. */
export function missingFiles(plan: LabPlan, folder: string): readonly Finding[] {
  return [
    ...plan.networks.flatMap((network) => bootFindings(network, folder)),
    ...(plan.seeds ?? []).flatMap((seed) => seedFindings(seed, folder)),
    ...(plan.machines ?? []).flatMap((machine) => machineFindings(machine, folder)),
    ...plan.captures.flatMap((capture) => captureFindings(plan, capture, folder)),
  ];
}

function bootFindings({ name, gateway }: NetworkPlan, folder: string): readonly Finding[] {
  const tftp = gateway?.tftpFolder;
  if (tftp === undefined) return [];
  const path = ['networks', name, 'boot'];
  const at = resolve(folder, tftp);
  if (!isFolder(at)) {
    return [
      {
        code: 'no-folder',
        path: [...path, 'tftp'],
        message: `there is no folder ${at}`,
        hint: 'make it, or name another',
      },
    ];
  }
  const { bootfile, server } = gateway?.dhcp?.boot ?? {};
  const isOurs = bootfile !== undefined && server === undefined && !/^[a-z]+:\/\//i.test(bootfile);
  if (!isOurs || isFile(join(at, bootfile))) return [];
  const message = `there is no file ${bootfile} in ${at}`;
  return [{ code: 'no-file', path: [...path, 'bootfile'], message, hint: 'put it there, or name another' }];
}

function captureFindings(plan: LabPlan, capture: CapturePlan, folder: string): readonly Finding[] {
  const parent = dirname(resolve(folder, capture.file));
  const path = capturePath(plan, capture);
  if (!isFolder(parent))
    return [{ code: 'no-folder', path, message: `there is no folder ${parent}`, hint: 'make it, or name another' }];
  if (!isWritable(parent))
    return [{ code: 'not-writable', path, message: `you may not write to ${parent}`, hint: 'name another folder' }];
  return [];
}

/** Where the lab file asks for the capture. */
function capturePath(plan: LabPlan, { of }: CapturePlan): IssuePath {
  if (of.kind === 'lab') return ['capture'];
  if (of.kind === 'network') return ['networks', of.network, 'capture'];
  const nic = plan.nics.find((each) => portName(each) === of.port);
  if (nic === undefined) return [];
  const index = plan.nics.filter(({ node }) => node === nic.node).indexOf(nic);
  return ['nodes', nic.node, 'nics', index, 'capture'];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // that is the answer
  }
}

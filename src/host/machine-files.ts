/** What the machines of a lab file need on this machine and cannot have. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { IssuePath } from '../base/issue.ts';
import type { Finding } from '../lab/issue.ts';
import type { MachinePlan } from '../lab/machine-plan.ts';
import type { MachineDisk } from '../qemu/machine-arguments.ts';
import { findProgram } from './find-program.ts';

/** Relative names are meant from `folder`. */
export function machineFindings({ node, program, disks, kernel, initrd }: MachinePlan, folder: string): Finding[] {
  const path = ['nodes', node, 'qemu'];
  const boot = Object.entries({ kernel, initrd }).flatMap(([key, file]) => (file === undefined ? [] : [[key, file]]));
  return [
    ...programFindings(program, folder, [...path, 'command']),
    ...boot.flatMap(([key, file]) => fileFindings(resolve(folder, file!), [...path, key!])),
    ...disks.flatMap((disk) => diskFindings(disk, folder, [...path, 'disk'])),
  ];
}

/** The path of a program that is named as in a shell; undefined where there is none. */
export function programPath(program: string, folder: string): string | undefined {
  if (!program.includes('/')) return findProgram(program);
  const path = resolve(folder, program);
  return isAllowed(path, constants.X_OK) ? path : undefined;
}

function programFindings(program: string, folder: string, path: IssuePath): Finding[] {
  if (programPath(program, folder) !== undefined) return [];
  const hint = /\s/.test(program)
    ? 'words behind the program belong into args'
    : 'install QEMU (Debian: apt install qemu-system), or name another program';
  return [{ code: 'no-program', path, message: `there is no program ${program}`, hint }];
}

function fileFindings(file: string, path: IssuePath): Finding[] {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    return [{ code: 'no-file', path, message: `there is no file ${file}`, hint: 'put it there, or name another' }];
  }
  if (isAllowed(file, constants.R_OK)) return [];
  return [{ code: 'not-readable', path, message: `you may not read ${file}`, hint: 'mend its mode, or name another' }];
}

/** QEMU's names for what is no file, such as `nbd:HOST:PORT`. */
const PROTOCOL = /^[a-z][a-z0-9+-]+:/;

function diskFindings(disk: MachineDisk, folder: string, path: IssuePath): Finding[] {
  if (PROTOCOL.test(disk.file)) return [];
  const file = resolve(folder, disk.file);
  const findings = fileFindings(file, path);
  if (findings.length > 0) return findings;
  if (!disk.isReadOnly && !disk.isSnapshot && !isAllowed(file, constants.W_OK)) {
    const hint = 'mend its mode, or write snapshot: true';
    return [{ code: 'not-writable', path, message: `you may not write to ${file}`, hint }];
  }
  if (disk.format !== 'raw' || !isQcow2(file)) return [];
  const message = `${file} is a qcow2 image, and would be shown to the machine as it is`;
  return [{ code: 'bad-format', path, message, hint: `write disk: { file: ${disk.file}, format: qcow2 }` }];
}

const QCOW2_MAGIC = 'QFI\xfb';

function isQcow2(file: string): boolean {
  if (!statSync(file).isFile()) return false;
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(QCOW2_MAGIC.length);
    readSync(descriptor, head);
    return head.toString('latin1') === QCOW2_MAGIC;
  } finally {
    closeSync(descriptor);
  }
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false; // that is the answer
  }
}

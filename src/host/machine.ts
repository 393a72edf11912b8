/** This machine, as `vmlan doctor` asks it. */
import { execFile } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import type { Machine } from './doctor.ts';
import { findProgram } from './find-program.ts';
import { makeRuntimeFolder, runtimeRoot, stateFolder } from './folders.ts';
import { NodeHostNet } from './node-host-net.ts';
import { loadSystemCalls } from './system-calls.ts';
import { namespaceProblem, realProbes } from './user-namespaces.ts';

/** Where programs lie that only root's shell looks for. */
const OTHER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

export const thisMachine: Machine = {
  program: (name) => findProgram(name, undefined, OTHER_FOLDERS),
  output: (program, args) =>
    new Promise((resolve) => {
      execFile(program, args, { timeout: 10_000 }, (error, stdout) => resolve(error ? undefined : stdout));
    }),
  device: deviceState,
  namespaceProblem: () => namespaceProblem(realProbes()),
  hasSystemCalls: () => loadSystemCalls() !== undefined,
  echo: () => new NodeHostNet().abilities.echo,
  ipv6: ipv6State,
  descriptorLimit,
  folder: (which) => (which === 'runtime' ? runtimeRoot() : dirname(stateFolder(PROBE))),
  folderProblem: (which) => (which === 'runtime' ? runtimeProblem() : stateProblem()),
};

/** Some devices say at open(2) only that they are not for everybody. */
function deviceState(path: string): ReturnType<Machine['device']> {
  if (!existsSync(path)) return 'absent';
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    return 'usable';
  } catch {
    return 'forbidden';
  }
}

function ipv6State(): ReturnType<Machine['ipv6']> {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ family }) => family === 'IPv6'),
  );
  if (own.length === 0) return 'off';
  return own.some(({ internal, scopeid }) => !internal && scopeid === 0) ? 'global' : 'links';
}

function descriptorLimit(): number | undefined {
  const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '';
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** A lab that there never is. */
const PROBE = `doctor-${process.pid}`;

function runtimeProblem(): string | undefined {
  try {
    rmdirSync(makeRuntimeFolder(PROBE));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The nearest folder that is there must let us write, since the others are made when they are needed. */
function stateProblem(): string | undefined {
  let folder = stateFolder(PROBE);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK); // a file in its place is no folder
    return undefined;
  } catch {
    return `you may not write to ${folder}`;
  }
}

/** Where vmlan keeps things, as the XDG Base Directory Specification says. */
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { StartError } from './start-error.ts';

/** Sockets of running labs: `$XDG_RUNTIME_DIR/vmlan`, or a folder of the user's own in the temporary one. */
export function runtimeRoot(): string {
  const runtime = absolute('XDG_RUNTIME_DIR');
  return runtime ? join(runtime, 'vmlan') : join(tmpdir(), `vmlan-${userInfo().uid}`);
}

/** One lab's sockets. */
export function runtimeFolder(lab: string): string {
  return join(runtimeRoot(), lab);
}

export function controlSocket(lab: string): string {
  return join(runtimeFolder(lab), 'control.sock');
}

/** Leases and settings of a lab, which outlive it. */
export function stateFolder(lab: string): string {
  return join(absolute('XDG_STATE_HOME') ?? join(homedir(), '.local', 'state'), 'vmlan', lab);
}

/** What a lab in the background said in its last run. */
export function labLog(lab: string): string {
  return join(stateFolder(lab), 'lab.log');
}

/** A folder from the environment; the specification says to ignore relative ones. */
function absolute(variable: string): string | undefined {
  const folder = process.env[variable];
  return folder !== undefined && isAbsolute(folder) ? folder : undefined;
}

/** Makes the lab's runtime folder, for its owner only. Throws a `StartError` where that is not possible. */
export function makeRuntimeFolder(lab: string): string {
  const root = runtimeRoot();
  const folder = runtimeFolder(lab);
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(root);
    if (uid !== userInfo().uid || (mode & 0o077) !== 0) throw new Error('it must belong to you with mode 0700');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError('no-runtime-folder', `${root}: ${(error as Error).message}; mend it, or set XDG_RUNTIME_DIR`);
  }
  return folder;
}

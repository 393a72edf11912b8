/** Where vmlan keeps things, as the XDG Base Directory Specification says. */
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** Sockets of running labs: `$XDG_RUNTIME_DIR/vmlan`, or a folder of the user's own in the temporary one. */
export function runtimeRoot(): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
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
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'vmlan', lab);
}

/** Makes the lab's runtime folder, for its owner only. */
export function makeRuntimeFolder(lab: string): string {
  const root = runtimeRoot();
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(root);
  const isOurs = uid === userInfo().uid && (mode & 0o077) === 0;
  if (!isOurs)
    throw new StartError(
      'folder-not-private',
      `${root} must belong to you with mode 0700; mend or remove it, or set XDG_RUNTIME_DIR`,
    );
  const folder = runtimeFolder(lab);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

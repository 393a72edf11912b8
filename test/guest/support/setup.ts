import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { noteMissingQemu, qemuVersion } from './qemu.ts';
import { buildRig } from './rig.ts';

/** Before all guest tests: the program as it is installed, and the machines. */
export function setup(): void {
  noteMissingQemu();
  if (qemuVersion === undefined) return;
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: 'inherit',
  });
  buildRig();
}

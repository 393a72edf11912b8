import { execFile } from 'node:child_process';
import type { QemuVersion } from '../qemu/version.ts';
import { parseQemuVersion } from '../qemu/version.ts';

/** Asks a QEMU program for its version; undefined where there is no such program or it says something else. */
export function installedQemu(program: string): Promise<QemuVersion | undefined> {
  return new Promise((resolve) => {
    execFile(program, ['-version'], { timeout: 10_000 }, (error, stdout) =>
      resolve(error ? undefined : parseQemuVersion(stdout)),
    );
  });
}

/** A temporary folder with what a bench between processes needs: vmlan built from this source, and our C programs. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../scripts/bundle.ts';

const project = new URL('..', import.meta.url).pathname;

/** Makes the folder; it is removed when the bench ends. */
export function makeWorkshop(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmlan-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  return folder;
}

/** Builds vmlan as `npm run build` does, but into the folder; returns the program's path. */
export async function buildVmlan(folder: string): Promise<string> {
  const outDir = join(folder, 'vmlan', 'dist');
  await bundle(outDir);
  copyFileSync(join(project, 'package.json'), join(folder, 'vmlan', 'package.json'));
  symlinkSync(join(project, 'node_modules'), join(folder, 'vmlan', 'node_modules'));
  return join(outDir, 'main.js');
}

/** Compiles `bench/NAME.c`; returns the program's path, or undefined (and says so) where there is no C compiler. */
export function compile(name: string, folder: string): string | undefined {
  const program = join(folder, name);
  try {
    execFileSync('cc', ['-O2', '-pthread', '-o', program, join(project, 'bench', `${name}.c`)], { stdio: 'inherit' });
    return program;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    console.error(
      isMissing
        ? 'There is no C compiler (cc), which this bench needs; on Debian: apt install gcc libc6-dev'
        : `${name}.c does not compile`,
    );
    return undefined;
  }
}

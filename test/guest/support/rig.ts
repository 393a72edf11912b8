import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Workbench } from '../../support/workbench.ts';

const RIG = fileURLToPath(new URL('../rig/', import.meta.url));

/** Makes the guest image and the firmware unless they are cached; needs Debian's apt and a mirror the first time. */
export function buildRig(): void {
  execFileSync(`${RIG}build-guest`, { stdio: ['ignore', 'inherit', 'inherit'] });
  execFileSync(`${RIG}build-guest`, ['--firmware'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A TFTP folder with the rig's scripts, the named boot loaders and, on request, the Linux guest itself. */
export function tftpFolder(bench: Workbench, loaders: readonly string[] = [], linux = false): string {
  const folder = bench.makeFolder('tftp');
  cpSync(`${RIG}tftp`, folder, { recursive: true });
  if (loaders.length > 0) {
    const firmware = ask('--firmware').trim();
    for (const name of loaders) copyFileSync(join(firmware, name), join(folder, name));
  }
  if (linux) {
    const images = guestImages();
    for (const name of ['vmlinuz', 'base.cpio']) share(join(images, name), join(folder, name));
  }
  return folder;
}

/** The folder of the guest's kernel and the pieces of its root file system. */
export function guestImages(): string {
  return /^IMAGES=(.*)$/m.exec(ask('--print'))?.[1] ?? '';
}

function ask(option: string): string {
  return execFileSync(`${RIG}build-guest`, [option], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function share(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}

/**
 * The program and the library in few files, because a hundred modules take longer to load than a lab takes to start. Dependencies stay
 * outside; what only one verb needs is a file that only this verb loads.
 *
 *     npx tsx scripts/bundle.ts          into dist/
 */
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('..', import.meta.url));

export async function bundle(folder = join(project, 'dist')): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: project,
    entryPoints: ['src/main.ts', 'src/index.ts'],
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    metafile: true,
    logLevel: 'warning',
  });
  removeOthers(join(folder, 'chunks'), new Set(Object.keys(metafile.outputs).map((path) => basename(path))));
  chmodSync(join(folder, 'main.js'), 0o755);
}

/** Chunks of an earlier build. */
function removeOthers(folder: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) if (!current.has(name)) rmSync(join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();

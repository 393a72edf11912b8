import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { FileTree, ReadableFile } from '../base/files.ts';

/** The regular files under `folder`; rejects where that is not a folder. Symbolic links work as long as they stay inside. */
export async function openFolderTree(folder: string): Promise<FileTree> {
  const root = await realpath(folder);
  if (!(await stat(root)).isDirectory()) throw new Error(`${folder} is not a folder`);
  return { open: (path) => openInside(root, path) };
}

async function openInside(root: string, path: string): Promise<ReadableFile | undefined> {
  // Boot loaders for Windows write paths with backslashes.
  const parts = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || path.includes('\0')) return undefined;
  let handle: FileHandle;
  try {
    const real = await realpath(join(root, ...parts));
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    // A named pipe must not hold us, and a link that appeared since must not lead out.
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = await handle.stat();
  if (stats.isFile()) {
    return { size: stats.size, read: (at, length) => read(handle, at, length), close: () => handle.close() };
  }
  await handle.close();
  return undefined;
}

/** Reads until `length` octets are there or the file ends: a single read may give fewer. */
async function read(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const octets = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(octets, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return octets.subarray(0, filled);
}

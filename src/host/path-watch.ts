/** Waits for files to appear without looking again and again: the system tells, once for each folder in which somebody waits. */
import type { FSWatcher } from 'node:fs';
import { existsSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

interface FolderWatch {
  readonly watcher: FSWatcher;
  /** Who waits, by the name of the file. */
  readonly waiting: Map<string, Set<() => void>>;
}

const folders = new Map<string, FolderWatch>();

/**
 * Calls `then`, once and later, when something happens to the path or to its folder; the function ends the waiting. Undefined where
 * nobody would tell: something is there already, its folder is not, or the system has no watch left.
 */
export function awaitPath(path: string, then: () => void): (() => void) | undefined {
  const folder = dirname(path);
  const name = basename(path);
  const watched = folders.get(folder) ?? watchFolder(folder);
  if (watched === undefined) return undefined;
  watched.waiting.set(name, (watched.waiting.get(name) ?? new Set()).add(then));
  const stop = () => {
    watched.waiting.get(name)?.delete(then);
    if (watched.waiting.get(name)?.size === 0) watched.waiting.delete(name);
    endUnused(folder, watched);
  };
  if (!existsSync(path)) return stop; // asked once the watch is there, lest it appear in between
  stop();
  return undefined;
}

function watchFolder(folder: string): FolderWatch | undefined {
  let watcher: FSWatcher;
  try {
    watcher = watch(folder);
  } catch {
    return undefined; // who waits looks for himself
  }
  const watched: FolderWatch = { watcher, waiting: new Map() };
  const wake = (names: readonly string[]) => {
    const those = names.flatMap((name) => [...(watched.waiting.get(name) ?? [])]);
    for (const name of names) watched.waiting.delete(name);
    endUnused(folder, watched);
    for (const then of those) then();
  };
  const wakeAll = () => wake([...watched.waiting.keys()]);
  // The folder's own name: it went away, and the watch with it.
  watcher.on('change', (_kind, name) => (name === basename(folder) ? wakeAll() : wake([String(name)])));
  watcher.on('error', wakeAll);
  folders.set(folder, watched);
  return watched;
}

function endUnused(folder: string, watched: FolderWatch): void {
  if (watched.waiting.size > 0) return;
  watched.watcher.close();
  if (folders.get(folder) === watched) folders.delete(folder);
}

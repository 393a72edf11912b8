import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is: in the folders of `path`, as the shell looks, then in those of `others`; undefined where there is none. */
export function findProgram(
  name: string,
  path = process.env['PATH'] ?? '',
  others: readonly string[] = [],
): string | undefined {
  return [...path.split(delimiter), ...others].map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

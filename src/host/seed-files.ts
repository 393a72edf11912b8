/** Files that cloud-init seeds are made of. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { IssuePath } from '../base/issue.ts';
import type { Finding } from '../lab/issue.ts';
import type { SeedPlan, SeedSource } from '../lab/seed-plan.ts';
import { StartError } from './start-error.ts';

/** Octets of a document: a megabyte is more than any cloud takes. */
const DOCUMENT_LIMIT = 1024 * 1024;

/** The seed with its files named from `folder`, and `~/` as the user's own. */
export function seedAt(seed: SeedPlan, folder: string): SeedPlan {
  const at = (source: SeedSource): SeedSource =>
    source.kind === 'file' ? { kind: 'file', file: pathOf(source.file, folder) } : source;
  const { userData, networkConfig, keys } = seed;
  return { ...seed, userData: at(userData), networkConfig: at(networkConfig), keys: keys.map(at) };
}

export function seedFindings(seed: SeedPlan, folder: string): Finding[] {
  const { node, userData, networkConfig, keys } = seedAt(seed, folder);
  const path = ['nodes', node, 'cloud-init'];
  return [
    ...findingsOf(userData, [...path, 'user-data']),
    ...findingsOf(networkConfig, [...path, 'network-config']),
    ...keys.flatMap((key) => findingsOf(key, [...path, 'ssh-authorized-keys'])),
  ];
}

/** Throws a `StartError` where it cannot be had. */
export async function readSeedText(path: string): Promise<string> {
  const fault = faultOf(path);
  if (fault !== undefined) throw new StartError(fault.code, `${fault.message}; ${fault.hint}`);
  return readFileSync(path, 'utf8');
}

function pathOf(file: string, folder: string): string {
  return file.startsWith('~/') ? join(homedir(), file.slice(2)) : resolve(folder, file);
}

function findingsOf(source: SeedSource, path: IssuePath): Finding[] {
  const fault = source.kind === 'file' ? faultOf(source.file) : undefined;
  return fault === undefined ? [] : [{ ...fault, path }];
}

function faultOf(file: string): Omit<Finding, 'path'> | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) {
    return { code: 'no-file', message: `there is no file ${file}`, hint: 'put it there, or name another' };
  }
  if (stat.size > DOCUMENT_LIMIT) {
    return {
      code: 'too-long',
      message: `${file} is longer than a megabyte`,
      hint: 'let the machine fetch what is large',
    };
  }
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    const message = `${file} cannot be read (${(error as Error).message})`;
    return { code: 'not-readable', message, hint: 'mend its mode, or name another' };
  }
}

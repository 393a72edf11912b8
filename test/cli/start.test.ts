import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a file loads before it does anything: packages by name, files by path; imports of types are none. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!existsSync(file)) return seen;
  for (const [, from] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm))
    loadedBy(from!.startsWith('.') ? resolve(dirname(file), from!) : from!, seen);
  return seen;
}

it.each(['serve', 'run'])('vmlan %s loads no package at its start that can wait', (verb) => {
  const packages = [...loadedBy(`${SOURCES}cli/${verb}.ts`)].filter((name) => !/^(node:|\/)/.test(name));
  expect(packages.sort()).toEqual(['@leichtgewicht/dns-packet', 'commander']);
});

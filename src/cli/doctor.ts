/** `vmlan doctor`: what of this machine vmlan can use, what is missing, what that costs, and how to get it. */
import type { Check } from '../host/doctor.ts';
import { examine } from '../host/doctor.ts';
import { thisMachine } from '../host/machine.ts';
import { EXIT_FAILURE, Exit } from './exit.ts';
import { print } from './report.ts';

const MARKS = { good: 'ok', poor: '!', missing: '-' } as const;

export async function doctor(options: { readonly json?: true }): Promise<void> {
  const checks = await examine(thisMachine);
  const isReady = !checks.some(({ isNeeded }) => isNeeded);
  if (options.json) print(JSON.stringify({ ready: isReady, checks }, undefined, 2));
  else for (const check of checks) printCheck(check);
  if (!isReady) throw new Exit(EXIT_FAILURE);
}

function printCheck({ name, state, found, costs, remedy }: Check): void {
  print(`${MARKS[state].padEnd(4)}${name}: ${found}`);
  if (costs !== undefined) print(`      ${costs}`);
  if (remedy !== undefined) print(`      ${remedy}`);
}

/** `vmlan exec-inside`: the process that `vmlan exec` starts in the namespaces of a command. */
import type { InsideSettings } from '../host/join/inside.ts';
import { runInside } from '../host/join/inside.ts';
import { loadSystemCalls } from '../host/system-calls.ts';
import { Exit, fail } from './exit.ts';
import { started } from './started.ts';

export async function execInside(settings: string): Promise<void> {
  const system = loadSystemCalls() ?? fail('the optional package koffi is not installed');
  const status = await started(runInside(system, JSON.parse(settings) as InsideSettings));
  if (status !== 0) throw new Exit(status);
}

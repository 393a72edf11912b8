import { readdirSync } from 'node:fs';
import { isAnswered } from '../host/dead-socket.ts';
import { controlSocket, runtimeRoot } from '../host/folders.ts';
import { fail } from './exit.ts';

/** The control socket of the named running lab, or of the only one there is; `how` is how one is named, for who has to. */
export async function findLab(name: string | undefined, how: 'NAME' | '--lab NAME'): Promise<string> {
  if (name !== undefined) {
    if (await isAnswered(controlSocket(name))) return controlSocket(name);
    const running = await runningLabs();
    fail(`no lab named ${name} is running${running.length > 0 ? `; there is ${running.join(', ')}` : ''}`);
  }
  const running = await runningLabs();
  if (running.length === 0) fail('no lab is running; start one with vmlan up FILE.yaml or vmlan serve');
  if (running.length > 1) fail(`several labs are running; add ${how}, one of ${running.join(', ')}`);
  return controlSocket(running[0]!);
}

async function runningLabs(): Promise<string[]> {
  const names = foldersIn(runtimeRoot());
  const answers = await Promise.all(names.map((name) => isAnswered(controlSocket(name))));
  return names.filter((_, i) => answers[i]).sort();
}

function foldersIn(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return []; // no lab has ever run
  }
}

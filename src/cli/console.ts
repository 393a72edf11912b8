import { getControl } from '../control/client.ts';
import type { ConsolePlace } from '../control/nodes.ts';
import { attachTerminal, openConsole } from '../host/attach-terminal.ts';
import { lastLines } from '../host/last-lines.ts';
import { fail } from './exit.ts';
import { findLab } from './find-lab.ts';

export interface ConsoleCommand {
  readonly lab?: string;
  readonly tail: number;
}

/** The serial console of a machine on this terminal, or on a pipe, until either side ends it. */
export async function attachConsole(node: string, { lab, tail }: ConsoleCommand): Promise<void> {
  const path = `/v1/nodes/${encodeURIComponent(node)}/console`;
  const { socket, log, taken } = await getControl<ConsolePlace>(await findLab(lab, '--lab NAME'), path);
  if (taken) fail(`somebody is at the console of ${node} already, and one at a time can be; ${log} shows what it says`);
  const console = await openConsole(socket);
  process.stdout.write(lastLines(log, tail));
  say(process.stdin.isTTY ? `${node} has this terminal; Ctrl-] gives it back` : undefined);
  const end = await attachTerminal(console, process.stdin, process.stdout);
  say(end === 'detached' ? `${node} goes on without you` : `${node} has ended`);
}

/** To people, not into what a program reads. */
function say(sentence: string | undefined): void {
  if (sentence !== undefined) process.stderr.write(`vmlan: ${sentence}\r\n`);
}

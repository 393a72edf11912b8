/** `vmlan logs`: what a running lab, or one of its machines, said, and with `-f` what it says. */
import { callControl, getControl } from '../control/client.ts';
import type { ToldEvent } from '../control/events.ts';
import { printConsoleLog } from './console-log.ts';
import { readEvents } from './event-stream.ts';
import { findLab } from './find-lab.ts';
import { print } from './report.ts';

export interface LogsCommand {
  readonly follow?: true;
  readonly lab?: string;
  readonly json?: true;
}

export async function logs(node: string | undefined, { follow, lab, json }: LogsCommand): Promise<void> {
  const socket = await findLab(lab, '--lab NAME');
  if (node !== undefined) return printConsoleLog(socket, node, follow === true);
  const tell = (event: ToldEvent) => print(json ? JSON.stringify(event) : line(event));
  if (!follow) {
    const { log } = await getControl<{ log: readonly ToldEvent[] }>(socket, '/v1/log');
    for (const event of log) tell(event);
    return;
  }
  const answer = await callControl(socket, 'GET', '/v1/events?kinds=log,leases,links&past=1000');
  for await (const { event, data } of readEvents(answer)) {
    if (event === 'lost') process.stderr.write(`${(data as { lost: number }).lost} messages were not read in time\n`);
    else tell(data as ToldEvent);
  }
}

function line({ time, message }: ToldEvent): string {
  return `${new Date(time).toTimeString().slice(0, 8)} ${message}`;
}

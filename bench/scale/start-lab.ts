import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A line of its log. */
export interface LabEvent {
  readonly event: string;
}

/** Starts `vmlan up FILE`, its sockets in FOLDER/run; resolves when machines can plug in. It ends with the bench, and its machines with it. */
export async function startLab(
  program: string,
  file: string,
  folder: string,
  onEvent: (event: LabEvent) => void = () => undefined,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'up', file, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_RUNTIME_DIR: join(folder, 'run'), XDG_STATE_HOME: join(folder, 'state') },
  });
  process.once('exit', () => child.kill());
  const lines = createInterface(child.stdout);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      const event = JSON.parse(line) as LabEvent;
      onEvent(event);
      if (event.event === 'ready') resolve();
    });
    child.once('exit', (status) => reject(new Error(`vmlan up ended with ${status}`)));
  });
  return child;
}

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts `vmlan up FILE`, its sockets in FOLDER/run; resolves when machines can plug in. It ends with the bench. */
export async function startLab(program: string, file: string, folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'up', file, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_RUNTIME_DIR: join(folder, 'run'), XDG_STATE_HOME: join(folder, 'state') },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      if (JSON.parse(line).event === 'ready') resolve();
    });
    child.once('exit', (status) => reject(new Error(`vmlan up ended with ${status}`)));
  });
  return child;
}

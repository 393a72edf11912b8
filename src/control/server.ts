import { chmodSync } from 'node:fs';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { RunningLab } from '../lab/running-lab.ts';
import { controlApi } from './api.ts';

export interface ControlServer {
  /** Stops listening; resolves when the answers under way are complete. */
  close(): Promise<void>;
  /** Cuts off those who do not read their answers. */
  cutOff(): void;
}

/** Serves the control API at `path`, a socket of mode 0600 in a folder of the user's own. Rejects where it cannot listen. */
export async function serveControl(
  lab: RunningLab,
  path: string,
  about: Readonly<Record<string, unknown>>,
): Promise<ControlServer> {
  const server = createAdaptorServer({ fetch: controlApi(lab, about).fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () => new Promise((resolve) => server.close(() => resolve())),
    cutOff: () => server.closeAllConnections(),
  };
}

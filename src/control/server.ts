import { chmodSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { RunningLab } from '../lab/running-lab.ts';

/**
 * The control socket of a lab. It is claimed before the lab starts, so that of two labs with one name only one does; who asks in the
 * meantime waits for the lab.
 */
export class ControlServer {
  readonly #server: Server;
  #ready: (listener: RequestListener) => void = () => undefined;

  /** Listens at `path`, with mode 0600. Rejects with the system's error, EADDRINUSE where somebody else has it. */
  static async claim(path: string): Promise<ControlServer> {
    const control = new ControlServer();
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return control;
  }

  private constructor() {
    const ready = new Promise<RequestListener>((resolve) => {
      this.#ready = resolve;
    });
    this.#server = createServer((request, response) => {
      void ready.then((listener) => listener(request, response));
    });
  }

  /** Answers for the lab from now on; `about` is told in its status. */
  async serve(lab: RunningLab, about: Readonly<Record<string, unknown>>): Promise<void> {
    const { getRequestListener } = await import('@hono/node-server');
    const { controlApi } = await import('./api.ts');
    this.#ready(getRequestListener(controlApi(lab, about).fetch));
  }

  /** Takes no more requests; resolves when the answers under way are complete. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Cuts off those who do not read their answers. */
  cutOff(): void {
    this.#server.closeAllConnections();
  }
}

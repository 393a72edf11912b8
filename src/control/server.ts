import { chmodSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Controlled } from './route.ts';

/** Milliseconds until HTTP is loaded though nobody asked. */
const SOON = 1000;

/**
 * The control socket of a lab. It is claimed before the lab starts, so that of two labs with one name only one does; who asks in the
 * meantime waits for the lab. HTTP takes as long to load as the lab to start, so it is loaded when somebody asks, or else soon after the
 * start: machines that use up the descriptors later shall not keep the operator out.
 */
export class ControlServer {
  readonly #listener: Server;
  readonly #open = new Set<Socket>();
  #load: (() => Promise<HttpServer>) | undefined;
  #http: HttpServer | undefined;

  /** Listens at `path`, with mode 0600. Rejects with the system's error, EADDRINUSE where somebody else has it. */
  static async claim(path: string): Promise<ControlServer> {
    const control = new ControlServer();
    await new Promise<void>((resolve, reject) => {
      control.#listener.once('error', reject);
      control.#listener.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return control;
  }

  private constructor() {
    this.#listener = createServer({ pauseOnConnect: true }, (socket) => {
      this.#open.add(socket);
      socket.on('error', () => undefined); // who asked has gone
      socket.on('close', () => this.#open.delete(socket));
      void this.#answer(socket);
    });
  }

  /** Answers for the lab from now on. */
  serve(controlled: Controlled): void {
    let loading: Promise<HttpServer> | undefined;
    this.#load = () => {
      loading ??= loadHttp(controlled).catch((error: unknown) => {
        loading = undefined; // who asks next finds a machine with descriptors, perhaps (Node 20 remembers that a module failed)
        throw error;
      });
      return loading;
    };
    for (const socket of this.#open) void this.#answer(socket);
    setTimeout(() => void this.#load?.().catch(() => undefined), SOON).unref();
  }

  /** Takes no more requests; resolves when the answers under way are complete. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.#http?.closeIdleConnections();
    return closed;
  }

  /** Ends the connections when what was answered has been sent. */
  finish(): void {
    setImmediate(() => {
      for (const socket of this.#open) socket.destroySoon();
    });
  }

  /** Cuts off those who do not read their answers. */
  cutOff(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async #answer(socket: Socket): Promise<void> {
    if (this.#load === undefined) return;
    try {
      this.#http = await this.#load();
    } catch {
      socket.destroy(); // no descriptors to load it with
      return;
    }
    if (!socket.destroyed) this.#http.emit('connection', socket.resume());
  }
}

async function loadHttp(controlled: Controlled): Promise<HttpServer> {
  const { createAdaptorServer } = await import('@hono/node-server');
  const { controlApi } = await import('./api.ts');
  return createAdaptorServer({ fetch: controlApi(controlled).fetch }) as HttpServer;
}

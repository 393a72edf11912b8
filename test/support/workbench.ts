import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFailed, onTestFinished } from 'vitest';
import { Child } from './child.ts';
import type { OrdinaryUser } from './ordinary-user.ts';

/**
 * A place of its own for one test: a temporary folder, in which the XDG folders of vmlan lie too, and the processes
 * that the test started. When the test is over they are stopped, last first, with what left them, and the folder goes.
 */
export class Workbench {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vmlan-'));
  readonly env: NodeJS.ProcessEnv;
  readonly #children = new Set<Child>();
  readonly #user: OrdinaryUser | undefined;
  #paths = 0;
  #hasStarted = false;

  /** Folders and processes are this user's, or ours. */
  constructor(user?: OrdinaryUser) {
    this.#user = user;
    this.#give(this.folder);
    const runtime = this.makeFolder('run');
    const state = this.makeFolder('state');
    this.env = { ...process.env, XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: state, TMPDIR: this.folder };
    if (user !== undefined) this.env['HOME'] = this.folder;
    onTestFailed(() => {
      for (const child of this.#children) process.stderr.write(`${child.transcript}\n`);
    });
    onTestFinished(async () => {
      for (const child of [...this.#children].reverse()) await child.stop();
      if (this.#hasStarted) killThoseOf(this.folder);
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A path that was not asked for before. */
  freshPath(name: string): string {
    return this.path(`${++this.#paths}-${name}`);
  }

  makeFolder(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { mode: 0o700 });
    this.#give(path);
    return path;
  }

  #give(path: string): void {
    if (this.#user !== undefined) chownSync(path, this.#user.uid, this.#user.uid);
  }

  start(command: string, args: readonly string[]): Child {
    const [first, ...rest] = [...(this.#user?.words ?? []), command, ...args] as [string, ...string[]];
    const child = new Child(first, rest, this.env);
    this.#children.add(child);
    this.#hasStarted = true;
    return child;
  }

  /** Runs a program to its end; what it wrote is in the child. A failed test shows only those that failed. */
  async run(command: string, args: readonly string[]): Promise<Child & { readonly status: number | undefined }> {
    const child = this.start(command, args);
    const { status } = await child.exited;
    if (status === 0) this.#children.delete(child);
    return Object.assign(child, { status });
  }
}

/** Ends what left its parent: machines that outlive a vmlan which is killed, and labs in the background. */
function killThoseOf(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`=${folder}/`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it is gone, or another user's
    }
  }
}

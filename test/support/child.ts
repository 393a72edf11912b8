import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

/** How a process ended; `status` is undefined when a signal ended it. */
export interface Exit {
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A process that a test started: its output as it comes, its end as a promise, and its stop by pid. */
export class Child {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #command: string;
  readonly #watchers = new Set<() => void>();
  #exit: Exit | undefined;
  #stdout = '';
  #stderr = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = [command, ...args].join(' ');
    this.#process = spawn(command, args, { env });
    this.pid = this.#process.pid ?? 0;
    this.#process.stdin.on('error', () => {}); // written to after its end: the exit is what a test sees
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    this.exited = new Promise((resolve) => {
      const ended = (exit: Exit) => {
        this.#exit = exit;
        this.#changed();
        resolve(exit);
      };
      this.#process.on('error', (error) => {
        this.#stderr += error.message;
        ended({ status: 127, signal: undefined });
      });
      this.#process.on('close', (status, signal) =>
        ended({ status: status ?? undefined, signal: signal ?? undefined }),
      );
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  /** Resolves with the first value that `look` finds in the output; rejects when the process ends without it. */
  until<T>(what: string, look: () => T | undefined, seconds = 60): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(limit);
        this.#watchers.delete(watcher);
        settle();
      };
      const watcher = () => {
        const found = look();
        if (found !== undefined) done(() => resolve(found));
        else if (!this.running) done(() => reject(new Error(`${what}: the process ended first\n${this.transcript}`)));
      };
      const limit = setTimeout(
        () => done(() => reject(new Error(`${what}: not within ${seconds} s\n${this.transcript}`))),
        seconds * 1000,
      );
      this.#watchers.add(watcher);
      watcher();
    });
  }

  /** Reads no more of its output: its next write finds a broken pipe. */
  closeOutput(): void {
    this.#process.stdout.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#process.kill(signal);
  }

  /** Asks it to end, and insists after 5 s. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.signal(signal);
    const insist = setTimeout(() => this.signal('SIGKILL'), 5000);
    const exit = await this.exited;
    clearTimeout(insist);
    return exit;
  }

  get transcript(): string {
    return `$ ${this.#command}\n${this.#stdout}${this.#stderr}`;
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

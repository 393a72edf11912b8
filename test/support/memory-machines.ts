import type { HostStream, HostStreamEvents } from '../../src/base/host-net.ts';
import type { MachineGone, MachineHost, MachineProcess } from '../../src/lab/machine-host.ts';
import type { MachinePlan } from '../../src/lab/machine-plan.ts';
import type { MachinePlaces } from '../../src/qemu/machine-arguments.ts';
import type { ProcessEnd } from '../../src/qemu/machine-end.ts';
import { parseQemuVersion } from '../../src/qemu/version.ts';

/** QEMU's processes in memory. They outlive an environment: give the same ones to the next. */
export class MemoryMachines implements MachineHost {
  accelerators: readonly string[] = [];
  /** Those that run, by node. */
  readonly running = new Map<string, MemoryMachine>();
  /** The words of every start, by node. */
  readonly started: [string, readonly string[]][] = [];
  /** What QEMU says of these nodes when it ends at once. */
  readonly broken = new Map<string, string>();
  /** Guests of these nodes do not switch themselves off when they are asked to. */
  readonly deaf = new Set<string>();
  qemu = 'version 7.2.0';
  #lastPid = 100;

  places(node: string): MachinePlaces {
    const [qmp, console, pidFile] = ['qmp', 'console', 'pid'].map((suffix) => `/run/${node}.${suffix}`);
    return { qmp: qmp!, console: console!, pidFile: pidFile!, consoleLog: `/state/${node}.console.log` };
  }

  async version() {
    return parseQemuVersion(this.qemu)!;
  }

  async start({ node }: MachinePlan, words: readonly string[]): Promise<MachineProcess> {
    this.started.push([node, words]);
    const uuid = words[words.indexOf('-uuid') + 1]!;
    const machine = new MemoryMachine(++this.#lastPid, uuid, this.deaf.has(node), () => this.running.delete(node));
    const complaints = this.broken.get(node);
    if (complaints === undefined) this.running.set(node, machine);
    else machine.end({ status: 1 }, complaints);
    return machine;
  }

  connect(node: string, events: HostStreamEvents): HostStream {
    const machine = this.running.get(node);
    const connection = new QmpConnection(machine, events);
    queueMicrotask(() => (machine === undefined ? events.failed('no-such-file') : machine.serve(connection)));
    return connection;
  }

  adopt({ node }: MachinePlan): MachineProcess {
    return this.running.get(node)!;
  }

  /** As if vmlan had been killed: nobody is connected any more. */
  abandon(): void {
    for (const machine of this.running.values()) machine.abandon();
  }
}

/** A QEMU that knows the commands that vmlan uses. */
export class MemoryMachine implements MachineProcess {
  readonly pid: number;
  readonly uuid: string;
  isDeaf: boolean;
  /** QEMU itself does nothing any more; only SIGKILL ends it. */
  isStuck = false;
  hasConsoleUser = false;
  /** By netdev: whether the guest sees a link. */
  readonly links = new Map<string, boolean>();
  readonly #ended: Promise<MachineGone>;
  readonly #onEnd: () => void;
  #settle: (end: MachineGone) => void = () => undefined;
  #connection: QmpConnection | undefined;

  constructor(pid: number, uuid: string, isDeaf: boolean, onEnd: () => void) {
    this.pid = pid;
    this.uuid = uuid;
    this.isDeaf = isDeaf;
    this.#onEnd = onEnd;
    this.#ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  gone(): Promise<MachineGone> {
    return this.#ended;
  }

  kill(): void {
    this.end({ signal: 'SIGKILL' });
  }

  serve(connection: QmpConnection): void {
    this.#connection = connection;
    connection.say({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: [] } });
  }

  abandon(): void {
    this.#connection = undefined;
  }

  say(event: string, data: object = {}): void {
    this.#connection?.say({ event, data });
  }

  /** The guest switches itself off. */
  shutDown(): void {
    this.say('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    this.end({ status: 0 });
  }

  end(end: ProcessEnd, complaints = ''): void {
    this.#onEnd();
    this.#connection?.end();
    this.#settle({ ...end, complaints });
  }

  command(name: string, args: Readonly<Record<string, unknown>>): unknown {
    if (this.isStuck) return undefined;
    switch (name) {
      case 'qmp_capabilities':
        return {};
      case 'query-uuid':
        return { UUID: this.uuid };
      case 'query-chardev':
        return [{ label: 'vmlan-console', filename: `${this.hasConsoleUser ? '' : 'disconnected:'}unix:/run/c` }];
      case 'set_link':
        this.links.set(String(args['name']), args['up'] === true);
        return {};
      case 'system_powerdown':
        if (!this.isDeaf) queueMicrotask(() => this.shutDown());
        return {};
      case 'quit':
        queueMicrotask(() => {
          this.say('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' });
          this.end({ status: 0 });
        });
        return {};
    }
    throw new Error(`vmlan has no business with ${name}`);
  }
}

class QmpConnection implements HostStream {
  readonly queued = 0;
  readonly #machine: MemoryMachine | undefined;
  readonly #events: HostStreamEvents;
  #isOver = false;

  constructor(machine: MemoryMachine | undefined, events: HostStreamEvents) {
    this.#machine = machine;
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    for (const line of new TextDecoder().decode(bytes).trim().split('\n')) {
      const { execute, arguments: args = {}, id } = JSON.parse(line);
      const value = this.#machine!.command(execute, args);
      if (value !== undefined) this.say({ return: value, id });
    }
  }

  say(message: object): void {
    queueMicrotask(() => {
      if (!this.#isOver) this.#events.received(new TextEncoder().encode(`${JSON.stringify(message)}\r\n`));
    });
  }

  end(): void {
    queueMicrotask(() => {
      if (!this.#isOver) this.#events.ended();
    });
  }

  reset(): void {
    this.#isOver = true;
  }

  pause(): void {}
  resume(): void {}
  finish(): void {}
}

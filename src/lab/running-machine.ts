/**
 * A machine that vmlan starts, stops and finds again.
 *
 * Orders are carried out one after the other. A machine that runs already, because a former vmlan was killed, is taken over: whoever
 * answers at its QMP socket with its UUID is it, whatever words it was started with. It is stopped in three steps: the guest is asked to
 * switch itself off, then QEMU is told to quit, then it is killed.
 */

import type { Log } from '../base/log.ts';
import { limitLog } from '../base/log.ts';
import type { Millis } from '../base/time.ts';
import type { MachinePlaces } from '../qemu/machine-arguments.ts';
import { CONSOLE_ID, machineArguments } from '../qemu/machine-arguments.ts';
import type { MachineEnd } from '../qemu/machine-end.ts';
import { machineEnd, machineEndText } from '../qemu/machine-end.ts';
import type { NetdevCard } from '../qemu/netdev-arguments.ts';
import { netdevArguments, netdevId } from '../qemu/netdev-arguments.ts';
import { QmpClient } from '../qemu/qmp-client.ts';
import type { QmpObject } from '../qemu/qmp-message.ts';
import { objectOf, textOf } from '../qemu/qmp-message.ts';
import type { Environment } from './environment.ts';
import type { MachineGone, MachineProcess } from './machine-host.ts';
import type { MachinePlan } from './machine-plan.ts';

/** How long QEMU may take until it answers by QMP, and how often it is tried. */
const START_PATIENCE: Millis = 30_000;
const START_INTERVAL: Millis = 50;
/** How long QEMU may take to quit, and to be gone when it was killed. */
const QUIT_PATIENCE: Millis = 5000;
/** Messages a second: a guest may restart as often as it can. */
const LOG_RATE = 10;

/** An order that could not be carried out. `code` is stable; the message names the machine and the remedy. */
export class MachineError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'MachineError';
    this.code = code;
  }
}

/**
 * - `stopped`: there is no process; `start` begins one.
 * - `starting`: QEMU does not answer yet.
 * - `running`: until it ends by itself or `stop`.
 * - `stopping`: its end is under way.
 */
export type MachineState = 'stopped' | 'starting' | 'running' | 'stopping';

export interface MachineEnded {
  readonly reason: MachineEnd;
  /** A phrase behind the machine's name: `shut down`. */
  readonly text: string;
}

export class RunningMachine {
  readonly plan: MachinePlan;
  readonly places: MachinePlaces;
  readonly #environment: Environment;
  readonly #lab: string;
  readonly #cards: () => readonly NetdevCard[];
  readonly #log: Log;
  readonly #linksDown = new Set<string>();
  #state: MachineState = 'stopped';
  #process: MachineProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #client: QmpClient | undefined;
  #since: Millis = 0;
  #isAdopted = false;
  #isRetired = false;
  /** Of the last SHUTDOWN event. */
  #shutdownReason: string | undefined;
  #lastEnd: MachineEnded | undefined;
  #lastOrder: Promise<unknown> = Promise.resolve();

  /** `cards` is asked whenever it starts. */
  constructor(plan: MachinePlan, lab: string, cards: () => readonly NetdevCard[], environment: Environment) {
    this.plan = plan;
    this.places = environment.machines.places(plan.node);
    this.#lab = lab;
    this.#cards = cards;
    this.#environment = environment;
    this.#log = limitLog(environment.log, environment.scheduler, LOG_RATE);
  }

  get state(): MachineState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** When it was started or adopted; undefined while it is stopped. */
  get since(): Millis | undefined {
    return this.#process === undefined ? undefined : this.#since;
  }

  get isAdopted(): boolean {
    return this.#process !== undefined && this.#isAdopted;
  }

  /** How it ended the last time. */
  get lastEnd(): MachineEnded | undefined {
    return this.#lastEnd;
  }

  /** Adopts it where it runs; resolves with whether it does. Rejects with a `MachineError` where somebody else is in its place. */
  adopt(): Promise<boolean> {
    return this.#inTurn(() => this.#adopt());
  }

  /** Adopts or starts it; resolves when it answers. Rejects with a `MachineError`, which is logged, too. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  /** Resolves when it is gone. `isForced`: its guest is not asked. */
  stop(isForced = false): Promise<void> {
    return this.#inTurn(() => this.#stop(isForced));
  }

  /** Stops it for good: orders to start it are refused from now on. */
  retire(): Promise<void> {
    this.#isRetired = true;
    return this.stop();
  }

  /** Kills it at once, in the middle of other orders. */
  kill(): void {
    this.#process?.kill();
  }

  restart(isForced = false): Promise<void> {
    return this.#inTurn(async () => {
      await this.#stop(isForced);
      await this.#start();
    });
  }

  /** Whether somebody is attached to its console; one at a time can be. */
  async hasConsoleUser(): Promise<boolean> {
    const answer = await this.#client?.execute('query-chardev');
    const devices = answer?.kind === 'done' && Array.isArray(answer.value) ? answer.value.map(objectOf) : [];
    const { filename } = devices.find(({ label }) => label === CONSOLE_ID) ?? {};
    return typeof filename === 'string' && !filename.startsWith('disconnected:');
  }

  /** Shows the guest a card with or without a link, now and whenever it starts; resolves with whether it runs and was told. */
  async setLink(nic: string, isUp: boolean): Promise<boolean> {
    if (isUp) this.#linksDown.delete(nic);
    else this.#linksDown.add(nic);
    const answer = await this.#client?.execute('set_link', { name: netdevId(nic), up: isUp });
    return answer?.kind === 'done';
  }

  #inTurn<T>(order: () => Promise<T>): Promise<T> {
    const done = this.#lastOrder.then(order);
    this.#lastOrder = done.catch(() => undefined);
    return done;
  }

  async #adopt(): Promise<boolean> {
    if (this.#process !== undefined) return true;
    const client = this.#connect();
    const readiness = await client.ready;
    if (readiness === 'absent') return false;
    const { node, uuid } = this.plan;
    const { qmp } = this.places;
    if (readiness === 'silent') {
      throw new MachineError('qmp-taken', `${qmp} is served, but not to us; end who else is connected to it`);
    }
    const answer = await client.execute('query-uuid');
    const found = answer.kind === 'done' ? objectOf(answer.value)['UUID'] : undefined;
    if (found !== uuid) {
      client.close();
      throw new MachineError('another-machine', `another machine than ${node} answers at ${qmp}; end it first`);
    }
    const qemu = this.#environment.machines.adopt(this.plan);
    this.#begin(
      qemu,
      client.closed.then(() => qemu.gone()),
    );
    this.#isAdopted = true;
    await this.#answers(client);
    this.#tell('machine-adopted', 'runs already, and is in this lab again');
    return true;
  }

  async #start(): Promise<void> {
    try {
      if (this.#isRetired) throw new MachineError('machine-retired', 'it goes, and its lab perhaps with it');
      if (await this.#adopt()) return;
      const { machines } = this.#environment;
      const words = this.#words(await machines.version(this.plan));
      const qemu = await machines.start(this.plan, words);
      this.#begin(qemu, qemu.gone());
      this.#isAdopted = false;
      const client = await this.#firstContact();
      if (client === undefined || this.#process === undefined) await this.#giveUp();
      else await this.#answers(client);
      this.#tell('machine-started', 'is started');
    } catch (error) {
      this.#tell('machine-failed', `cannot be started: ${(error as Error).message}`);
      throw error;
    }
  }

  #words(version: Parameters<typeof netdevArguments>[1]): readonly string[] {
    const { accelerators } = this.#environment.machines;
    const settings = { ...this.plan, name: `${this.#lab}/${this.plan.node}` };
    const cards = this.#cards().flatMap((card) => {
      const result = netdevArguments({ ...card, model: this.plan.model }, version);
      if ('words' in result) return result.words;
      throw new MachineError(result.issue.code, `${result.issue.message}; ${result.issue.hint}`);
    });
    return [...cards, ...machineArguments(settings, this.places, accelerators)];
  }

  #begin(qemu: MachineProcess, gone: Promise<MachineGone>): void {
    this.#process = qemu;
    this.#state = 'starting';
    this.#since = this.#environment.scheduler.now();
    this.#shutdownReason = undefined;
    this.#gone = gone.then((end) => this.#ended(end));
  }

  /** A former vmlan may have taken links down that are up now. */
  async #answers(client: QmpClient): Promise<void> {
    this.#client = client;
    this.#state = 'running';
    for (const { name } of this.#cards()) {
      const up = !this.#linksDown.has(name);
      if (!up || this.#isAdopted) await client.execute('set_link', { name: netdevId(name), up });
    }
  }

  #connect(): QmpClient {
    const { machines, scheduler } = this.#environment;
    const connect = (events: Parameters<typeof machines.connect>[1]) => machines.connect(this.plan.node, events);
    return new QmpClient(connect, scheduler, (name, data) => this.#heard(name, data));
  }

  /** QEMU makes its sockets a while after it was started; undefined where it ended or does not answer. */
  async #firstContact(): Promise<QmpClient | undefined> {
    const deadline = this.#environment.scheduler.now() + START_PATIENCE;
    while (this.#process !== undefined && this.#environment.scheduler.now() < deadline) {
      const client = this.#connect();
      if ((await client.ready) === 'ready') return client;
      await this.#goneWithin(START_INTERVAL);
    }
    return undefined;
  }

  async #giveUp(): Promise<never> {
    if (this.#process === undefined) {
      throw new MachineError('machine-failed', `it ${this.#lastEnd?.text}`);
    }
    this.#process.kill();
    await this.#goneWithin(QUIT_PATIENCE);
    throw new MachineError('machine-silent', `QEMU did not answer within ${START_PATIENCE / 1000} s`);
  }

  async #stop(isForced: boolean): Promise<void> {
    if (this.#process === undefined) return;
    this.#state = 'stopping';
    const { patience } = this.plan;
    if (!isForced && patience > 0) {
      const asked = await this.#client?.execute('system_powerdown');
      if (asked?.kind === 'done' && (await this.#goneWithin(patience))) return;
    }
    void this.#client?.execute('quit');
    if (this.#client !== undefined && (await this.#goneWithin(QUIT_PATIENCE))) return;
    const { pid } = this.#process ?? {};
    this.#process?.kill();
    if (await this.#goneWithin(QUIT_PATIENCE)) return;
    const which = pid === undefined ? 'it' : `PID ${pid}`;
    throw new MachineError('machine-stuck', `QEMU of ${this.plan.node} does not end; end ${which} yourself`);
  }

  /** Resolves with whether the process is gone when it is, or when the time is over. */
  #goneWithin(patience: Millis): Promise<boolean> {
    const { scheduler } = this.#environment;
    return new Promise((resolve) => {
      const timer = scheduler.timer(() => resolve(false));
      timer.arm(scheduler.now() + patience);
      void this.#gone.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  #ended({ complaints, ...end }: MachineGone): void {
    const wasStarting = this.#state === 'starting';
    const reason = machineEnd(this.#shutdownReason, end);
    const words = machineEndText(reason, end);
    const text = reason === 'crash' && complaints !== '' ? `${words}: ${complaints}` : words;
    this.#client?.close();
    this.#client = undefined;
    this.#process = undefined;
    this.#state = 'stopped';
    this.#lastEnd = { reason, text };
    if (!wasStarting) this.#tell('machine-ended', text, { reason, ...end });
  }

  #heard(event: string, data: QmpObject): void {
    if (event === 'SHUTDOWN') this.#shutdownReason = textOf(data['reason']);
    else if (event === 'RESET' && data['guest'] === true) this.#tell('machine-reset', 'restarts itself');
    else if (event === 'GUEST_PANICKED') this.#tell('machine-panicked', 'says that its kernel panicked');
  }

  #tell(event: string, words: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { node } = this.plan;
    this.#log({
      event,
      message: `${node} ${words}`,
      node,
      ...(this.pid !== undefined && { pid: this.pid }),
      ...fields,
    });
  }
}

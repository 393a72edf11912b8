/**
 * The client's side of one QMP connection: greeting, negotiation, then commands, whose answers come in any order, and events.
 *
 * Whoever is at the other end may say anything: lines that are no messages and answers that nobody waits for are counted, a line beyond
 * the limit ends the connection, and a command that is not answered in time has failed.
 */
import { Counters } from '../base/counters.ts';
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { QmpMessage, QmpObject } from './qmp-message.ts';
import { formatQmpCommand, readQmpMessage } from './qmp-message.ts';

/** How a command went. `refused`: QEMU says why. */
export type QmpAnswer =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'timeout' | 'closed' };

/** Whether commands are taken. `absent`: nobody is there, or leaves; `silent`: somebody is there and does not greet, or not as QEMU does. */
export type QmpReadiness = 'ready' | 'absent' | 'silent';

export type OnQmpEvent = (name: string, data: QmpObject) => void;

/** A QEMU under load answers late, but it answers. */
const PATIENCE: Millis = 10_000;
/** Characters of a line; QEMU's longest answers to what is asked here have a few thousand. */
const LINE_LIMIT = 1024 * 1024;

interface Waiting {
  readonly deadline: Millis;
  settle(answer: QmpAnswer): void;
}

export class QmpClient {
  /** `bad-message`, `unknown-answer`, `long-line`. */
  readonly counters = new Counters();
  readonly ready: Promise<QmpReadiness>;
  readonly closed: Promise<void>;
  readonly #scheduler: Scheduler;
  readonly #onEvent: OnQmpEvent;
  readonly #stream: HostStream;
  readonly #timer: Timer;
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Map<number, Waiting>();
  #text = '';
  #lastId = 0;
  #hasGreeted = false;
  #isClosed = false;
  #onGreeting: (greeted: QmpReadiness) => void = () => undefined;
  #onClosed: () => void = () => undefined;

  constructor(connect: (events: HostStreamEvents) => HostStream, scheduler: Scheduler, onEvent: OnQmpEvent) {
    this.#scheduler = scheduler;
    this.#onEvent = onEvent;
    this.#timer = scheduler.timer(() => this.#expire());
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    const greeted = new Promise<QmpReadiness>((resolve) => {
      this.#onGreeting = resolve;
    });
    this.ready = greeted.then((readiness) => (readiness === 'ready' ? this.#negotiate() : readiness));
    this.#stream = connect({
      opened: () => undefined,
      failed: () => this.#ended(),
      received: (bytes) => this.#received(bytes),
      ended: () => this.close(),
      drained: () => undefined,
      closed: () => this.#ended(),
    });
    this.#timer.arm(scheduler.now() + PATIENCE);
  }

  /** Executes a command once `ready` has said so. */
  execute(name: string, args?: QmpObject): Promise<QmpAnswer> {
    if (this.#isClosed) return Promise.resolve({ kind: 'closed' });
    const id = ++this.#lastId;
    return new Promise((settle) => {
      this.#waiting.set(id, { deadline: this.#scheduler.now() + PATIENCE, settle });
      this.#rearm();
      this.#stream.write(new TextEncoder().encode(formatQmpCommand(id, name, args)));
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#stream.reset();
    this.#ended();
  }

  async #negotiate(): Promise<QmpReadiness> {
    const { kind } = await this.execute('qmp_capabilities');
    if (kind === 'done') return 'ready';
    this.close();
    return kind === 'closed' ? 'absent' : 'silent';
  }

  #received(bytes: Uint8Array): void {
    const lines = (this.#text + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') this.#take(readQmpMessage(line));
    if (this.#text.length <= LINE_LIMIT) return;
    this.counters.add('long-line');
    this.close();
  }

  #take(message: QmpMessage | undefined): void {
    switch (message?.kind) {
      case undefined:
        this.counters.add('bad-message');
        break;
      case 'greeting':
        this.#hasGreeted = true;
        this.#rearm();
        this.#onGreeting('ready');
        break;
      case 'event':
        this.#onEvent(message.name, message.data);
        break;
      case 'return':
        this.#answer(message.id, { kind: 'done', value: message.value });
        break;
      case 'error':
        this.#answer(message.id, { kind: 'refused', message: message.description });
    }
  }

  #answer(id: number | undefined, answer: QmpAnswer): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) {
      this.counters.add('unknown-answer');
      return;
    }
    this.#waiting.delete(id);
    this.#rearm();
    waiting.settle(answer);
  }

  /** Commands wait equally long, so the oldest is the first to expire. */
  #rearm(): void {
    const [oldest] = this.#waiting.values();
    if (oldest !== undefined) this.#timer.arm(oldest.deadline);
    else this.#timer.cancel();
  }

  #expire(): void {
    if (!this.#hasGreeted) {
      this.#onGreeting('silent');
      this.close();
    }
    const now = this.#scheduler.now();
    for (const [id, { deadline }] of this.#waiting) if (deadline <= now) this.#answer(id, { kind: 'timeout' });
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#onGreeting('absent');
    for (const { settle } of this.#waiting.values()) settle({ kind: 'closed' });
    this.#waiting.clear();
    this.#onClosed();
  }
}

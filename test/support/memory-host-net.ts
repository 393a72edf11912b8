import type { Endpoint } from '../../src/base/endpoint.ts';
import type {
  ConnectOptions,
  DatagramOptions,
  HostDatagramEvents,
  HostDatagramSocket,
  HostEcho,
  HostEchoEvents,
  HostIcmpError,
  HostListener,
  HostNet,
  HostStream,
  HostStreamEvents,
  OnHostStream,
  StreamTarget,
} from '../../src/base/host-net.ts';
import { HostNetError } from '../../src/base/host-net.ts';
import { MemoryStream } from './memory-stream.ts';

const LONGEST_DATAGRAM = 65_507;
const FIRST_FREE_PORT = 49_152;

/**
 * A host's network in memory. The test is the world: it finds what the program made in `streams`, `sockets`, `echoes` and
 * `listeners`, and plays the other end. A stream to an address where the program itself listens, and a datagram to one where it is
 * bound, go there by themselves. Consequences of the program's own calls happen at `turn`.
 */
export class MemoryHostNet implements HostNet {
  /** Made by `connect` and `run`, oldest first. */
  readonly streams: MemoryStream[] = [];
  readonly listeners: MemoryListener[] = [];
  readonly sockets: MemoryDatagramSocket[] = [];
  readonly echoes: MemoryEcho[] = [];
  /** What the next `listen` or `bind` rejects with. */
  refusal: HostNetError | undefined;
  readonly #tasks: (() => void)[] = [];
  #freePort = FIRST_FREE_PORT;
  readonly #later = (task: () => void): void => {
    this.#tasks.push(task);
  };

  /** Lets happen what the program's calls caused, and what that causes. */
  turn(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }

  connect(to: StreamTarget, events: HostStreamEvents, options: ConnectOptions = {}): HostStream {
    const stream = new MemoryStream({ kind: 'connect', to, source: options.source }, this.#later);
    stream.listen(events);
    this.streams.push(stream);
    const listener = this.listenerAt(to);
    if (listener !== undefined) this.#later(() => this.#join(stream, listener));
    return stream;
  }

  async listen(at: StreamTarget, onStream: OnHostStream): Promise<HostListener> {
    this.#refuse();
    if (this.listenerAt(at) !== undefined) throw new HostNetError('address-in-use', `${keyOf(at)} is taken`);
    const listener = new MemoryListener(at.kind === 'tcp' ? { kind: 'tcp', endpoint: this.#bound(at.endpoint) } : at, {
      onStream,
      later: this.#later,
      onClose: () => this.listeners.splice(this.listeners.indexOf(listener), 1),
    });
    this.listeners.push(listener);
    return listener;
  }

  async bind(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket> {
    this.#refuse();
    if (this.socketAt(at) !== undefined) throw new HostNetError('address-in-use', `${portKey(at)} is taken`);
    return this.#datagramSocket(events, undefined, this.#bound(at));
  }

  socket(family: 4 | 6, events: HostDatagramEvents, { source }: ConnectOptions = {}): HostDatagramSocket {
    return this.#datagramSocket(events, source ?? new Uint8Array(family === 4 ? 4 : 16), undefined);
  }

  echo(family: 4 | 6, events: HostEchoEvents): HostEcho {
    const echo = new MemoryEcho(family, events);
    this.echoes.push(echo);
    return echo;
  }

  run(command: string, events: HostStreamEvents): HostStream {
    const stream = new MemoryStream({ kind: 'run', command }, this.#later);
    stream.listen(events);
    this.streams.push(stream);
    return stream;
  }

  /** The latest stream that was made. */
  get lastStream(): MemoryStream {
    return this.streams.at(-1)!;
  }

  get lastSocket(): MemoryDatagramSocket {
    return this.sockets.at(-1)!;
  }

  get lastEcho(): MemoryEcho {
    return this.echoes.at(-1)!;
  }

  listenerAt(at: StreamTarget): MemoryListener | undefined {
    return this.listeners.find((listener) => keyOf(listener.at) === keyOf(at));
  }

  socketAt(at: Endpoint): MemoryDatagramSocket | undefined {
    return this.sockets.find(({ local, isClosed }) => {
      if (isClosed || local === undefined || local.port !== at.port) return false;
      return isAny(local.address) || portKey(local) === portKey(at);
    });
  }

  #refuse(): void {
    const refusal = this.refusal;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
  }

  #bound({ address, port }: Endpoint): Endpoint {
    return { address, port: port === 0 ? this.#freePort++ : port };
  }

  #datagramSocket(events: HostDatagramEvents, source: Uint8Array | undefined, local: Endpoint | undefined) {
    const socket = new MemoryDatagramSocket(events, local, (bytes, to) => {
      if (source !== undefined) socket.local ??= this.#bound({ address: source, port: 0 });
      const { address, port } = socket.local!;
      const from = { address: isAny(address) ? to.address : address, port };
      const receiver = this.socketAt(to);
      if (receiver !== undefined) this.#later(() => receiver.feed(bytes, from));
    });
    this.sockets.push(socket);
    return socket;
  }

  #join(near: MemoryStream, listener: MemoryListener): void {
    if (near.isReset) return;
    const from =
      listener.at.kind === 'tcp' ? this.#bound({ address: listener.at.endpoint.address, port: 0 }) : undefined;
    const far = listener.arrive(from);
    near.far = this.#farEndOf(far);
    far.far = this.#farEndOf(near);
    near.open();
  }

  #farEndOf(stream: MemoryStream): MemoryStream['far'] {
    return {
      took: (bytes) => this.#later(() => stream.feed(bytes)),
      finished: () => this.#later(() => stream.end()),
      reset: () => this.#later(() => stream.breakOff('reset')),
    };
  }
}

interface ListenerContext {
  readonly onStream: OnHostStream;
  readonly later: (task: () => void) => void;
  readonly onClose: () => void;
}

export class MemoryListener implements HostListener {
  readonly at: StreamTarget;
  readonly #context: ListenerContext;

  constructor(at: StreamTarget, context: ListenerContext) {
    this.at = at;
    this.#context = context;
  }

  /** A client comes; the stream that the program is given, played by the test. It begins paused. */
  arrive(from?: Endpoint): MemoryStream {
    const stream = new MemoryStream({ kind: 'accept', from }, this.#context.later);
    stream.listen(this.#context.onStream(stream, from));
    return stream;
  }

  async close(): Promise<void> {
    this.#context.onClose();
  }
}

export class MemoryDatagramSocket implements HostDatagramSocket {
  local: Endpoint | undefined;
  isClosed = false;
  /** Everything that was sent, oldest first. */
  readonly sent: { readonly bytes: Uint8Array; readonly to: Endpoint; readonly options: DatagramOptions }[] = [];
  readonly #events: HostDatagramEvents;
  readonly #onSend: (bytes: Uint8Array, to: Endpoint) => void;

  constructor(
    events: HostDatagramEvents,
    local: Endpoint | undefined,
    onSend: (bytes: Uint8Array, to: Endpoint) => void,
  ) {
    this.#events = events;
    this.local = local;
    this.#onSend = onSend;
  }

  send(bytes: Uint8Array, to: Endpoint, options: DatagramOptions = {}): boolean {
    if (this.isClosed) return true;
    if (bytes.length > LONGEST_DATAGRAM) return false;
    const copy = bytes.slice();
    this.sent.push({ bytes: copy, to, options });
    this.#onSend(copy, to);
    return true;
  }

  close(): void {
    this.isClosed = true;
  }

  /** A datagram arrives. */
  feed(bytes: Uint8Array, from: Endpoint): void {
    if (this.isClosed) return;
    const lent = bytes.slice();
    this.#events.received(lent, from);
    lent.fill(0xee); // the loan is over: who kept the octets without copying sees it
  }

  /** An ICMP error arrives. */
  refuse(error: HostIcmpError): void {
    if (!this.isClosed) this.#events.refused(error);
  }
}

export class MemoryEcho implements HostEcho {
  readonly family: 4 | 6;
  isClosed = false;
  readonly sent: {
    readonly to: Uint8Array;
    readonly sequence: number;
    readonly payload: Uint8Array;
    readonly ttl: number;
  }[] = [];
  readonly #events: HostEchoEvents;

  constructor(family: 4 | 6, events: HostEchoEvents) {
    this.family = family;
    this.#events = events;
  }

  send(to: Uint8Array, sequence: number, payload: Uint8Array, ttl: number): void {
    if (!this.isClosed) this.sent.push({ to: to.slice(), sequence, payload: payload.slice(), ttl });
  }

  close(): void {
    this.isClosed = true;
  }

  reply(from: Uint8Array, sequence: number, payload: Uint8Array, ttl?: number): void {
    if (!this.isClosed) this.#events.replied(from, sequence, payload.slice(), ttl);
  }

  refuse(sequence: number, error: HostIcmpError): void {
    if (!this.isClosed) this.#events.refused(sequence, error);
  }
}

function keyOf(target: StreamTarget): string {
  return target.kind === 'unix' ? `unix:${target.path}` : `tcp:${portKey(target.endpoint)}`;
}

function isAny(address: Uint8Array): boolean {
  return address.every((octet) => octet === 0);
}

function portKey({ address, port }: Endpoint): string {
  return `${address.join('.')}:${port}`;
}

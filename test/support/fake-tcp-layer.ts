import type { Endpoint } from '../../src/base/endpoint.ts';
import type { Lender } from '../../src/base/loan.ts';
import { Loan } from '../../src/base/loan.ts';
import type { Unreachable } from '../../src/stack/ip-network.ts';
import { LARGEST_SHARE } from '../../src/stack/tcp/send-budget.ts';
import type {
  OnTcpRequest,
  TcpConnection,
  TcpEnd,
  TcpEvents,
  TcpLayer,
  TcpListener,
  TcpRequest,
} from '../../src/stack/tcp-layer.ts';

/** A TCP layer whose guests are the test. */
export class FakeTcpLayer implements TcpLayer {
  /** Of `connect` and of accepted requests, oldest first. */
  readonly connections: FakeConnection[] = [];
  readonly requests: FakeRequest[] = [];
  wasReset = false;
  hasFreePorts = true;
  readonly #listeners = new Map<string, OnTcpRequest>();
  #unclaimed: OnTcpRequest | undefined;

  /** A guest's SYN. */
  syn(from: Endpoint, to: Endpoint): FakeRequest {
    const request = new FakeRequest(from, to, (connection) => this.connections.push(connection));
    this.requests.push(request);
    const handler = this.#listeners.get(keyOf(to.port, to.address)) ?? this.#listeners.get(keyOf(to.port));
    if (handler !== undefined) handler(request);
    else if (this.#unclaimed !== undefined) this.#unclaimed(request);
    else request.refuse();
    return request;
  }

  listen(port: number, onRequest: OnTcpRequest, address?: Uint8Array): TcpListener {
    const key = keyOf(port, address);
    if (this.#listeners.has(key)) throw new Error(`port ${port} is taken`);
    this.#listeners.set(key, onRequest);
    return { port, close: () => void this.#listeners.delete(key) };
  }

  onUnclaimed(handler: OnTcpRequest | undefined): void {
    this.#unclaimed = handler;
  }

  connect(from: Endpoint, to: Endpoint, events: TcpEvents): FakeConnection {
    const isTaken = this.connections.some(
      ({ local, remote, isOver }) =>
        !isOver &&
        local.port !== 0 &&
        keyOf(local.port, local.address) === keyOf(from.port, from.address) &&
        keyOf(remote.port, remote.address) === keyOf(to.port, to.address),
    );
    if (isTaken || (from.port === 0 && !this.hasFreePorts)) throw new Error('no port is free');
    const connection = new FakeConnection(from, to, events);
    this.connections.push(connection);
    return connection;
  }

  resetAll(): void {
    this.wasReset = true;
    for (const connection of this.connections) connection.reset();
  }

  get size(): number {
    return this.connections.filter(({ isOver }) => !isOver).length;
  }

  get last(): FakeConnection {
    return this.connections.at(-1)!;
  }
}

export class FakeRequest implements TcpRequest {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** What the guest sees: nothing while the SYN is held. */
  answer: 'syn-ack' | 'rst' | 'nothing' | `unreachable: ${Unreachable}` | undefined;
  connection: FakeConnection | undefined;
  readonly #onAccept: (connection: FakeConnection) => void;
  #onCancel: () => void = () => undefined;

  constructor(from: Endpoint, to: Endpoint, onAccept: (connection: FakeConnection) => void) {
    this.from = from;
    this.to = to;
    this.#onAccept = onAccept;
  }

  accept(events: TcpEvents): FakeConnection {
    this.#settle('syn-ack');
    this.connection = new FakeConnection(this.to, this.from, events);
    this.#onAccept(this.connection);
    return this.connection;
  }

  refuse(): void {
    this.#settle('rst');
  }

  unreachable(why: Unreachable): void {
    this.#settle(`unreachable: ${why}`);
  }

  ignore(): void {
    this.#settle('nothing');
  }

  onCancel(handler: () => void): void {
    this.#onCancel = handler;
  }

  /** The guest gives up. */
  cancel(): void {
    this.#onCancel();
  }

  #settle(answer: NonNullable<FakeRequest['answer']>): void {
    if (this.answer !== undefined) throw new Error(`answered ${this.answer}, then ${answer}`);
    this.answer = answer;
  }
}

/** A connection whose other end is the test. */
export class FakeConnection implements TcpConnection, Lender {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  unacknowledged = 0;
  /** Octets that were given back to the window. */
  credited = 0;
  isFinished = false;
  isReset = false;
  /** Loans that are out. */
  readonly loans: Loan[] = [];
  readonly #events: TcpEvents;
  readonly #sent: Uint8Array[] = [];
  #isClosed = false;

  constructor(local: Endpoint, remote: Endpoint, events: TcpEvents) {
    this.local = local;
    this.remote = remote;
    this.#events = events;
  }

  get isFull(): boolean {
    return this.unacknowledged > LARGEST_SHARE;
  }

  get sent(): string {
    return Buffer.concat(this.#sent).toString('latin1');
  }

  get isOver(): boolean {
    return this.isReset || this.#isClosed;
  }

  send(bytes: Uint8Array): void {
    if (this.isFinished || this.isOver) throw new Error('sends after its end');
    this.#sent.push(bytes.slice());
    this.unacknowledged += bytes.length;
  }

  consumed(octets: number): void {
    this.credited += octets;
  }

  finish(): void {
    this.isFinished = true;
  }

  reset(): void {
    if (!this.#isClosed) this.isReset = true;
  }

  open(): void {
    this.#events.opened();
  }

  /** The guest sends; the octets are overwritten when the call returns and nobody has retained them. */
  feed(text: string): void {
    const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
    this.loans.length = 0;
    this.#events.received(bytes, this);
    if (this.loans.length === 0) bytes.fill(0xee);
  }

  retain(): Loan {
    const loan = new Loan(new Uint8Array(0));
    loan.extend();
    this.loans.push(loan);
    return loan;
  }

  /** The guest finishes sending. */
  end(): void {
    this.#events.ended();
  }

  /** The guest acknowledges everything. */
  acknowledge(): void {
    this.unacknowledged = 0;
    this.#events.drained();
  }

  close(how: TcpEnd): void {
    if (this.isOver) return;
    this.#isClosed = true;
    this.#events.closed(how);
  }
}

function keyOf(port: number, address?: Uint8Array): string {
  return address === undefined ? `${port}` : `${address.join('.')}:${port}`;
}

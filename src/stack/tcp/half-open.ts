/** SYNs that wait for an answer, and handshakes that are not complete: how many there may be, and the answer itself. */
import type { Endpoint } from '../../base/endpoint.ts';
import type { DropReason } from '../../link/drops.ts';
import type { TcpView } from '../../wire/tcp.ts';
import { RST, SYN } from '../../wire/tcp.ts';
import type { FlowEntry, FlowKey } from '../flow-table.ts';
import { localOf, remoteOf } from '../flow-table.ts';
import type { IpNetwork, Unreachable } from '../ip-network.ts';
import type { TcpConnection, TcpEvents, TcpRequest } from '../tcp-layer.ts';
import { advance } from './sequence.ts';

/** Handshakes at a time. The one that waits longest makes room for a new one. */
const MAX_HALF_OPEN = 1024;

/** A handshake that can be given up for another. */
export interface HalfOpen {
  /** There is no room for it any more. */
  evict(): void;
}

/** All handshakes that others began and that are not complete, the oldest first. */
export class Handshakes {
  readonly #open = new Set<HalfOpen>();

  add(handshake: HalfOpen): void {
    const oldest = this.#open.size < MAX_HALF_OPEN ? undefined : this.#open.values().next().value;
    if (oldest !== undefined) this.#open.delete(oldest);
    this.#open.add(handshake);
    oldest?.evict();
  }

  delete(handshake: HalfOpen): void {
    this.#open.delete(handshake);
  }
}

/** What a SYN said. */
export interface SynFacts {
  readonly sequence: number;
  readonly window: number;
  readonly mss: number;
  readonly windowScale: number | undefined;
  readonly permitsSack: boolean;
  readonly hasTimestamps: boolean;
  readonly timestamp: number;
}

export function synFactsOf(view: TcpView): SynFacts {
  const { sequence, window, mss, windowScale, permitsSack, hasTimestamps, timestamp } = view;
  return { sequence, window, mss, windowScale, permitsSack, hasTimestamps, timestamp };
}

/** Who carries the answer out. */
export interface Answering {
  accept(request: HeldRequest, events: TcpEvents): TcpConnection;
  refuse(request: HeldRequest): void;
  unreachable(request: HeldRequest, why: Unreachable): void;
  /** The request is over, answered or not: its place is free. */
  release(request: HeldRequest): void;
  /** It made room for another. */
  evicted(request: HeldRequest): void;
}

/** A SYN that waits; its repetitions find it in the table of connections. */
export class HeldRequest implements TcpRequest, HalfOpen, FlowEntry {
  readonly network: IpNetwork;
  readonly ends: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  readonly syn: SynFacts;
  /** The start of its frame, as much as an ICMP error quotes. */
  readonly frame: Uint8Array;
  nextInBucket: FlowEntry | undefined;
  readonly #answering: Answering;
  #isPending = true;
  #onCancel: (() => void) | undefined;

  constructor(answering: Answering, network: IpNetwork, key: FlowKey, syn: SynFacts, frame: Uint8Array) {
    this.#answering = answering;
    this.network = network;
    this.ends = key.ends;
    this.localPort = key.localPort;
    this.remotePort = key.remotePort;
    this.syn = syn;
    this.frame = frame;
  }

  get from(): Endpoint {
    return remoteOf(this);
  }

  get to(): Endpoint {
    return localOf(this);
  }

  get isPending(): boolean {
    return this.#isPending;
  }

  accept(events: TcpEvents): TcpConnection {
    if (!this.#settle()) throw new Error('a TCP request is answered once, and not after it was cancelled');
    return this.#answering.accept(this, events);
  }

  refuse(): void {
    if (this.#settle()) this.#answering.refuse(this);
  }

  unreachable(why: Unreachable): void {
    if (this.#settle()) this.#answering.unreachable(this, why);
  }

  ignore(): void {
    this.#settle();
  }

  onCancel(handler: () => void): void {
    this.#onCancel = handler;
  }

  /** RFC 9293, 3.10.7.2: what comes for a connection that is not there yet. */
  segment(view: TcpView): DropReason | undefined {
    const { flags, sequence } = view;
    const expected = advance(this.syn.sequence, 1);
    if ((flags & RST) !== 0) {
      if (sequence !== expected && sequence !== this.syn.sequence) return 'tcp-out-of-window';
      this.cancel();
      return undefined;
    }
    if ((flags & SYN) !== 0 && sequence === this.syn.sequence) return undefined;
    return 'tcp-out-of-window';
  }

  evict(): void {
    this.#answering.evicted(this);
    this.cancel();
  }

  /** No answer is wanted any more. */
  cancel(): void {
    if (this.#settle()) this.#onCancel?.();
  }

  #settle(): boolean {
    if (!this.#isPending) return false;
    this.#isPending = false;
    this.#answering.release(this);
    return true;
  }
}

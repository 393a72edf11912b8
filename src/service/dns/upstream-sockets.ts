/**
 * UDP towards name servers, with ids and source ports that a stranger cannot guess (RFC 5452, 9.2): a question leaves from one of many
 * sockets, chosen by chance, each with a port that the host chose, and a socket is replaced after some questions, so that finding the
 * ports out is of no use for long. A socket per question would be safer by little and costs system calls.
 */
import { type Random, randomUint32 } from '../../base/chance.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { isSameEndpoint } from '../../base/endpoint.ts';
import type { HostDatagramSocket, HostNet } from '../../base/host-net.ts';
import { readUint16, writeUint16 } from '../../wire/octets.ts';

/** Sockets per address family. */
const SOCKETS = 64;
/** Questions that leave from one socket. */
const QUESTIONS_PER_SOCKET = 256;

/** A question under way, as a socket sees it. */
export interface Sent {
  readonly server: Endpoint;
  /** A datagram with the question's id came from the server; on loan. True: it is the answer. */
  received(bytes: Uint8Array): boolean;
  /** The host heard that nobody listens there, or that there is no way. */
  refused(): void;
}

/** Where a question left from, to give up waiting. */
export interface Waiting {
  forget(): void;
}

export class UpstreamSockets {
  readonly #net: HostNet;
  readonly #random: Random;
  readonly #onUnexpected: () => void;
  readonly #pools: Readonly<Record<4 | 6, (PooledSocket | undefined)[]>> = { 4: [], 6: [] };
  readonly #all = new Set<PooledSocket>();

  /** `onUnexpected` hears of each datagram that answers nothing that was asked. */
  constructor(net: HostNet, random: Random, onUnexpected: () => void) {
    this.#net = net;
    this.#random = random;
    this.#onUnexpected = onUnexpected;
  }

  /** Sends a message, whose id it chooses and writes. */
  send(message: Uint8Array, sent: Sent): Waiting {
    const family = sent.server.address.length === 4 ? 4 : 6;
    const pool = this.#pools[family];
    const slot = Math.floor(this.#random.next() * SOCKETS);
    let socket = pool[slot];
    if (socket === undefined || socket.questions >= QUESTIONS_PER_SOCKET) {
      socket?.retire();
      socket = new PooledSocket(this.#net, family, this.#onUnexpected, (closed) => this.#all.delete(closed));
      this.#all.add(socket);
      pool[slot] = socket;
    }
    return socket.send(message, randomUint32(this.#random) & 0xffff, sent);
  }

  /** Closes sockets that wait for nothing: the network has been quiet. */
  closeIdle(): void {
    for (const pool of [this.#pools[4], this.#pools[6]])
      for (const [slot, socket] of pool.entries())
        if (socket?.isIdle === true) {
          socket.retire();
          pool[slot] = undefined;
        }
  }

  get open(): number {
    return this.#all.size;
  }

  close(): void {
    for (const socket of [...this.#all]) socket.close();
    this.#pools[4].length = 0;
    this.#pools[6].length = 0;
  }
}

class PooledSocket {
  readonly #socket: HostDatagramSocket;
  readonly #onClosed: (socket: PooledSocket) => void;
  /** By id. */
  readonly #waiting = new Map<number, Sent>();
  #isRetired = false;
  questions = 0;

  constructor(net: HostNet, family: 4 | 6, onUnexpected: () => void, onClosed: (socket: PooledSocket) => void) {
    this.#onClosed = onClosed;
    this.#socket = net.socket(family, {
      received: (bytes, from) => {
        const sent = bytes.length < 2 ? undefined : this.#waiting.get(readUint16(bytes, 0));
        if (sent === undefined || !isSameEndpoint(sent.server, from) || !sent.received(bytes)) onUnexpected();
      },
      refused: ({ to, quote }) => {
        const sent = quote.length < 2 ? undefined : this.#waiting.get(readUint16(quote, 0));
        if (sent !== undefined && isSameEndpoint(sent.server, to)) sent.refused();
      },
    });
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  send(message: Uint8Array, first: number, sent: Sent): Waiting {
    let id = first;
    while (this.#waiting.has(id)) id = (id + 1) & 0xffff;
    this.#waiting.set(id, sent);
    this.questions++;
    writeUint16(message, 0, id);
    this.#socket.send(message, sent.server);
    return {
      forget: () => {
        if (this.#waiting.get(id) === sent) this.#waiting.delete(id);
        if (this.#isRetired && this.isIdle) this.close();
      },
    };
  }

  /** Sends no more, and closes when nothing is waited for. */
  retire(): void {
    this.#isRetired = true;
    if (this.isIdle) this.close();
  }

  close(): void {
    this.#waiting.clear();
    this.#socket.close();
    this.#onClosed(this);
  }
}

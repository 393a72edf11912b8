/** Who listens at which port of the stack, of one protocol. */
import type { Random } from '../base/chance.ts';
import { isSameAddress } from '../base/endpoint.ts';
import type { IncomingPacket } from './ip-packet.ts';
import { isTo } from './ip-packet.ts';

/** RFC 6335, 6: the dynamic ports. */
const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT;

interface Listener<Handler> {
  /** Undefined: every address of the stack. */
  readonly at: Uint8Array | undefined;
  readonly handler: Handler;
}

export class Listeners<Handler> {
  readonly #protocol: string;
  readonly #random: Random;
  /** By port; of one port a listener for one address goes before the one for all. */
  readonly #byPort = new Map<number, readonly Listener<Handler>[]>();

  constructor(protocol: 'TCP' | 'UDP', random: Random) {
    this.#protocol = protocol;
    this.#random = random;
  }

  /** Returns what ends it; throws where the port is taken. */
  add(port: number, handler: Handler, at: Uint8Array | undefined): () => void {
    const others = this.#byPort.get(port) ?? [];
    if (others.some((other) => isSamePlace(other.at, at)))
      throw new Error(`${this.#protocol} port ${port} is taken on this stack`);
    const listener = { at, handler };
    this.#byPort.set(port, at === undefined ? [...others, listener] : [listener, ...others]);
    return () => this.#remove(port, listener);
  }

  /** Who takes a packet for `port` of the address that it goes to; nobody takes those to other hosts. */
  find(packet: IncomingPacket, port: number): Handler | undefined {
    const listeners = packet.isTransit ? undefined : this.#byPort.get(port);
    return listeners?.find(({ at }) => at === undefined || isTo(at, packet))?.handler;
  }

  /** A dynamic port that nobody listens at and that `isFree` allows, chosen by chance (RFC 6056, 3.3.1). */
  freePort(isFree: (port: number) => boolean): number | undefined {
    const first = Math.floor(this.#random.next() * DYNAMIC_PORTS);
    for (let i = 0; i < DYNAMIC_PORTS; i++) {
      const port = FIRST_DYNAMIC_PORT + ((first + i) % DYNAMIC_PORTS);
      if (!this.#byPort.has(port) && isFree(port)) return port;
    }
    return undefined;
  }

  #remove(port: number, listener: Listener<Handler>): void {
    const left = this.#byPort.get(port)?.filter((other) => other !== listener) ?? [];
    if (left.length === 0) this.#byPort.delete(port);
    else this.#byPort.set(port, left);
  }
}

function isSamePlace(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameAddress(a, b);
}

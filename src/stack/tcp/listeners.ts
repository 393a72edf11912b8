/** Who takes connections to which port. */
import type { Random } from '../../base/chance.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { ipv4Of } from '../../wire/ipv4-address.ts';
import type { OnTcpRequest, TcpListener } from '../tcp-layer.ts';

/** RFC 6335, 6: the dynamic ports. */
const FIRST_DYNAMIC_PORT = 49_152;
const DYNAMIC_PORTS = 65_536 - FIRST_DYNAMIC_PORT;

interface Listener {
  /** Undefined: every address of the stack. */
  readonly at: Ipv4 | undefined;
  readonly onRequest: OnTcpRequest;
}

export class Listeners {
  readonly #random: Random;
  /** By port; of one port a listener for one address goes before the one for all. */
  readonly #byPort = new Map<number, readonly Listener[]>();
  onUnclaimed: OnTcpRequest | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  add(port: number, onRequest: OnTcpRequest, address: Uint8Array | undefined): TcpListener {
    const at = address === undefined ? undefined : ipv4Of(address);
    const others = this.#byPort.get(port) ?? [];
    if (others.some((other) => other.at === at)) throw new Error(`TCP port ${port} is taken on this stack`);
    const listener = { at, onRequest };
    this.#byPort.set(port, at === undefined ? [...others, listener] : [listener, ...others]);
    return { port, close: () => this.#remove(port, listener) };
  }

  /** Who takes a SYN; those to other hosts find no listener. */
  find(address: Ipv4, port: number, isTransit: boolean): OnTcpRequest | undefined {
    const listeners = isTransit ? undefined : this.#byPort.get(port);
    const listener = listeners?.find(({ at }) => at === undefined || at === address);
    return listener?.onRequest ?? this.onUnclaimed;
  }

  /** A dynamic port that nobody listens at and that `isFree` allows, chosen by chance (RFC 6056, 3.3.1). */
  freePort(isFree: (port: number) => boolean): number {
    const first = Math.floor(this.#random.next() * DYNAMIC_PORTS);
    for (let i = 0; i < DYNAMIC_PORTS; i++) {
      const port = FIRST_DYNAMIC_PORT + ((first + i) % DYNAMIC_PORTS);
      if (!this.#byPort.has(port) && isFree(port)) return port;
    }
    throw new Error('all dynamic TCP ports towards this endpoint are taken');
  }

  #remove(port: number, listener: Listener): void {
    const left = this.#byPort.get(port)?.filter((other) => other !== listener) ?? [];
    if (left.length === 0) this.#byPort.delete(port);
    else this.#byPort.set(port, left);
  }
}

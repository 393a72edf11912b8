/** A conversation that a gateway translates, whoever began it, and the table of all of them. */
import type { Endpoint } from '../base/endpoint.ts';
import type { StreamTarget } from '../base/host-net.ts';

export interface Flow {
  readonly protocol: 'tcp' | 'udp' | 'echo';
  readonly initiator: 'guest' | 'host';
  readonly guest: Endpoint;
  /** The other side as the guest sees it; undefined where there are several (a UDP mapping serves all of them). */
  readonly peer: Endpoint | undefined;
  /** The other side as the host sees it; a text for what is no socket (a command). */
  readonly target: StreamTarget | string | undefined;
  readonly state: 'opening' | 'open' | 'closing';
  /** Octets of payload from and to the guest. */
  readonly fromGuest: number;
  readonly toGuest: number;
  /** Ends it: TCP with a reset both ways. */
  close(): void;
}

/** Every flow of one gateway. */
export class FlowTable {
  readonly #flows = new Set<Flow>();

  add(flow: Flow): void {
    this.#flows.add(flow);
  }

  remove(flow: Flow): void {
    this.#flows.delete(flow);
  }

  get size(): number {
    return this.#flows.size;
  }

  [Symbol.iterator](): Iterator<Flow> {
    return this.#flows.values();
  }

  closeAll(): void {
    for (const flow of [...this.#flows]) flow.close();
  }
}

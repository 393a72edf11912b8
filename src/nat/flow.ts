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

/** Hears of every flow when it begins and when it has ended. */
export type FlowListener = (change: 'began' | 'ended', flow: Flow) => void;

/** Every flow of one gateway. */
export class FlowTable {
  readonly #flows = new Set<Flow>();
  readonly #onChange: FlowListener;

  constructor(onChange: FlowListener = () => undefined) {
    this.#onChange = onChange;
  }

  add(flow: Flow): void {
    this.#flows.add(flow);
    this.#onChange('began', flow);
  }

  remove(flow: Flow): void {
    if (this.#flows.delete(flow)) this.#onChange('ended', flow);
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

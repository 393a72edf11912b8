/** TCP from guests to the world: what the policy allows goes on in a host socket. */
import type { ConnectOptions } from '../base/host-net.ts';
import type { EgressPolicy } from '../policy/egress.ts';
import type { TcpRequest } from '../stack/tcp-layer.ts';
import { isLoopback } from './shown-address.ts';
import type { TcpOpenerOutside } from './tcp-opener.ts';
import { TcpOpener } from './tcp-opener.ts';

export interface TcpProxyOptions extends TcpOpenerOutside {
  readonly policy: EgressPolicy;
  /** The host's own addresses that conversations with the world leave from, one of a family; the system's choice where there is none. */
  readonly sources?: readonly Uint8Array[] | undefined;
}

export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #opener: TcpOpener;

  constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#opener = new TcpOpener(options);
  }

  start(): void {
    this.#options.stack.tcp.onUnclaimed((request) => this.#open(request));
  }

  /** Resets every TCP flow of the gateway, on both sides: guests are told at once that the network goes away. */
  stop(): void {
    const { tcp } = this.#options.stack;
    tcp.onUnclaimed(undefined);
    for (const flow of [...this.#options.flows]) if (flow.protocol === 'tcp') flow.close();
    tcp.resetAll();
  }

  #open(request: TcpRequest): void {
    const verdict = this.#options.policy.decide('tcp', request.to);
    if (verdict.kind === 'refused') {
      this.#options.counters.add(verdict.reason);
      request.refuse();
      return;
    }
    this.#opener.open(request, { kind: 'tcp', endpoint: verdict.to }, this.#connectOptions(verdict.to.address));
  }

  #connectOptions(to: Uint8Array): ConnectOptions | undefined {
    const source = isLoopback(to) ? undefined : this.#options.sources?.find(({ length }) => length === to.length);
    return source && { source };
  }
}

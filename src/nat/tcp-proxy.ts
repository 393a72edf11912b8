/** TCP from guests to the world: what the policy allows goes on in a host socket. */
import type { ConnectOptions } from '../base/host-net.ts';
import type { EgressPolicy } from '../policy/egress.ts';
import type { TcpRequest } from '../stack/tcp-layer.ts';
import { isLoopback } from './guest-error.ts';
import type { TcpOpenerOutside } from './tcp-opener.ts';
import { TcpOpener } from './tcp-opener.ts';

export interface TcpProxyOptions extends TcpOpenerOutside {
  readonly policy: EgressPolicy;
  /** The host's own address that conversations with the world leave from; the system's choice where undefined. */
  readonly source?: Uint8Array | undefined;
}

export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #opener: TcpOpener;
  readonly #connectOptions: ConnectOptions | undefined;

  constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#opener = new TcpOpener(options);
    this.#connectOptions = options.source && { source: options.source };
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
    if (request.to.address.length !== 4) {
      request.refuse();
      return;
    }
    const verdict = this.#options.policy.decide('tcp', request.to);
    if (verdict.kind === 'refused') {
      this.#options.counters.add(verdict.reason);
      request.refuse();
      return;
    }
    const { to } = verdict;
    this.#opener.open(
      request,
      { kind: 'tcp', endpoint: to },
      isLoopback(to.address) ? undefined : this.#connectOptions,
    );
  }
}

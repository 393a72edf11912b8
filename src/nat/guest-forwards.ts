/** `guestfwd`: addresses and ports inside the network behind which something of the host answers, whatever the policy says. */
import type { TcpListener } from '../stack/tcp-layer.ts';
import { octetsOf } from '../wire/ip-address.ts';
import type { GuestForward } from './forward-spec.ts';
import type { TcpOpenerOutside } from './tcp-opener.ts';
import { TcpOpener } from './tcp-opener.ts';

/** The stack has the addresses of all the forwards. */
export interface GuestForwardsOptions extends TcpOpenerOutside {
  readonly forwards: readonly GuestForward[];
}

export class GuestForwards {
  readonly #options: GuestForwardsOptions;
  readonly #opener: TcpOpener;
  #listeners: readonly TcpListener[] = [];

  constructor(options: GuestForwardsOptions) {
    this.#options = options;
    this.#opener = new TcpOpener(options);
  }

  /** Throws where two forwards, or a forward and a service, want the same port of the same address. */
  start(): void {
    const { stack, forwards } = this.#options;
    this.#listeners = forwards.map(({ address, port, to }) =>
      stack.tcp.listen(port, (request) => this.#opener.open(request, to), octetsOf(address)),
    );
  }

  /** Takes no more connections; those that came stay open. */
  stop(): void {
    for (const listener of this.#listeners) listener.close();
    this.#listeners = [];
  }
}

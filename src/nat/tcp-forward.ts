/**
 * A TCP port or unix socket of the host whose clients reach a port of a guest: one listener of a `hostfwd` rule.
 *
 * A client waits until the guest has accepted: it is read only then, and reset where the guest refuses or does not answer. To the
 * guest it has the gateway's address, or its own where the rule shows it: not where it is on the host's loopback or of the other
 * family, and not where the address means somebody else on the guest's network, for then the answers would not come back.
 */
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostNet, HostStream, HostStreamEvents, StreamTarget } from '../base/host-net.ts';
import type { TcpEnd, TcpLayer } from '../stack/tcp-layer.ts';
import type { FlowTable } from './flow.ts';
import { proxyHeader } from './proxy-header.ts';
import { ownAddress } from './shown-address.ts';
import type { ShowingStack } from './shown-client.ts';
import { canBeShown } from './shown-client.ts';
import type { TcpFlowEnd, TcpFlowOwner, TcpOpening } from './tcp-flow.ts';
import { GuestSide, HostSide, TcpFlow } from './tcp-flow.ts';
import { MAX_FLOWS } from './tcp-opener.ts';

export interface TcpForwardSpec {
  /** Where the host listens; port 0 asks for a free one. */
  readonly at: StreamTarget;
  /** The guest's address now; undefined where nobody has it. */
  readonly guest: () => Uint8Array | undefined;
  readonly guestPort: number;
  readonly proxyProtocol?: 1 | 2 | undefined;
  readonly showsClient: boolean;
}

/** What a forward needs of the gateway's stack. */
export interface TcpForwardStack extends ShowingStack {
  readonly tcp: TcpLayer;
}

export interface TcpForwardOutside {
  readonly counters: Counters;
  readonly flows: FlowTable;
}

export interface TcpForward {
  /** Where it listens. */
  readonly at: StreamTarget;
  /** Clients that are connected, or that wait for the guest. */
  readonly connections: number;
  /** Takes no more clients; those that came stay. */
  close(): void;
}

/** Rejects with a `HostNetError` where the place cannot be had. */
export async function openTcpForward(
  spec: TcpForwardSpec,
  stack: TcpForwardStack,
  net: HostNet,
  outside: TcpForwardOutside,
): Promise<TcpForward> {
  const clients = new Clients(spec, stack, outside);
  const listener = await net.listen(spec.at, (stream, from) => clients.arrived(stream, from));
  clients.at = listener.at;
  return {
    at: listener.at,
    get connections() {
      return clients.size;
    },
    close: () => void listener.close(),
  };
}

class Clients implements TcpFlowOwner {
  /** Where the host listens, with the real port once it does. */
  at: StreamTarget;
  readonly #spec: TcpForwardSpec;
  readonly #stack: TcpForwardStack;
  readonly #outside: TcpForwardOutside;
  #size = 0;

  constructor(spec: TcpForwardSpec, stack: TcpForwardStack, outside: TcpForwardOutside) {
    this.at = spec.at;
    this.#spec = spec;
    this.#stack = stack;
    this.#outside = outside;
  }

  get size(): number {
    return this.#size;
  }

  arrived(stream: HostStream, from: Endpoint | undefined): HostStreamEvents {
    const { flows } = this.#outside;
    const address = this.#spec.guest();
    const own = address && ownAddress(address.length, this.#stack);
    if (address === undefined || own === undefined) return this.#turnAway(stream, 'forward-no-guest');
    if (flows.size >= MAX_FLOWS) return this.#turnAway(stream, 'tcp-flow-limit');
    const guest = { address, port: this.#spec.guestPort };
    const gateway = { address: own, port: 0 };
    const target = from === undefined ? this.at : { kind: 'tcp' as const, endpoint: from };
    const flow = new TcpFlow({ initiator: 'host', guest, peer: gateway, target }, this);
    flow.awaitOpening(new WaitingClient(flow, this.#header(from, guest), this.#outside.counters));
    flow.setStream(stream);
    flows.add(flow);
    this.#size++;
    // Where the client talks to this port of the guest by another forward already, the gateway stands for it.
    const isThere =
      (from !== undefined &&
        this.#spec.showsClient &&
        canBeShown(from, guest, this.#stack) &&
        this.#call(flow, from)) ||
      this.#call(flow, gateway);
    if (!isThere) {
      this.#outside.counters.add('forward-no-port');
      flow.giveUp();
    }
    return new HostSide(flow);
  }

  flowEnded(flow: TcpFlow, cause: TcpFlowEnd | undefined): void {
    this.#size--;
    this.#outside.flows.remove(flow);
    if (cause !== undefined) this.#outside.counters.add(cause);
  }

  #turnAway(stream: HostStream, reason: string): HostStreamEvents {
    this.#outside.counters.add(reason);
    stream.reset();
    return NOBODY;
  }

  /** Calls the guest; false where `peer` cannot: it, or every port of it, has a connection with the guest's port. */
  #call(flow: TcpFlow, peer: Endpoint): boolean {
    try {
      const connection = this.#stack.tcp.connect(peer, flow.guest, new GuestSide(flow));
      flow.peer = connection.local;
      flow.setConnection(connection);
      return true;
    } catch {
      return false;
    }
  }

  #header(client: Endpoint | undefined, guest: Endpoint): Uint8Array | undefined {
    const { at } = this;
    const { proxyProtocol } = this.#spec;
    if (proxyProtocol === undefined) return undefined;
    if (client === undefined || at.kind === 'unix') return proxyHeader(proxyProtocol, undefined);
    // a listener on every address does not know which one the client called
    const isEverywhere = at.endpoint.address.every((octet) => octet === 0);
    return proxyHeader(proxyProtocol, { source: client, destination: isEverywhere ? guest : at.endpoint });
  }
}

/** A client whose guest has not answered yet. */
class WaitingClient implements TcpOpening {
  readonly #flow: TcpFlow;
  readonly #header: Uint8Array | undefined;
  readonly #counters: Counters;

  constructor(flow: TcpFlow, header: Uint8Array | undefined, counters: Counters) {
    this.#flow = flow;
    this.#header = header;
    this.#counters = counters;
  }

  opened(): void {
    this.#flow.opened();
    if (this.#header !== undefined) this.#flow.greetGuest(this.#header);
    this.#flow.readHost();
  }

  failed(why: TcpEnd): void {
    this.#counters.add(`forward-guest-${why}`);
    this.#flow.giveUp();
  }

  abandoned(): void {
    // the flow has reset the client, which is all that it is told
  }
}

/** Hears nothing, of a stream that was reset. */
const NOBODY: HostStreamEvents = {
  opened: () => undefined,
  failed: () => undefined,
  received: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};

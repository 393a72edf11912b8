/**
 * A UDP port of the host whose clients reach a port of a guest: one port of a `hostfwd` rule.
 *
 * Each client is a flow of its own, so that the guest can tell clients apart and answer each: from the gateway's address and a port
 * that nobody else has, or from the client's own address and port where the rule shows it. A client of the host's loopback, or one whose
 * address is of the other family or means somebody else on the guest's network, is never shown. A flow ends when it is idle for five minutes (RFC 4787, REQ-5),
 * when others need the room, or when the guest says that nobody listens.
 */
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostDatagramSocket, HostIcmpError, HostNet } from '../base/host-net.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { Stack } from '../stack/stack.ts';
import type { UdpConversation, UdpEvents } from '../stack/udp-layer.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Flow, FlowTable } from './flow.ts';
import { guestDatagram, reportToGuest } from './guest-error.ts';
import type { IdleEntry } from './idle-table.ts';
import { IdleTable } from './idle-table.ts';
import { ownAddress } from './shown-address.ts';
import { canBeShown } from './shown-client.ts';

const IDLE_TIME: Millis = 300_000;
/** All clients have one owner, the forward. */
const LIMITS = { perOwner: 1024, total: 1024 };

export interface UdpForwardSpec {
  /** Where the host listens; port 0 asks for a free one. */
  readonly at: Endpoint;
  /** The guest's address now; undefined where nobody has it. */
  readonly guest: () => Uint8Array | undefined;
  readonly guestPort: number;
  readonly showsClient: boolean;
}

export interface UdpForwardOutside {
  readonly scheduler: Scheduler;
  readonly counters: Counters;
  readonly flows: FlowTable;
}

export interface UdpForward {
  /** Where it listens. */
  readonly at: Endpoint;
  /** Ends it and its flows. */
  close(): void;
}

/** Rejects with a `HostNetError` where the port cannot be had. */
export async function openUdpForward(
  spec: UdpForwardSpec,
  stack: Stack,
  net: HostNet,
  outside: UdpForwardOutside,
): Promise<UdpForward> {
  const clients = new Clients(spec, stack, outside);
  const socket = await net.bind(spec.at, {
    received: (payload, from) => clients.received(payload, from),
    refused: (error) => clients.refused(error),
  });
  clients.socket = socket;
  return {
    at: socket.local ?? spec.at,
    close: () => {
      clients.close();
      socket.close();
    },
  };
}

class Clients {
  /** Of the host; undefined until it is bound. */
  socket: HostDatagramSocket | undefined;
  readonly #spec: UdpForwardSpec;
  readonly #stack: Stack;
  readonly #outside: UdpForwardOutside;
  readonly #flows: IdleTable<number | string, ForwardFlow>;

  constructor(spec: UdpForwardSpec, stack: Stack, outside: UdpForwardOutside) {
    this.#spec = spec;
    this.#stack = stack;
    this.#outside = outside;
    this.#flows = new IdleTable(outside.scheduler, LIMITS, () => outside.counters.add('forward-client-limit'));
  }

  received(payload: Uint8Array, from: Endpoint): void {
    const key = keyOf(from);
    const flow = this.#flows.use(key) ?? this.#open(key, from);
    flow?.pass(payload);
  }

  refused(error: HostIcmpError): void {
    this.#flows.get(keyOf(error.to))?.passError(error);
  }

  close(): void {
    this.#flows.closeAll();
  }

  #open(key: number | string, client: Endpoint): ForwardFlow | undefined {
    const { counters, flows } = this.#outside;
    const guest = this.#spec.guest();
    const own = guest && ownAddress(guest.length, this.#stack);
    if (own === undefined || guest === undefined) {
      counters.add('forward-no-guest');
      return undefined;
    }
    const flow = new ForwardFlow(guest, this.#spec.guestPort, client, this.#stack, {
      answer: (payload) => void this.socket?.send(payload, client),
      used: () => this.#flows.use(key),
      refused: () => counters.add('forward-guest-refused'),
      closed: () => {
        this.#flows.remove(key, flow);
        flows.remove(flow);
      },
    });
    const gateway = { address: own, port: 0 };
    // Where the client talks to this port of the guest through another port of the host already, the gateway stands for it.
    if (
      !(this.#spec.showsClient && canBeShown(client, flow.guest, this.#stack) && flow.open(client)) &&
      !flow.open(gateway)
    ) {
      counters.add('forward-no-port');
      return undefined;
    }
    this.#flows.add(key, flow);
    flows.add(flow);
    return flow;
  }
}

interface ForwardEffects {
  answer(payload: Uint8Array): void;
  used(): void;
  refused(): void;
  closed(): void;
}

/** What one client says to the guest and hears from it. */
class ForwardFlow implements Flow, IdleEntry, UdpEvents {
  readonly protocol = 'udp';
  readonly initiator = 'host';
  readonly state = 'open';
  readonly owner = 0;
  readonly timeout = IDLE_TIME;
  readonly guest: Endpoint;
  /** The client. */
  readonly target: string;
  fromGuest = 0;
  toGuest = 0;
  readonly #stack: Stack;
  readonly #effects: ForwardEffects;
  #conversation: UdpConversation | undefined;

  constructor(address: Uint8Array, port: number, client: Endpoint, stack: Stack, effects: ForwardEffects) {
    this.guest = { address, port };
    this.target = formatEndpoint(client);
    this.#stack = stack;
    this.#effects = effects;
  }

  get peer(): Endpoint | undefined {
    return this.#conversation?.local;
  }

  /** Talks to the guest as `from`; false where that cannot be. */
  open(from: Endpoint): boolean {
    this.#conversation = this.#stack.udp.connect(from, this.guest, this);
    return this.#conversation !== undefined;
  }

  /** The client said this. */
  pass(payload: Uint8Array): void {
    this.toGuest += payload.length;
    this.#conversation?.send(payload);
  }

  /** The client does not hear the guest, and this is why. */
  passError(error: HostIcmpError): void {
    const peer = this.#conversation?.local;
    if (peer === undefined) return;
    reportToGuest(this.#stack, error, guestDatagram(this.guest, peer, error.quote));
  }

  received(payload: Uint8Array): void {
    this.#effects.used();
    this.fromGuest += payload.length;
    this.#effects.answer(payload);
  }

  /** Quietly: the client's next datagram tries again, perhaps with another guest. */
  refused(): void {
    this.#effects.refused();
    this.close();
  }

  close(): void {
    this.#conversation?.close();
    this.#effects.closed();
  }
}

function keyOf({ address, port }: Endpoint): number | string {
  return address.length === 4 ? readUint32(address, 0) * 0x1_0000 + port : `${address.join('.')} ${port}`;
}

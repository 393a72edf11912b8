/**
 * NAT of one gateway: conversations of guests with the world, and of the host with guests.
 *
 * Theory of operation. The stack ends every conversation itself; its layers hand over what no service listens to (`onUnclaimed`,
 * `onTransitEcho`). The policy says where a conversation may go, and there it goes on in a socket of the host: TCP by `TcpProxy`, UDP by
 * `UdpNat`, echo by `EchoNat`. Forwards begin on the host instead (`HostForwards`), or end at something of the host that stands at an
 * address of the network (`GuestForwards`). Each conversation is a `Flow` of one table, which lists it and can end it.
 *
 * Without a way out there are forwards only.
 */
import type { Counters } from '../base/counters.ts';
import type { HostNet } from '../base/host-net.ts';
import type { Scheduler } from '../base/time.ts';
import type { EgressConfig } from '../policy/egress.ts';
import { EgressPolicy } from '../policy/egress.ts';
import type { Stack } from '../stack/stack.ts';
import type { Ip } from '../wire/ip-address.ts';
import { EchoNat } from './echo-nat.ts';
import type { FlowListener } from './flow.ts';
import { FlowTable } from './flow.ts';
import type { GuestForward, HostForward } from './forward-spec.ts';
import { GuestForwards } from './guest-forwards.ts';
import { HostForwards } from './host-forwards.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { openUdpForward } from './udp-forward.ts';
import { UdpNat } from './udp-nat.ts';

export interface NatConfig {
  /** The way out; there is none where undefined. */
  readonly egress?: EgressConfig | undefined;
  /** The host's addresses that conversations leave from, one of a family; the system's choice where there is none. */
  readonly sources: readonly Uint8Array[];
  readonly hostForwards: readonly HostForward[];
  readonly guestForwards: readonly GuestForward[];
}

export interface NatOutside {
  readonly net: HostNet;
  readonly scheduler: Scheduler;
  readonly counters: Counters;
  /** The address that a machine of the lab has now. */
  readonly resolve: (name: string) => Ip | undefined;
  readonly onFlow?: FlowListener | undefined;
}

/** A part of NAT that takes what the stack hands over. */
interface Translator {
  start(): void;
  stop(): void;
}

export class Nat {
  readonly flows: FlowTable;
  readonly hostForwards: HostForwards;
  readonly #hostForwards: readonly HostForward[];
  readonly #translators: readonly Translator[];

  constructor({ egress, sources, hostForwards, guestForwards }: NatConfig, stack: Stack, outside: NatOutside) {
    const { net, scheduler, counters, resolve, onFlow } = outside;
    const flows = new FlowTable(onFlow);
    const shared = { stack, net, scheduler, counters, flows };
    this.flows = flows;
    this.#hostForwards = hostForwards;
    this.hostForwards = new HostForwards({
      ...shared,
      resolve,
      openUdp: (spec) => openUdpForward(spec, stack, net, { scheduler, counters, flows }),
    });
    const guestForward = new GuestForwards({ ...shared, forwards: guestForwards });
    const way = egress && {
      ...shared,
      policy: new EgressPolicy(egress, (address) => stack.isInside(address)),
      sources,
      nat64: egress.nat64,
    };
    const wayOut = way === undefined ? [] : [new TcpProxy(way), new UdpNat(way), new EchoNat(way)];
    this.#translators = [guestForward, ...wayOut];
  }

  /** Resolves when every forward listens; rejects with a `HostNetError` where one cannot. */
  async start(): Promise<void> {
    for (const translator of this.#translators) translator.start();
    for (const forward of this.#hostForwards) await this.hostForwards.add(forward);
  }

  /** Ends every conversation, TCP with resets both ways. */
  stop(): void {
    this.hostForwards.closeAll();
    for (const translator of this.#translators) translator.stop();
    this.flows.closeAll();
  }
}

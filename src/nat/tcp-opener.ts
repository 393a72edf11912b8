/**
 * Opens flows that a guest begins: its SYN is held until the other side is there, and is told the truth where it is not.
 *
 *     refused → RST                     network, host unreachable → ICMP 0, 1      prohibited → ICMP 13
 *     timeout → ICMP 1, after as much silence as the host had itself
 *     no descriptors → tried again for `DESCRIPTOR_PATIENCE`, then RST
 */
import type { Counters } from '../base/counters.ts';
import type { ConnectFailure, ConnectOptions, HostNet, HostStream } from '../base/host-net.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { TcpLayer, TcpRequest } from '../stack/tcp-layer.ts';
import type { FlowTable } from './flow.ts';
import type { GuestForward } from './forward-spec.ts';
import type { TcpFlowEnd, TcpFlowOwner, TcpOpening } from './tcp-flow.ts';
import { GuestSide, HostSide, TcpFlow } from './tcp-flow.ts';

export interface TcpOpenerOutside {
  readonly stack: { readonly tcp: TcpLayer; leadsTo(address: Uint8Array): boolean };
  readonly net: HostNet;
  readonly flows: FlowTable;
  readonly counters: Counters;
  readonly scheduler: Scheduler;
}

/** Where a guest's connection goes on. */
export type TcpTarget = GuestForward['to'];

/** Flows of a gateway; a guest's SYN beyond them is refused. */
export const MAX_FLOWS = 65_536;
/** SYNs that are held; those beyond are not answered, so that the guest tries again. */
const MAX_OPENING = 4096;
/** Processes at a time; a connection to a command beyond them is refused. */
const MAX_COMMANDS = 64;

/** How long a SYN waits for a descriptor, and how often one is tried for. */
const DESCRIPTOR_PATIENCE: Millis = 10_000;
const DESCRIPTOR_RETRY: Millis = 250;
/** Of those who wait, the longest waiting are tried each time. */
const RETRIES_AT_ONCE = 256;

export class TcpOpener implements TcpFlowOwner {
  readonly #outside: TcpOpenerOutside;
  readonly #timer: Timer;
  readonly #held = new Set<HeldRequest>();
  /** Those of `#held` that wait for a descriptor, in the order in which they are tried. */
  readonly #waiting = new Set<HeldRequest>();
  #commands = 0;

  constructor(outside: TcpOpenerOutside) {
    this.#outside = outside;
    this.#timer = outside.scheduler.timer(() => this.#retry());
  }

  /** Connects to `target` for the guest and answers its SYN by what comes of it. */
  open(request: TcpRequest, target: TcpTarget, options?: ConnectOptions): void {
    const { flows, counters, scheduler } = this.#outside;
    if (!this.#outside.stack.leadsTo(request.from.address)) {
      // No answer would find it.
      counters.add('tcp-foreign-source');
      request.ignore();
      return;
    }
    if (flows.size >= MAX_FLOWS) {
      counters.add('tcp-flow-limit');
      request.refuse();
      return;
    }
    if (this.#held.size >= MAX_OPENING) {
      counters.add('tcp-opening-limit');
      request.ignore();
      return;
    }
    if (target.kind === 'command' && this.#commands >= MAX_COMMANDS) {
      counters.add('guest-forward-busy');
      request.refuse();
      return;
    }
    if (target.kind === 'command') this.#commands++;
    const { from: guest, to: peer } = request;
    const shown = target.kind === 'command' ? target.command : target;
    const flow = new TcpFlow({ initiator: 'guest', guest, peer, target: shown }, this);
    const held = new HeldRequest(this, request, flow, target, options, scheduler.now() + DESCRIPTOR_PATIENCE);
    flow.awaitOpening(held);
    request.onCancel(() => held.cancel());
    flows.add(flow);
    this.#held.add(held);
    this.#connect(held);
  }

  flowEnded(flow: TcpFlow, cause: TcpFlowEnd | undefined): void {
    if (typeof flow.target === 'string') this.#commands--;
    this.#outside.flows.remove(flow);
    if (cause !== undefined) this.#outside.counters.add(cause);
  }

  /** The other side is there, or the request is answered otherwise. */
  settled(held: HeldRequest): void {
    this.#held.delete(held);
    this.#waiting.delete(held);
    if (this.#waiting.size === 0) this.#timer.cancel();
  }

  failed(held: HeldRequest, why: ConnectFailure): void {
    if (why === 'no-descriptors' && this.#outside.scheduler.now() < held.patienceEnds) {
      this.#waiting.add(held);
      if (this.#waiting.size === 1) this.#armRetry();
      return;
    }
    this.#outside.counters.add(why === 'no-descriptors' ? 'fd-limit' : `tcp-connect-${why}`);
    held.answer(why);
  }

  cancelled(): void {
    this.#outside.counters.add('tcp-connect-cancelled');
  }

  #retry(): void {
    let tried = 0;
    for (const held of [...this.#waiting]) {
      if (held.patienceEnds > this.#outside.scheduler.now() && tried++ >= RETRIES_AT_ONCE) continue;
      this.#waiting.delete(held);
      this.#connect(held);
    }
    if (this.#waiting.size > 0) this.#armRetry();
  }

  #armRetry(): void {
    this.#timer.arm(this.#outside.scheduler.now() + DESCRIPTOR_RETRY);
  }

  #connect({ flow, target, options }: HeldRequest): void {
    flow.setStream(this.#begin(target, new HostSide(flow), options));
  }

  #begin(target: TcpTarget, side: HostSide, options: ConnectOptions | undefined): HostStream {
    const { net } = this.#outside;
    return target.kind === 'command' ? net.run(target.command, side) : net.connect(target, side, options);
  }
}

/** A guest's SYN that is not answered yet. */
class HeldRequest implements TcpOpening {
  readonly flow: TcpFlow;
  readonly target: TcpTarget;
  readonly options: ConnectOptions | undefined;
  readonly patienceEnds: Millis;
  readonly #opener: TcpOpener;
  readonly #request: TcpRequest;

  constructor(
    opener: TcpOpener,
    request: TcpRequest,
    flow: TcpFlow,
    target: TcpTarget,
    options: ConnectOptions | undefined,
    patienceEnds: Millis,
  ) {
    this.#opener = opener;
    this.#request = request;
    this.flow = flow;
    this.target = target;
    this.options = options;
    this.patienceEnds = patienceEnds;
  }

  opened(): void {
    this.#opener.settled(this);
    this.flow.opened();
    this.flow.setConnection(this.#request.accept(new GuestSide(this.flow)));
  }

  failed(why: ConnectFailure): void {
    this.#opener.failed(this, why);
  }

  abandoned(): void {
    this.#opener.settled(this);
    this.#request.refuse();
  }

  /** Answers the SYN of a flow that does not open. */
  answer(why: ConnectFailure): void {
    this.#opener.settled(this);
    this.flow.giveUp();
    switch (why) {
      case 'refused':
      case 'no-such-file':
      case 'no-descriptors':
        this.#request.refuse();
        break;
      case 'network-unreachable':
        this.#request.unreachable('network');
        break;
      case 'prohibited':
        this.#request.unreachable('prohibited');
        break;
      case 'host-unreachable':
      case 'timeout':
      case 'other':
        this.#request.unreachable('host');
        break;
    }
  }

  /** The guest gave up, or the layer needed the room. */
  cancel(): void {
    this.#opener.settled(this);
    this.#opener.cancelled();
    this.flow.giveUp();
  }
}

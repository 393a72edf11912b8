/**
 * Echo requests of guests to the world, RFC 5508.
 *
 * Theory of operation. Each address and identifier of a guest has a source of echo requests of the host's own, which has an identifier
 * of its own (REQ-1); replies come back with the guest's. Errors about a request are told to the guest with the request itself (REQ-4):
 * the last few are remembered for that. Time to live is the guest's, so that `traceroute -I` works. Where the host has no way to
 * send echo requests there are no replies, and none is made up.
 *
 * A request that the policy refuses is answered by `communication administratively prohibited`: RFC 1812, 4.3.2.7 forbids errors
 * about errors, not about queries, and 5.2.7.1 has this code for what a router is configured to keep back.
 */
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { HostEcho, HostEchoEvents, HostIcmpError, HostNet } from '../base/host-net.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { EgressPolicy } from '../policy/egress.ts';
import type { EchoRequest } from '../stack/icmp-layer.ts';
import type { Stack } from '../stack/stack.ts';
import { emitIcmpv4, ICMPV4_ECHO_REQUEST, ICMPV4_HEADER_LENGTH } from '../wire/icmpv4.ts';
import { PROTOCOL_ICMP } from '../wire/ipv4.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Flow, FlowTable } from './flow.ts';
import { reportToGuest } from './guest-error.ts';
import type { IdleEntry } from './idle-table.ts';
import { IdleTable } from './idle-table.ts';

/** RFC 5508, REQ-2: sixty seconds at least. */
const IDLE_TIME: Millis = 60_000;
const LIMITS = { perOwner: 64, total: 512 };

/** `traceroute -I` has sixteen requests on their way. */
const REMEMBERED_REQUESTS = 32;
/** Octets of an echo message that are kept for an error about it: a host is owed eight (RFC 792). */
const REMEMBERED_OCTETS = 64;

export interface EchoNatOptions {
  readonly stack: Stack;
  readonly net: HostNet;
  readonly policy: EgressPolicy;
  readonly flows: FlowTable;
  readonly counters: Counters;
  readonly scheduler: Scheduler;
}

export class EchoNat {
  readonly #options: EchoNatOptions;
  readonly #queries: IdleTable<number, EchoQueries>;

  constructor(options: EchoNatOptions) {
    this.#options = options;
    this.#queries = new IdleTable(options.scheduler, LIMITS, () => options.counters.add('echo-limit'));
  }

  start(): void {
    this.#options.stack.icmp.onTransitEcho((request) => this.#take(request));
  }

  stop(): void {
    this.#options.stack.icmp.onTransitEcho(undefined);
    this.#queries.closeAll();
  }

  #take(request: EchoRequest): 'taken' | 'prohibited' {
    const { policy, counters } = this.#options;
    const verdict = policy.decide('echo', { address: request.to, port: 0 });
    if (verdict.kind === 'refused') {
      counters.add(verdict.reason);
      return 'prohibited';
    }
    const key = readUint32(request.from, 0) * 0x1_0000 + request.identifier;
    const queries = this.#queries.use(key) ?? this.#open(key, request);
    queries?.send(request);
    return 'taken';
  }

  #open(key: number, { from, identifier }: EchoRequest): EchoQueries | undefined {
    const { stack, counters, flows } = this.#options;
    if (!stack.leadsTo(from)) {
      counters.add('echo-foreign-source');
      return undefined;
    }
    const queries = new EchoQueries({ address: from, port: identifier }, this.#options, () =>
      this.#queries.remove(key, queries),
    );
    this.#queries.add(key, queries);
    flows.add(queries);
    return queries;
  }
}

/** An echo request on its way. */
interface Remembered {
  readonly to: Ipv4;
  readonly sequence: number;
  /** The message's first octets. */
  readonly start: Uint8Array;
  /** Octets of the whole message. */
  readonly length: number;
}

/** Everything that a guest asks under one identifier. */
class EchoQueries implements Flow, IdleEntry, HostEchoEvents {
  readonly protocol = 'echo';
  readonly initiator = 'guest';
  readonly state = 'open';
  readonly timeout = IDLE_TIME;
  /** The identifier has the place of the port. */
  readonly guest: Endpoint;
  readonly owner: Ipv4;
  fromGuest = 0;
  toGuest = 0;
  peer: Endpoint | undefined;
  readonly #options: EchoNatOptions;
  readonly #onClose: () => void;
  readonly #echo: HostEcho;
  /** Oldest first. */
  readonly #requests: Remembered[] = [];
  #hasSeveralPeers = false;

  constructor(guest: Endpoint, options: EchoNatOptions, onClose: () => void) {
    this.guest = guest;
    this.owner = readUint32(guest.address, 0);
    this.#options = options;
    this.#onClose = onClose;
    this.#echo = options.net.echo(4, this);
  }

  get target(): undefined {
    return undefined;
  }

  send(request: EchoRequest): void {
    const { to, ttl, sequence, payload } = request;
    this.#remember(request);
    this.#notePeer(to);
    this.fromGuest += payload.length;
    this.#echo.send(to, sequence, payload, ttl - 1);
  }

  #remember({ to, identifier, sequence, payload }: EchoRequest): void {
    const length = ICMPV4_HEADER_LENGTH + payload.length;
    const start = new Uint8Array(Math.min(length, REMEMBERED_OCTETS));
    const at = emitIcmpv4({ type: ICMPV4_ECHO_REQUEST, code: 0, identifier, sequence }, payload, start, 0);
    start.set(payload.subarray(0, start.length - at), at);
    this.#requests.push({ to: readUint32(to, 0), sequence, start, length });
    if (this.#requests.length > REMEMBERED_REQUESTS) this.#requests.shift();
  }

  #notePeer(to: Uint8Array): void {
    if (this.peer !== undefined && readUint32(this.peer.address, 0) !== readUint32(to, 0)) this.#hasSeveralPeers = true;
    this.peer = this.#hasSeveralPeers ? undefined : (this.peer ?? { address: to, port: 0 });
  }

  replied(from: Uint8Array, sequence: number, payload: Uint8Array, ttl: number | undefined): void {
    const { stack, counters } = this.#options;
    if (stack.isInside(from)) {
      counters.add('echo-ambiguous-source');
      return;
    }
    this.toGuest += payload.length;
    // A router between: the reply has one hop less to live (RFC 1812, 5.3.1).
    const left = ttl === undefined ? undefined : Math.max(1, ttl - 1);
    stack.icmp.replyEcho({ from, to: this.guest.address, ttl: left, identifier: this.guest.port, sequence, payload });
  }

  refused(sequence: number, error: HostIcmpError): void {
    const { stack, counters } = this.#options;
    const destination = readUint32(error.to.address, 0);
    const request = this.#requests.findLast((other) => other.sequence === sequence && other.to === destination);
    const isPassed =
      request !== undefined &&
      reportToGuest(stack, error, {
        source: this.guest.address,
        destination: error.to.address,
        protocol: PROTOCOL_ICMP,
        payload: request.start,
        length: request.length,
      });
    if (!isPassed) counters.add('icmp-not-passed');
  }

  close(): void {
    this.#echo.close();
    this.#onClose();
    this.#options.flows.remove(this);
  }
}

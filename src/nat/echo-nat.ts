/**
 * Echo requests of guests to the world, RFC 5508.
 *
 * Theory of operation. Each address and identifier of a guest has a source of echo requests of the host's own, which has an identifier
 * of its own (REQ-1); replies come back with the guest's. Errors about a request are told to the guest with the request itself (REQ-4):
 * the last few are remembered for that. Time to live is the guest's, so that `traceroute -I` works. Where the host has no way to
 * send echo requests there are no replies, and none is made up. What a guest asks of IPv4 behind NAT64's prefix leaves as ICMP and
 * comes back as ICMPv6 (RFC 7915, 4.2 and 5.2).
 *
 * A request that the policy refuses is answered by `communication administratively prohibited`: RFC 1812, 4.3.2.7 forbids errors
 * about errors, not about queries, and 5.2.7.1 has this code for what a router is configured to keep back.
 */
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { isSameAddress } from '../base/endpoint.ts';
import type { HostEcho, HostEchoEvents, HostIcmpError, HostNet } from '../base/host-net.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { EgressPolicy } from '../policy/egress.ts';
import type { EchoRequest } from '../stack/icmp-layer.ts';
import { pseudoHeaderBetween } from '../stack/ip-packet.ts';
import type { Stack } from '../stack/stack.ts';
import { emitIcmpv4, ICMPV4_ECHO_REQUEST, ICMPV4_HEADER_LENGTH } from '../wire/icmpv4.ts';
import { emitIcmpv6Around, ICMPV6_ECHO_REQUEST } from '../wire/icmpv6.ts';
import { PROTOCOL_ICMP } from '../wire/ipv4.ts';
import { NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import type { Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6Key } from '../wire/ipv6-address.ts';
import { readUint32 } from '../wire/octets.ts';
import type { Flow, FlowTable } from './flow.ts';
import { reportToGuest } from './guest-error.ts';
import type { IdleEntry } from './idle-table.ts';
import { IdleTable } from './idle-table.ts';
import { shownAddress } from './shown-address.ts';

/** RFC 5508, REQ-2: sixty seconds at least. */
const IDLE_TIME: Millis = 60_000;
const LIMITS = { perOwner: 64, total: 512 };

/** `traceroute -I` has sixteen requests on their way. */
const REMEMBERED_REQUESTS = 32;
/** Octets of an echo message that are kept for an error about it: a host is owed eight (RFC 792). */
const REMEMBERED_OCTETS = 64;
/** Of an echo message, in both families. */
const HEADER_LENGTH = ICMPV4_HEADER_LENGTH;

export interface EchoNatOptions {
  readonly stack: Stack;
  readonly net: HostNet;
  readonly policy: EgressPolicy;
  readonly flows: FlowTable;
  readonly counters: Counters;
  readonly scheduler: Scheduler;
  /** Behind this prefix lies IPv4. */
  readonly nat64?: Ipv6Prefix | undefined;
}

export class EchoNat {
  readonly #options: EchoNatOptions;
  readonly #queries: IdleTable<QueriesKey, EchoQueries>;

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
    const { address: target } = verdict.to;
    const family = target.length === 4 ? 4 : 6;
    const key = keyOf(request, family);
    const queries = this.#queries.use(key) ?? this.#open(key, request, family);
    queries?.send(request, target);
    return 'taken';
  }

  #open(key: QueriesKey, { from, identifier }: EchoRequest, family: 4 | 6): EchoQueries | undefined {
    const { stack, counters, flows } = this.#options;
    if (!stack.leadsTo(from)) {
      counters.add('echo-foreign-source');
      return undefined;
    }
    const queries = new EchoQueries({ address: from, port: identifier }, family, this.#options, () =>
      this.#queries.remove(key, queries),
    );
    this.#queries.add(key, queries);
    flows.add(queries);
    return queries;
  }
}

/** A number for an address and identifier of IPv4, a text for one of IPv6, with the family of where the requests go. */
type QueriesKey = number | string;

function keyOf({ from, identifier }: EchoRequest, family: 4 | 6): QueriesKey {
  if (from.length === 4) return readUint32(from, 0) * 0x1_0000 + identifier;
  return `${ipv6Key(from)}${String.fromCharCode(identifier)}${family}`;
}

/** An echo request on its way. */
interface Remembered {
  /** Where it goes, as the guest and as the host see it. */
  readonly to: Uint8Array;
  readonly target: Uint8Array;
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
  readonly owner: number | string;
  fromGuest = 0;
  toGuest = 0;
  peer: Endpoint | undefined;
  readonly #options: EchoNatOptions;
  readonly #onClose: () => void;
  readonly #echo: HostEcho;
  /** Oldest first. */
  readonly #requests: Remembered[] = [];
  #hasSeveralPeers = false;

  constructor(guest: Endpoint, family: 4 | 6, options: EchoNatOptions, onClose: () => void) {
    this.guest = guest;
    this.owner = guest.address.length === 4 ? readUint32(guest.address, 0) : ipv6Key(guest.address);
    this.#options = options;
    this.#onClose = onClose;
    this.#echo = options.net.echo(family, this);
  }

  get target(): undefined {
    return undefined;
  }

  /** `target`: where the request goes, as the host sees it. */
  send(request: EchoRequest, target: Uint8Array): void {
    const { to, ttl, sequence, payload } = request;
    this.#remember(request, target);
    this.#notePeer(to);
    this.fromGuest += payload.length;
    this.#echo.send(target, sequence, payload, ttl - 1);
  }

  #remember(request: EchoRequest, target: Uint8Array): void {
    const { to, sequence, payload } = request;
    const length = HEADER_LENGTH + payload.length;
    const start = new Uint8Array(Math.min(length, REMEMBERED_OCTETS));
    const at = emitRequest(request, length, start);
    start.set(payload.subarray(0, start.length - at), at);
    this.#requests.push({ to, target, sequence, start, length });
    if (this.#requests.length > REMEMBERED_REQUESTS) this.#requests.shift();
  }

  #notePeer(to: Uint8Array): void {
    if (this.peer !== undefined && !isSameAddress(this.peer.address, to)) this.#hasSeveralPeers = true;
    this.peer = this.#hasSeveralPeers ? undefined : (this.peer ?? { address: to, port: 0 });
  }

  replied(host: Uint8Array, sequence: number, payload: Uint8Array, ttl: number | undefined): void {
    const { stack, counters, nat64 } = this.#options;
    const from = shownAddress(host, this.guest.address, stack, nat64);
    if (from === undefined) {
      counters.add('echo-ambiguous-source');
      return;
    }
    this.toGuest += payload.length;
    // A router between: the reply has one hop less to live (RFC 1812, 5.3.1).
    const left = ttl === undefined ? undefined : Math.max(1, ttl - 1);
    stack.icmp.replyEcho({ from, to: this.guest.address, ttl: left, identifier: this.guest.port, sequence, payload });
  }

  refused(sequence: number, error: HostIcmpError): void {
    const { stack, counters, nat64 } = this.#options;
    const { address: source } = this.guest;
    const protocol = source.length === 4 ? PROTOCOL_ICMP : NEXT_HEADER_ICMPV6;
    const isMeant = (other: Remembered) => other.sequence === sequence && isSameAddress(other.target, error.to.address);
    const request = this.#requests.findLast(isMeant);
    const packet = request && {
      source,
      destination: request.to,
      protocol,
      payload: request.start,
      length: request.length,
    };
    if (packet === undefined || !reportToGuest(stack, error, packet, nat64)) counters.add('icmp-not-passed');
  }

  close(): void {
    this.#echo.close();
    this.#onClose();
    this.#options.flows.remove(this);
  }
}

/** Writes the header of a request as the guest sent it, the checksum over all `length` octets of it; returns where the payload starts. */
function emitRequest(
  { from, to, identifier, sequence, payload }: EchoRequest,
  length: number,
  out: Uint8Array,
): number {
  if (from.length === 4)
    return emitIcmpv4({ type: ICMPV4_ECHO_REQUEST, code: 0, identifier, sequence }, payload, out, 0);
  const header = { type: ICMPV6_ECHO_REQUEST, code: 0, parameter: identifier * 0x1_0000 + sequence };
  return emitIcmpv6Around(header, payload, pseudoHeaderBetween(from, to, NEXT_HEADER_ICMPV6, length), out, 0);
}

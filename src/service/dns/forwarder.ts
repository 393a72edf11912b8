/**
 * Asks name servers on behalf of clients.
 *
 * Theory of operation. A question is the name, type and class with the bits that change its answer. It is looked up in the cache, joins
 * the same question that is under way, or is sent: to each server of its domain in order, again and again, until one answers or
 * `QUERY_TIMEOUT` is over. A server that is silent or refuses is asked last for a while; one that answers that it failed is left out and
 * its answer kept for the case that no other does better. Truncated answers are asked for again over TCP. What was heard is passed on
 * octet by octet, but for EDNS, which is each hop's own.
 *
 * All attempts have the same time, so the oldest attempt is always the next to fail: one timer serves them all.
 */
import { type Random, randomUint32 } from '../../base/chance.ts';
import type { Counters } from '../../base/counters.ts';
import type { HostNet } from '../../base/host-net.ts';
import type { HostResolvers } from '../../base/resolvers.ts';
import type { Millis, Scheduler, Timer } from '../../base/time.ts';
import type { DnsAnswer } from '../../wire/dns-message.ts';
import { DNS_FLAG, DNS_HEADER_LENGTH, parseDnsAnswer, RCODE, RCODE_BAD_VERSION } from '../../wire/dns-message.ts';
import { emitDnsQuery, OUR_UDP_LENGTH } from '../../wire/dns-response.ts';
import type { CachedAnswer } from './cache.ts';
import { DnsCache } from './cache.ts';
import type { DnsConfig } from './dns-config.ts';
import type { UpstreamServer } from './servers.ts';
import { bury, Servers } from './servers.ts';
import type { Sent, Waiting } from './upstream-sockets.ts';
import { UpstreamSockets } from './upstream-sockets.ts';
import { askOverStream } from './upstream-stream.ts';

/** A server that does not answer for this long is silent. */
const ATTEMPT_TIMEOUT: Millis = 2000;
/** All attempts together. */
const QUERY_TIMEOUT: Millis = 10_000;
/** Questions under way, and clients that wait for them. */
export const QUESTION_LIMIT = 2048;
export const WAITER_LIMIT = 8192;
/** After this long without questions no socket stays open. */
const IDLE: Millis = 30_000;

/** What a client's query and its answer have in common. */
export interface Question {
  /** Name, type and class in octets. */
  readonly question: Uint8Array;
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly flags: number;
  readonly isDnssecOk: boolean;
}

/** Undefined: nobody answered, or there was no room to ask. */
export type OnAnswer = (answer: CachedAnswer | undefined) => void;

export interface ForwarderOutside {
  readonly net: HostNet;
  readonly resolvers: HostResolvers;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly counters: Counters;
}

/** A question under way. */
interface Exchange {
  readonly key: string;
  readonly question: Question;
  readonly waiters: OnAnswer[];
  /** Still to be asked; the first is being asked. */
  servers: UpstreamServer[];
  readonly ends: Millis;
  attemptEnds: Millis;
  waiting: Waiting | undefined;
  /** The best of answers that are no help. */
  failure: DnsAnswer | undefined;
}

/** Bits of a query that its answer depends on. */
const ASKED_FLAGS = DNS_FLAG.recursionDesired | DNS_FLAG.authenticData | DNS_FLAG.checkingDisabled;

export class Forwarder {
  readonly #outside: ForwarderOutside;
  readonly #servers: Servers;
  readonly #cache = new DnsCache();
  readonly #sockets: UpstreamSockets;
  readonly #exchanges = new Map<string, Exchange>();
  /** In the order of their attempts' ends. */
  readonly #attempts = new Set<Exchange>();
  readonly #timer: Timer;
  readonly #idle: Timer;
  #isTimed = false;
  #waiters = 0;
  #lastAsked: Millis = Number.NEGATIVE_INFINITY;
  #isIdleTimed = false;

  constructor(config: Pick<DnsConfig, 'routes' | 'upstream'>, outside: ForwarderOutside) {
    this.#outside = outside;
    this.#servers = new Servers(config, outside.resolvers);
    this.#sockets = new UpstreamSockets(outside.net, outside.random, () =>
      outside.counters.add('dns-unexpected-response'),
    );
    this.#timer = outside.scheduler.timer(() => this.#expire());
    this.#idle = outside.scheduler.timer(() => this.#closeIdle());
  }

  /** Asks; `onAnswer` is called once, before the call returns where the answer is known. */
  ask(question: Question, onAnswer: OnAnswer): void {
    const { counters, scheduler } = this.#outside;
    const now = scheduler.now();
    const key = keyOf(question);
    const cached = this.#cache.find(key, now);
    if (cached !== undefined) {
      counters.add('dns-cache-hits');
      onAnswer(cached);
      return;
    }
    const underWay = this.#exchanges.get(key);
    if (this.#waiters >= WAITER_LIMIT || (underWay === undefined && this.#exchanges.size >= QUESTION_LIMIT)) {
      counters.add('dns-busy');
      onAnswer(undefined);
      return;
    }
    this.#waiters++;
    if (underWay !== undefined) {
      counters.add('dns-joined');
      underWay.waiters.push(onAnswer);
      return;
    }
    const exchange: Exchange = {
      key,
      question,
      waiters: [onAnswer],
      servers: [...this.#servers.for(question.name, now)],
      ends: now + QUERY_TIMEOUT,
      attemptEnds: 0,
      waiting: undefined,
      failure: undefined,
    };
    this.#exchanges.set(key, exchange);
    this.#lastAsked = now;
    this.#armIdle();
    this.#attempt(exchange);
  }

  /** Sends the question to the first of its servers. */
  #attempt(exchange: Exchange): void {
    const { counters, scheduler } = this.#outside;
    const [server] = exchange.servers;
    const now = scheduler.now();
    if (server === undefined || now >= exchange.ends) {
      this.#fail(exchange, now);
      return;
    }
    counters.add('dns-forwarded');
    this.#await(exchange, now);
    exchange.waiting = this.#sockets.send(messageOf(exchange.question, server), {
      server: server.endpoint,
      received: (bytes) => this.#received(exchange, server, bytes, false),
      refused: () => this.#refused(exchange, server),
    });
  }

  #attemptOverStream(exchange: Exchange, server: UpstreamServer): void {
    const { net, random, counters, scheduler } = this.#outside;
    counters.add('dns-forwarded-over-tcp');
    this.#await(exchange, scheduler.now());
    const sent: Sent = {
      server: server.endpoint,
      received: (bytes) => this.#received(exchange, server, bytes, true),
      refused: () => this.#refused(exchange, server),
    };
    const id = randomUint32(random) & 0xffff;
    exchange.waiting = askOverStream(net, messageOf(exchange.question, server), id, sent);
  }

  /** An attempt begins: it is the last to end. */
  #await(exchange: Exchange, now: Millis): void {
    exchange.waiting?.forget();
    exchange.waiting = undefined;
    exchange.attemptEnds = now + ATTEMPT_TIMEOUT;
    this.#attempts.delete(exchange);
    this.#attempts.add(exchange);
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#timer.arm(exchange.attemptEnds);
  }

  /** What is attempted meanwhile ends later than what is left: the timer stays this call's to arm. */
  #expire(): void {
    const now = this.#outside.scheduler.now();
    for (const exchange of this.#attempts) {
      if (exchange.attemptEnds > now) {
        this.#timer.arm(exchange.attemptEnds);
        return;
      }
      this.#outside.counters.add('dns-upstream-timeout');
      // The silent server is asked again when all others were.
      const silent = exchange.servers.shift()!;
      bury(silent, now);
      exchange.servers.push(silent);
      this.#attempt(exchange);
    }
    this.#isTimed = false;
  }

  /** False where it is no answer to the question. */
  #received(exchange: Exchange, server: UpstreamServer, bytes: Uint8Array, isOverStream: boolean): boolean {
    const answer = parseDnsAnswer(bytes, exchange.question.question);
    if (typeof answer === 'string') return false;
    server.deadUntil = Number.NEGATIVE_INFINITY;
    const { rcode } = answer;
    if (!server.isPlain && !answer.hasEdns && isWithoutEdns(rcode)) {
      // RFC 6891, 6.2.2: it does not know EDNS.
      server.isPlain = true;
      this.#attempt(exchange);
    } else if (answer.isTruncated && !isOverStream) {
      this.#attemptOverStream(exchange, server);
    } else if (rcode === RCODE.noError || rcode === RCODE.nameError) {
      const now = this.#outside.scheduler.now();
      this.#cache.keep(exchange.key, answer, now);
      this.#finish(exchange, { answer, since: now, expires: now });
    } else {
      if (rcode < RCODE_BAD_VERSION) exchange.failure ??= answer;
      exchange.servers.shift();
      this.#attempt(exchange);
    }
    return true;
  }

  /** Nobody listens there, or TCP failed: it is not asked again for this question. */
  #refused(exchange: Exchange, server: UpstreamServer): void {
    this.#outside.counters.add('dns-upstream-refused');
    bury(server, this.#outside.scheduler.now());
    exchange.servers.shift();
    this.#attempt(exchange);
  }

  #fail(exchange: Exchange, now: Millis): void {
    const { counters } = this.#outside;
    counters.add('dns-upstream-failed');
    const stale = this.#cache.findStale(exchange.key, now);
    if (stale !== undefined) {
      counters.add('dns-stale');
      this.#finish(exchange, stale);
      return;
    }
    const { failure } = exchange;
    if (failure?.rcode === RCODE.serverFailure) this.#cache.keepFailure(exchange.key, failure, now);
    this.#finish(exchange, failure && { answer: failure, since: now, expires: now });
  }

  #finish(exchange: Exchange, answer: CachedAnswer | undefined): void {
    exchange.waiting?.forget();
    this.#exchanges.delete(exchange.key);
    this.#attempts.delete(exchange);
    this.#waiters -= exchange.waiters.length;
    for (const onAnswer of exchange.waiters) onAnswer(answer);
  }

  #armIdle(): void {
    if (this.#isIdleTimed) return;
    this.#isIdleTimed = true;
    this.#idle.arm(this.#lastAsked + IDLE);
  }

  #closeIdle(): void {
    this.#isIdleTimed = false;
    if (this.#outside.scheduler.now() < this.#lastAsked + IDLE) this.#armIdle();
    else this.#sockets.closeIdle();
  }

  /** Gives up all questions; nobody is answered. */
  stop(): void {
    this.#timer.cancel();
    this.#idle.cancel();
    this.#isTimed = false;
    this.#isIdleTimed = false;
    for (const exchange of this.#exchanges.values()) exchange.waiting?.forget();
    this.#exchanges.clear();
    this.#attempts.clear();
    this.#waiters = 0;
    this.#sockets.close();
    this.#cache.clear();
  }

  statistics(): ForwarderStatistics {
    return {
      cacheEntries: this.#cache.size,
      cacheOctets: this.#cache.octets,
      questions: this.#exchanges.size,
      waiters: this.#waiters,
      sockets: this.#sockets.open,
      deadServers: this.#servers.dead(this.#outside.scheduler.now()),
    };
  }
}

export interface ForwarderStatistics {
  readonly cacheEntries: number;
  readonly cacheOctets: number;
  /** Under way. */
  readonly questions: number;
  /** Clients that wait for them. */
  readonly waiters: number;
  /** UDP sockets towards name servers. */
  readonly sockets: number;
  readonly deadServers: number;
}

function keyOf({ name, type, class: klass, flags, isDnssecOk }: Question): string {
  return `${((flags & ASKED_FLAGS) << 1) | (isDnssecOk ? 1 : 0)}/${type}/${klass}/${name}`;
}

function messageOf({ question, flags, isDnssecOk }: Question, { isPlain }: UpstreamServer): Uint8Array {
  const out = new Uint8Array(DNS_HEADER_LENGTH + question.length + 11);
  const edns = isPlain ? undefined : { udpLength: OUR_UDP_LENGTH, version: 0, isDnssecOk };
  return out.subarray(0, emitDnsQuery({ id: 0, flags: flags & ASKED_FLAGS, question, edns }, out, 0));
}

function isWithoutEdns(rcode: number): boolean {
  return rcode === RCODE.formatError || rcode === RCODE.notImplemented;
}

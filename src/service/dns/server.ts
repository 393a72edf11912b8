/**
 * The name server of a network: it answers for the machines of its network and for the lab file's records, and asks the host's name
 * servers about the rest.
 *
 * Theory of operation. Each query is judged (its form, its class, who asks), then answered from the local zone, or handed to the
 * forwarder, which answers at once from its cache. Answers to datagrams are as long as the client takes them and one packet of the
 * network carries: the path is this one link, whose MTU is known, so the 1232 octets that suit unknown paths need not bound them. What is
 * longer is truncated, and the client comes again over TCP (`streams.ts`).
 *
 * Limits: those of the forwarder's questions and of the cache, of connections, and of queries of one connection. Only machines of the
 * network are answered, so the server reflects nothing to others.
 */
import type { Random } from '../../base/chance.ts';
import type { Counters } from '../../base/counters.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import type { HostNet } from '../../base/host-net.ts';
import type { Log } from '../../base/log.ts';
import type { HostResolvers } from '../../base/resolvers.ts';
import type { Scheduler } from '../../base/time.ts';
import type { Stack } from '../../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../../stack/udp-layer.ts';
import { decodeAnswers, encodeName } from '../../wire/dns.ts';
import type { DnsQuery } from '../../wire/dns-message.ts';
import {
  CLASS_IN,
  DNS_FLAG,
  DNS_HEADER_LENGTH,
  DNS_MAX_LENGTH,
  DNS_MIN_UDP_LENGTH,
  DNS_PORT,
  DNS_TYPE,
  dnsFlags,
  opcodeOf,
  parseDnsQuery,
  RCODE,
  RCODE_BAD_VERSION,
} from '../../wire/dns-message.ts';
import { type DnsSections, emitDnsAnswer, emitDnsFailure, emitDnsSections } from '../../wire/dns-response.ts';
import { IPV4_HEADER_LENGTH } from '../../wire/ipv4.ts';
import { type Ipv4Interface, ipv4Octets } from '../../wire/ipv4-address.ts';
import { IPV6_HEADER_LENGTH } from '../../wire/ipv6.ts';
import type { Ipv6Prefix } from '../../wire/ipv6-address.ts';
import { writeUint16 } from '../../wire/octets.ts';
import { UDP_HEADER_LENGTH } from '../../wire/udp.ts';
import type { Service } from '../service.ts';
import { ageOf, type CachedAnswer } from './cache.ts';
import type { DnsClient } from './client.ts';
import type { DnsConfig, LabNames } from './dns-config.ts';
import { isForDns64, standsWithoutDns64, synthesized } from './dns64.ts';
import { Forwarder, type ForwarderStatistics } from './forwarder.ts';
import { type LocalAnswer, LocalZone } from './local-zone.ts';
import { DnsStreams } from './streams.ts';

/** What a name server needs from outside. */
export interface DnsOutside {
  readonly net: HostNet;
  /** Who is asked where the configuration names nobody. */
  readonly resolvers: HostResolvers;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Queries and what became of them, by name. */
  readonly counters: Counters;
  readonly log: Log;
}

export interface DnsStatistics extends ForwarderStatistics {
  /** Of clients, over TCP. */
  readonly connections: number;
}

/** What TCP puts before each message. */
const LENGTH_PREFIX = 2;

/** What was found out about a question; `cached` is another server's answer as it came. */
interface Found {
  readonly sections: DnsSections;
  readonly cached?: CachedAnswer | undefined;
}

const NOTHING: LocalAnswer = { rcode: RCODE.noError, isAuthoritative: false, answers: [], authorities: [] };
const FAILED: DnsSections = { rcode: RCODE.serverFailure, isAuthoritative: false, answers: [], authorities: [] };

export class DnsServer implements Service {
  readonly name = 'dns';
  readonly #addresses: readonly Uint8Array[];
  readonly #outside: DnsOutside;
  readonly #interface: Ipv4Interface | undefined;
  readonly #names: LabNames;
  #zone: LocalZone;
  #nat64: Ipv6Prefix | undefined;
  #forwarder: Forwarder;
  readonly #streams: DnsStreams;
  /** The answer that is being written. */
  readonly #out = new Uint8Array(LENGTH_PREFIX + DNS_MAX_LENGTH + 16);
  #stack: Stack | undefined;
  #sockets: readonly UdpSocket[] = [];

  constructor(config: DnsConfig, at: Ipv4Interface | undefined, names: LabNames, outside: DnsOutside) {
    const { address, ipv6 } = config;
    this.#addresses = [
      ...(address === undefined ? [] : [ipv4Octets(address)]),
      ...(ipv6 === undefined ? [] : [ipv6.address]),
    ];
    this.#nat64 = ipv6?.nat64;
    this.#outside = outside;
    this.#interface = at;
    this.#names = names;
    this.#zone = this.#zoneOf(config);
    this.#forwarder = new Forwarder(config, outside);
    this.#streams = new DnsStreams(outside, (bytes, client) => this.#query(bytes, client));
  }

  /** Answers by this from now on, at the same address. Questions that wait for other servers are asked again by who asked. */
  configure(config: DnsConfig): void {
    this.#nat64 = config.ipv6?.nat64;
    this.#zone = this.#zoneOf(config);
    this.#forwarder.stop();
    this.#forwarder = new Forwarder(config, this.#outside);
  }

  #zoneOf(config: DnsConfig): LocalZone {
    const zone = new LocalZone(config, this.#interface, this.#names);
    for (const { type, name } of zone.unusable)
      this.#outside.log({
        event: 'dns-record-unusable',
        message: `the ${type} record of ${name} cannot be written`,
        record: name,
      });
    return zone;
  }

  start(stack: Stack): void {
    this.#stack = stack;
    this.#sockets = this.#addresses.map((address) => {
      const headers = (address.length === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH) + UDP_HEADER_LENGTH;
      const limit = Math.max(DNS_MIN_UDP_LENGTH, stack.mtu - headers);
      const answer = (to: Endpoint, bytes: Uint8Array) => socket.send(to, bytes, { source: address });
      const socket = stack.udp.open(DNS_PORT, (datagram) => this.#receive(datagram, limit, answer), { address });
      return socket;
    });
    this.#streams.start(stack, this.#addresses);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets = [];
    this.#streams.stop();
    this.#forwarder.stop();
  }

  statistics(): DnsStatistics {
    return { ...this.#forwarder.statistics(), connections: this.#streams.size };
  }

  #receive({ from, payload }: UdpDatagram, limit: number, answer: (to: Endpoint, bytes: Uint8Array) => void): void {
    if (from.port === 0 || this.#stack?.leadsTo(from.address) !== true) {
      this.#outside.counters.add('dns-off-link');
      return;
    }
    const to = { address: from.address.slice(), port: from.port };
    this.#query(payload, {
      limit,
      isStream: false,
      answer: (framed) => answer(to, framed.subarray(LENGTH_PREFIX)),
    });
  }

  /** Answers a message of a client, or drops it: false. */
  #query(bytes: Uint8Array, client: DnsClient): boolean {
    const { counters } = this.#outside;
    counters.add('dns-queries');
    if (bytes.length < DNS_HEADER_LENGTH) {
      counters.add('dns-malformed');
      return false;
    }
    const flags = dnsFlags(bytes, 0);
    if ((flags & DNS_FLAG.response) !== 0) {
      // An answer to an answer would be the first of many.
      counters.add('dns-not-a-query');
      return false;
    }
    if (opcodeOf(flags) !== 0) {
      counters.add('dns-not-implemented');
      this.#refuse(bytes, RCODE.notImplemented, client);
      return true;
    }
    const query = parseDnsQuery(bytes, 0, bytes.length);
    if (typeof query === 'string') {
      counters.add('dns-malformed');
      this.#refuse(bytes, RCODE.formatError, client);
    } else {
      this.#resolve(query, client);
    }
    return true;
  }

  #resolve(query: DnsQuery, client: DnsClient): void {
    const { counters } = this.#outside;
    const refusal = refusalOf(query);
    if (refusal !== undefined) {
      counters.add('dns-refused');
      this.#say({ ...FAILED, rcode: refusal }, query, client);
      return;
    }
    const tell = ({ sections, cached }: Found) => {
      if (cached === undefined) this.#say(sections, query, client);
      else this.#pass(cached, query, client);
    };
    const nat64 = isForDns64(query) ? this.#nat64 : undefined;
    this.#find(query, (first) => {
      if (nat64 === undefined || standsWithoutDns64(first.sections)) {
        tell(first);
        return;
      }
      counters.add('dns-synthesized');
      this.#find(questionFor(query, query.name, DNS_TYPE.A) ?? query, ({ sections }) => {
        const isFound = sections.answers.some(({ type }) => type === DNS_TYPE.A);
        if (isFound) this.#say(synthesized(sections, nat64), query, client);
        else tell(first);
      });
    });
  }

  /** What this server knows of a question, or else what others say. */
  #find(query: DnsQuery, on: (found: Found) => void): void {
    const local = this.#zone.find(query.name, query.type);
    if (local === undefined) {
      this.#forwarder.ask({ ...query, isDnssecOk: query.edns?.isDnssecOk === true }, (cached) =>
        on({ sections: this.#sectionsOf(cached, NOTHING), cached }),
      );
      return;
    }
    this.#outside.counters.add('dns-local');
    // an alias leads out of the zone: what it leads to is added
    const onward = local.onward === undefined ? undefined : questionFor(query, local.onward, query.type);
    if (onward === undefined) on({ sections: local.onward === undefined ? local : FAILED });
    else
      this.#forwarder.ask({ ...onward, isDnssecOk: false }, (cached) =>
        on({ sections: this.#sectionsOf(cached, local) }),
      );
  }

  /** The answer of another server, behind what was known before. */
  #sectionsOf(cached: CachedAnswer | undefined, before: LocalAnswer): DnsSections {
    if (cached === undefined) return FAILED;
    const { elapsed } = ageOf(cached, this.#outside.scheduler.now());
    const rest = decodeAnswers(cached.answer.bytes, elapsed);
    if (typeof rest === 'string') return FAILED;
    return { ...before, rcode: cached.answer.rcode, answers: [...before.answers, ...rest] };
  }

  #pass(cached: CachedAnswer, query: DnsQuery, client: DnsClient): void {
    const age = ageOf(cached, this.#outside.scheduler.now());
    const limit = limitFor(query, client);
    this.#send(emitDnsAnswer(cached.answer, age, query, limit, this.#out, LENGTH_PREFIX), client);
  }

  #say(sections: DnsSections, query: DnsQuery, client: DnsClient): void {
    const limit = limitFor(query, client);
    this.#send(emitDnsSections(sections, query, limit, this.#out, LENGTH_PREFIX), client);
  }

  #refuse(bytes: Uint8Array, rcode: number, client: DnsClient): void {
    this.#send(emitDnsFailure(bytes, 0, rcode, this.#out, LENGTH_PREFIX), client);
  }

  #send(end: number, client: DnsClient): void {
    writeUint16(this.#out, 0, end - LENGTH_PREFIX);
    if ((dnsFlags(this.#out, LENGTH_PREFIX) & DNS_FLAG.truncated) !== 0) this.#outside.counters.add('dns-truncated');
    client.answer(this.#out.subarray(0, end));
  }
}

/** The same question about another name or type; undefined where the name cannot be written. */
function questionFor(query: DnsQuery, name: string, type: number): DnsQuery | undefined {
  const owner = encodeName(name);
  if (owner === undefined) return undefined;
  const question = new Uint8Array(owner.length + 4);
  question.set(owner);
  writeUint16(question, owner.length, type);
  writeUint16(question, owner.length + 2, query.class);
  return { ...query, name, type, question };
}

/** RFC 6891, 6.2.5: a client without EDNS takes 512 octets, and one that says less takes them too. */
function limitFor({ edns }: DnsQuery, { limit, isStream }: DnsClient): number {
  if (isStream) return DNS_MAX_LENGTH;
  return Math.min(limit, Math.max(DNS_MIN_UDP_LENGTH, edns?.udpLength ?? 0));
}

/** Why a well-formed query is not answered. Zones are not transferred. */
function refusalOf(query: DnsQuery): number | undefined {
  if (query.edns !== undefined && query.edns.version !== 0) return RCODE_BAD_VERSION;
  const isTransfer = query.type === DNS_TYPE.AXFR || query.type === DNS_TYPE.IXFR;
  return query.class !== CLASS_IN || isTransfer || query.type === DNS_TYPE.OPT ? RCODE.refused : undefined;
}
